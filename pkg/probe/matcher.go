package probe

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Exists matches any value.
const Exists = "exists"

// matcher compares a value that was found with what a journey expects.
type matcher func(found any) bool

// conditions are what a journey can say about a value instead of the value itself, by key.
func conditions() map[string]func(want any) (matcher, error) {
	return map[string]func(want any) (matcher, error){
		"equals":   func(want any) (matcher, error) { return func(found any) bool { return same(found, want) }, nil },
		"not":      func(want any) (matcher, error) { return func(found any) bool { return !same(found, want) }, nil },
		"gte":      compares(func(order int) bool { return order >= 0 }),
		"lte":      compares(func(order int) bool { return order <= 0 }),
		"matches":  matches,
		"contains": containing,
		"length":   length,
		"exists": func(want any) (matcher, error) {
			if want != true {
				return nil, fmt.Errorf("found exists: %v, expected exists: true", want)
			}
			return func(any) bool { return true }, nil
		},
	}
}

// newMatcher compiles what a journey expects of a value: the value, exists for any, or a
// mapping of conditions. A mapping with other keys is the value itself.
func newMatcher(want any) (matcher, error) {
	if want == Exists {
		return func(any) bool { return true }, nil
	}
	all, ok := want.(map[string]any)
	known := conditions()
	if !ok || len(all) == 0 || !slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(key string) bool { return known[key] != nil }) {
		return func(found any) bool { return same(found, want) }, nil
	}
	var each []matcher
	for _, key := range slices.Sorted(maps.Keys(all)) {
		compile := known[key]
		if compile == nil {
			return nil, fmt.Errorf("found %q, expected %s; or equals: with the whole mapping", key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		m, err := compile(all[key])
		if err != nil {
			return nil, err
		}
		each = append(each, m)
	}
	return func(found any) bool {
		return !slices.ContainsFunc(each, func(m matcher) bool { return !m(found) })
	}, nil
}

// compares is a condition on the order of two numbers. They are compared to the last
// digit.
func compares(holds func(order int) bool) func(want any) (matcher, error) {
	return func(want any) (matcher, error) {
		limit, ok := numeric(want)
		if !ok {
			return nil, fmt.Errorf("found %v, expected a number", want)
		}
		return func(found any) bool {
			n, ok := numeric(found)
			return ok && holds(n.Cmp(limit))
		}, nil
	}
}

// number is the form of a number of limited size: an exponent of more digits would make a
// number that fits in no memory.
var number = regexp.MustCompile(`^[+-]?[0-9]{1,100}(\.[0-9]{1,100})?([eE][+-]?[0-9]{1,3})?$`)

// numeric is a number, whatever its type. Texts that are numbers count: pages and headers
// have no others.
func numeric(v any) (*big.Rat, bool) {
	written := text(v)
	if !number.MatchString(written) {
		return nil, false
	}
	return new(big.Rat).SetString(written)
}

func matches(want any) (matcher, error) {
	pattern, ok := want.(string)
	if !ok {
		return nil, fmt.Errorf("found %v, expected a regular expression", want)
	}
	p, err := compilePattern(pattern)
	if err != nil {
		return nil, err
	}
	return func(found any) bool { return p.MatchString(text(found)) }, nil
}

func containing(want any) (matcher, error) {
	return func(found any) bool {
		switch found := found.(type) {
		case []any:
			return slices.ContainsFunc(found, func(item any) bool { return same(item, want) })
		case map[string]any:
			_, ok := found[text(want)]
			return ok
		}
		return strings.Contains(text(found), text(want))
	}, nil
}

// length is a condition on the number of items, keys or characters.
func length(want any) (matcher, error) {
	inner, err := newMatcher(want)
	if err != nil {
		return nil, err
	}
	return func(found any) bool {
		switch found := found.(type) {
		case []any:
			return inner(len(found))
		case map[string]any:
			return inner(len(found))
		case string:
			return inner(utf8.RuneCountInString(found))
		}
		return false
	}, nil
}

// same compares a value of a response with a value of a journey file. Numbers have other
// types in the file: 1 equals 1.0, and both are compared to the last digit.
func same(got, want any) bool {
	var values [2]any
	for i, v := range []any{got, want} {
		data, err := json.Marshal(v)
		if err == nil {
			values[i], err = exactly(data)
		}
		if err != nil {
			return false
		}
	}
	return alike(values[0], values[1])
}

// alike compares two values that [exactly] has read.
func alike(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		other, ok := b.(json.Number)
		if !ok {
			return false
		}
		m, isNumber := numeric(a)
		n, both := numeric(other)
		return a == other || isNumber && both && m.Cmp(n) == 0
	case []any:
		other, ok := b.([]any)
		return ok && slices.EqualFunc(a, other, alike)
	case map[string]any:
		other, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, other, alike)
	}
	return a == b
}

// text is a value of an answer as it stands in a path: numbers as they were
// written.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(string(data))
}
