package target_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/target"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	db := target.Component{
		ID: "1", Name: "shop-db-1", Service: "db", Zone: "a",
		Labels: map[string]string{"role": "primary", "empty": "", "odd": "a=b"},
	}
	bare := target.Component{ID: "2", Name: "bare"}
	for name, c := range map[string]struct {
		selector target.Selector
		is       target.Component
		want     bool
	}{
		"nothing asked":               {target.Selector{}, db, true},
		"nothing asked of a bare one": {target.Selector{}, bare, true},
		"service":                     {target.Selector{Service: "db"}, db, true},
		"another service":             {target.Selector{Service: "app"}, db, false},
		"a part of the service":       {target.Selector{Service: "d"}, db, false},
		"a service of a bare one":     {target.Selector{Service: "db"}, bare, false},
		"name":                        {target.Selector{Name: "shop-db-1"}, db, true},
		"name in capitals":            {target.Selector{Name: "Shop-DB-1"}, db, false},
		"the ID is no name":           {target.Selector{Name: "1"}, db, false},
		"zone":                        {target.Selector{Zone: "a"}, db, true},
		"another zone":                {target.Selector{Zone: "b"}, db, false},
		"a zone of a bare one":        {target.Selector{Zone: "a"}, bare, false},
		"label":                       {target.Selector{Label: "role"}, db, true},
		"label and value":             {target.Selector{Label: "role=primary"}, db, true},
		"label and another value":     {target.Selector{Label: "role=replica"}, db, false},
		"label and no value":          {target.Selector{Label: "role="}, db, false},
		"an empty label":              {target.Selector{Label: "empty"}, db, true},
		"an empty label's value":      {target.Selector{Label: "empty="}, db, true},
		"a value with an equals sign": {target.Selector{Label: "odd=a=b"}, db, true},
		"a part of that value":        {target.Selector{Label: "odd=a"}, db, false},
		"no such label":               {target.Selector{Label: "tier"}, db, false},
		"no such label, no value":     {target.Selector{Label: "tier="}, db, false},
		"a label of a bare one":       {target.Selector{Label: "role"}, bare, false},
		"all fields":                  {target.Selector{Service: "db", Name: "shop-db-1", Zone: "a", Label: "role=primary"}, db, true},
		"all fields but one":          {target.Selector{Service: "db", Name: "shop-db-1", Zone: "b", Label: "role=primary"}, db, false},
		"a role is not asked here":    {target.Selector{Role: "primary"}, bare, true},
		"nor is any chosen":           {target.Selector{Any: 1, Percent: 1}, bare, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.selector.Match(c.is); got != c.want {
				t.Errorf("%t, expected %t", got, c.want)
			}
		})
	}
}

func TestSelectorAsText(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]target.Selector{
		"":                        {},
		"service db":              {Service: "db"},
		"name db-1":               {Name: "db-1"},
		"label role=primary":      {Label: "role=primary"},
		"zone a":                  {Zone: "a"},
		"role primary":            {Role: "primary"},
		"service db, zone a":      {Zone: "a", Service: "db", Any: 1},
		"name n, label l, role r": {Role: "r", Name: "n", Label: "l", Percent: 50},
		"service s, name n, label l, zone z, role r": {Service: "s", Name: "n", Label: "l", Zone: "z", Role: "r"},
	} {
		if got := s.String(); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}

func TestIsZero(t *testing.T) {
	t.Parallel()
	if !(target.Selector{}).IsZero() {
		t.Error("a selector of nothing is something")
	}
	for _, s := range []target.Selector{{Service: "s"}, {Name: "n"}, {Label: "l"}, {Zone: "z"}, {Role: "r"}, {Percent: 1}, {Any: 1}} {
		if s.IsZero() {
			t.Errorf("%+v is nothing", s)
		}
	}
}

// numbered are components in an order of their own.
func numbered(n int) []target.Component {
	all := make([]target.Component, n)
	for i := range all {
		all[i].Name = fmt.Sprintf("c%03d", i)
	}
	return all
}

func seeded(seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 0))
}

func TestPickCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		percent, any, of, want int
	}{
		{0, 0, 0, 0},
		{0, 0, 7, 7},
		{50, 0, 0, 0},
		{1, 0, 1, 1},
		{1, 0, 100, 1},
		{1, 0, 101, 2}, // rounded up
		{50, 0, 4, 2},
		{50, 0, 3, 2},
		{33, 0, 3, 1},
		{34, 0, 3, 2},
		{99, 0, 100, 99},
		{99, 0, 99, 99},
		{100, 0, 7, 7},
		{0, 1, 7, 1},
		{0, 6, 7, 6},
		{0, 7, 7, 7},
		{0, 8, 7, 7}, // all that there are
		{0, 3, 0, 0},
		{50, 1, 10, 1},  // the smaller of the two
		{10, 5, 10, 1},  // the smaller of the two
		{100, 5, 10, 5}, // the smaller of the two
	} {
		s := target.Selector{Percent: c.percent, Any: c.any}
		if got := len(s.Pick(numbered(c.of), seeded(1))); got != c.want {
			t.Errorf("percent %d, any %d of %d: %d, expected %d", c.percent, c.any, c.of, got, c.want)
		}
	}
}

