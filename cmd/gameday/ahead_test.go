package main

import (
	"errors"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/gameday-dev/gameday/pkg/record"
)

// counting are n samples, and then an error if there is one.
func counting(n int, err error) iter.Seq2[record.Sample, error] {
	return func(yield func(record.Sample, error) bool) {
		for i := range n {
			if !yield(record.Sample{Seq: uint64(i)}, nil) {
				return
			}
		}
		if err != nil {
			yield(record.Sample{}, err)
		}
	}
}

// What is decoded ahead comes in order and whole, with its error last; and it ends when it
// is not wanted any longer.
func TestAhead(t *testing.T) {
	t.Parallel()
	failed := errors.New("damaged")
	for _, n := range []int{0, 1, batchSize - 1, batchSize, batchSize + 1, 10*batchSize + 7} {
		for _, most := range []int{n, n / 2, 1} {
			for _, want := range []error{nil, failed} {
				synctest.Test(t, func(t *testing.T) { // fails if a goroutine stays
					got := 0
					for s, err := range ahead(counting(n, want)) {
						if err != nil {
							if got != n || !errors.Is(err, want) {
								t.Errorf("%v after %d of %d", err, got, n)
							}
							return
						}
						if s.Seq != uint64(got) {
							t.Fatalf("found sample %d, expected %d", s.Seq, got)
						}
						if got++; got == most && most < n {
							return
						}
					}
					if got != n || want != nil {
						t.Errorf("%d of %d samples, and no error", got, n)
					}
				})
			}
		}
	}
}
