package kind_test

import (
	"testing"

	"github.com/gameday-dev/gameday/internal/kind"
)

func TestFind(t *testing.T) {
	t.Parallel()
	set := kind.Set[*int]{{Name: "one", Doc: "a number", New: func() *int { return new(1) }}}
	k, ok := set.Find("one")
	if !ok || *k.New() != 1 || k.Doc != "a number" || set.String() != "one" {
		t.Errorf("%+v", set)
	}
	if _, ok := set.Find("two"); ok {
		t.Error("found what is not there")
	}
}