// picking is a selector that may choose, components, and a seed.
func picking(t *rapid.T) (s target.Selector, found []target.Component, seed uint64) {
	s.Percent = rapid.IntRange(0, 100).Draw(t, "percent")
	s.Any = rapid.IntRange(0, 30).Draw(t, "any")
	return s, numbered(rapid.IntRange(0, 25).Draw(t, "found")), rapid.Uint64().Draw(t, "seed")
}

func names(all []target.Component) []string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Name
	}
	return names
}

// What is picked are some of those found, none twice, in their order; the same seed
// picks the same; and those found are left as they were.
func TestPickLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, found, seed := picking(t)
		before := names(found)
		picked := names(s.Pick(found, seeded(seed)))
		if !slices.Equal(before, names(found)) {
			t.Fatalf("those found were changed: %v", names(found))
		}
		if !slices.IsSorted(picked) || len(slices.Compact(slices.Clone(picked))) != len(picked) {
			t.Fatalf("not in order, or one twice: %v", picked)
		}
		for _, name := range picked {
			if !slices.Contains(before, name) {
				t.Fatalf("%s was not found", name)
			}
		}
		if again := names(s.Pick(found, seeded(seed))); !slices.Equal(again, picked) {
			t.Fatalf("the same seed: %v, then %v", picked, again)
		}
		if s.Any > 0 && len(picked) > s.Any {
			t.Fatalf("%d picked, at most %d were asked", len(picked), s.Any)
		}
		if s.Percent > 0 && s.Any == 0 && 100*len(picked) < s.Percent*len(found) {
			t.Fatalf("%d of %d are less than %d%%", len(picked), len(found), s.Percent)
		}
		if len(found) > 0 && len(picked) == 0 {
			t.Fatal("some were found, and none was picked")
		}
	})
}

// More percent, or more of any, never picks fewer.
func TestPickGrows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		found := numbered(rapid.IntRange(0, 25).Draw(t, "found"))
		less, more := rapid.IntRange(1, 100).Draw(t, "one"), rapid.IntRange(1, 100).Draw(t, "other")
		less, more = min(less, more), max(less, more)
		for what, of := range map[string]func(int) target.Selector{
			"percent": func(n int) target.Selector { return target.Selector{Percent: n} },
			"any":     func(n int) target.Selector { return target.Selector{Any: n} },
		} {
			if a, b := len(of(less).Pick(found, seeded(1))), len(of(more).Pick(found, seeded(1))); a > b {
				t.Fatalf("%s: %d picks %d, and %d only %d", what, less, a, more, b)
			}
		}
	})
}

// Every component may be picked: none is safe from chance.
func TestPickIsFair(t *testing.T) {
	t.Parallel()
	const rounds, of = 2000, 5
	picked := map[string]int{}
	random := seeded(7)
	for range rounds {
		for _, name := range names(target.Selector{Any: 1}.Pick(numbered(of), random)) {
			picked[name]++
		}
	}
	for _, name := range names(numbered(of)) {
		if n := picked[name]; n < rounds/of*3/4 || n > rounds/of*5/4 {
			t.Errorf("%s was picked %d times of %d", name, n, rounds)
		}
	}
}

// A selector with one more field set never means more components, and what it means
// does not depend on labels that it does not name.
func TestMatchLaws(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{"", "a", "b"})
	rapid.Check(t, func(t *rapid.T) {
		c := target.Component{
			Service: word.Draw(t, "service"), Name: word.Draw(t, "name"), Zone: word.Draw(t, "zone"),
			Labels: rapid.MapOf(rapid.SampledFrom([]string{"k", "l"}), word).Draw(t, "labels"),
		}
		s := target.Selector{
			Service: word.Draw(t, "its service"), Name: word.Draw(t, "its name"), Zone: word.Draw(t, "its zone"),
			Label: rapid.SampledFrom([]string{"", "k", "k=", "k=a", "k=b"}).Draw(t, "its label"),
		}
		fewer := s
		switch rapid.IntRange(0, 3).Draw(t, "field") {
		case 0:
			fewer.Service = ""
		case 1:
			fewer.Name = ""
		case 2:
			fewer.Zone = ""
		case 3:
			fewer.Label = ""
		}
		if s.Match(c) && !fewer.Match(c) {
			t.Fatalf("%q means it, and %q does not", s, fewer)
		}
		if key, value, has := strings.Cut(s.Label, "="); s.Match(c) && has && c.Labels[key] != value {
			t.Fatalf("%q means it, with label %q", s, c.Labels[key])
		}
		other := c
		other.Labels = map[string]string{"unnamed": "x"}
		maps.Copy(other.Labels, c.Labels)
		if s.Match(c) != s.Match(other) {
			t.Fatalf("%q depends on a label that it does not name", s)
		}
	})
}
