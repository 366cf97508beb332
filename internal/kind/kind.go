// Package kind is a registry of named kinds, as a value that is passed. So pkg/scenario
// can read the names without importing the kinds.
package kind

import "strings"

// Kind is one named kind of T.
type Kind[T any] struct {
	Name string
	Doc  string   // one sentence of documentation
	New  func() T // returns a pointer to a zero spec, for a decoder to fill
}

// Set is a list of kinds.
type Set[T any] []Kind[T]

// Find returns the kind with a name.
func (s Set[T]) Find(name string) (Kind[T], bool) {
	for _, k := range s {
		if k.Name == name {
			return k, true
		}
	}
	return Kind[T]{}, false
}

// Names are the names of the kinds, in order.
func (s Set[T]) Names() []string {
	names := make([]string, len(s))
	for i, k := range s {
		names[i] = k.Name
	}
	return names
}

// String lists the names.
func (s Set[T]) String() string { return strings.Join(s.Names(), ", ") }
