// Package kind is the registry of named kinds, as a value that is built and
// passed: who reads names (pkg/scenario) need not know what they stand for.
package kind

import "strings"

// Kind is one named kind of T.
type Kind[T any] struct {
	Name string
	Doc  string   // one sentence for people
	New  func() T // a pointer to the zero spec, for a decoder to fill
}

// Set lists kinds by name.
type Set[T any] []Kind[T]

// Find returns the kind of a name.
func (s Set[T]) Find(name string) (Kind[T], bool) {
	for _, k := range s {
		if k.Name == name {
			return k, true
		}
	}
	return Kind[T]{}, false
}

// Names are the names of the kinds, in their order.
func (s Set[T]) Names() []string {
	names := make([]string, len(s))
	for i, k := range s {
		names[i] = k.Name
	}
	return names
}

// String lists the names.
func (s Set[T]) String() string { return strings.Join(s.Names(), ", ") }
