package verdict_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Samples that come in the order of their answers, in the opposite one, and in none are
// sorted by arrival, and then by their numbers.
func TestSort(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var samples []verdict.Sample
	for i := range 20_000 {
		samples = append(samples, verdict.Sample{Seq: uint32(i), Sent: time.Duration(i/3) * time.Millisecond, Latency: time.Duration(random.IntN(1000)) * time.Millisecond})
	}
	for name, arrange := range map[string]func([]verdict.Sample){
		"sorted": func([]verdict.Sample) {},
		"answers": func(s []verdict.Sample) {
			slices.SortFunc(s, func(a, b verdict.Sample) int { return cmp.Compare(a.Done(), b.Done()) })
		},
		"a few":    func(s []verdict.Sample) { s[0], s[19_999] = s[19_999], s[0] },
		"reversed": slices.Reverse[[]verdict.Sample],
		"shuffled": func(s []verdict.Sample) { random.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] }) },
	} {
		got := slices.Clone(samples)
		arrange(got)
		if verdict.Sort(got); !slices.Equal(got, samples) {
			t.Errorf("%s: not sorted", name)
		}
	}
}

// A record of any length is whole, and one that is long has room for the longest.
func TestAppend(t *testing.T) {
	t.Parallel()
	var samples []verdict.Sample
	for i := range 200_000 {
		samples = verdict.Append(samples, verdict.Sample{Seq: uint32(i)})
	}
	for i, s := range samples {
		if s.Seq != uint32(i) {
			t.Fatalf("found %d at %d", s.Seq, i)
		}
	}
	if len(samples) != 200_000 || cap(samples) != verdict.MaxSamples {
		t.Errorf("%d samples, with room for %d", len(samples), cap(samples))
	}
}
