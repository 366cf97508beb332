package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/gameday-dev/gameday/pkg/record"
)

// maxListed is how many kinds of errors of a journey a report lists, and maxKinds how
// many it tells apart. The system under test writes the texts: it could make each user's
// a kind of its own.
const (
	maxListed = 20
	maxKinds  = 1000
)

// More is what errors there were beside those that are listed.
type More struct {
	Kinds   int  `json:"kinds"`
	AtLeast bool `json:"at_least,omitempty"` // there may be more kinds
	N       int  `json:"samples"`
}

// Text is the last row of a list of errors.
func (m More) Text() string {
	switch {
	case m.AtLeast:
		return fmt.Sprintf("other errors (at least %s kinds)", thousands(m.Kinds))
	case m.Kinds == 1:
		return "another error"
	}
	return fmt.Sprintf("other errors (%s kinds)", thousands(m.Kinds))
}

// classes are the failed samples of every journey, by error.
type classes map[string]*kinds

// kinds are the errors of one journey.
type kinds struct {
	of     map[string]*Class
	beyond int // samples of kinds that are not told apart
}

func (all classes) add(s record.Sample) {
	if s.Error == "" {
		return
	}
	k := all[s.Journey]
	if k == nil {
		k = &kinds{of: map[string]*Class{}}
		all[s.Journey] = k
	}
	c := k.of[s.Error]
	switch {
	case c == nil && len(k.of) == maxKinds:
		k.beyond++
		return
	case c == nil:
		c = &Class{Error: s.Error, First: s.Sent}
		k.of[s.Error] = c
	}
	c.N++
	if s.Sent.Before(c.First) {
		c.First = s.Sent
	}
}

// of are the most frequent errors of a journey, and the rest of them.
func (all classes) of(journey string) (listed []Class, more *More) {
	k := all[journey]
	if k == nil {
		return nil, nil
	}
	byCount := func(a, b *Class) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Error, b.Error)) }
	rest := More{Kinds: min(k.beyond, 1), AtLeast: k.beyond > 1, N: k.beyond}
	for _, c := range slices.SortedFunc(maps.Values(k.of), byCount) {
		if len(listed) < maxListed {
			listed = append(listed, *c)
			continue
		}
		rest.Kinds++
		rest.N += c.N
	}
	if rest.N == 0 {
		return listed, nil
	}
	return listed, &rest
}

// shortened are the first n of the listed errors, and the rest of them.
func (l Load) shortened(n int) (listed []Class, more *More) {
	if len(l.Errors) <= n {
		return l.Errors, l.More
	}
	var rest More
	if l.More != nil {
		rest = *l.More
	}
	for _, c := range l.Errors[n:] {
		rest.Kinds++
		rest.N += c.N
	}
	return l.Errors[:n], &rest
}
