package main_test

import (
	"testing"

	main "github.com/gameday-dev/gameday/cmd/gameday"
)

// A terminal that is narrow, or says that it has no width, ends nothing.
func TestClip(t *testing.T) {
	t.Parallel()
	for width, want := range map[int]string{-7: "", 0: "", 1: "…", 3: "wa…", 5: "watch", 80: "watch"} {
		if got := main.Clip("watch", width); got != want {
			t.Errorf("%d wide: %q, expected %q", width, got, want)
		}
	}
}
