package verdict

import (
	"cmp"
	"slices"
	"time"
)

// many is how many samples a record must have before room for the most is made.
const many = 1 << 16

// Append appends a sample that was read. A long record gets room for [MaxSamples] at once:
// it would take three times its memory to copy it as it grows, and memory that is not used
// yet is only an address.
func Append(samples []Sample, s Sample) []Sample {
	if len(samples) == cap(samples) && len(samples) >= many && len(samples) < MaxSamples {
		all := make([]Sample, len(samples), MaxSamples)
		copy(all, samples)
		samples = all
	}
	return append(samples, s)
}

// bySending compares all of two samples, so that the order in which they were read never
// matters.
func bySending(a, b Sample) int {
	if a.Sent != b.Sent {
		return cmp.Compare(a.Sent, b.Sent)
	}
	return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Latency, b.Latency), truth(a.Failed, b.Failed), truth(a.Retried, b.Retried))
}

// truth compares two truth values.
func truth(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func sorted(samples []Sample) bool { return slices.IsSortedFunc(samples, bySending) }

// mostMoved is by how many places a sample may be moved on average before [Sort] takes the
// samples for unsorted.
const mostMoved = 64

// Sort sorts samples by arrival, in place. [Judge] copies samples that are not
// sorted; sorting them first saves the copy.
//
// Records are nearly sorted, as a user is behind those who came later only for as long as
// an answer takes. So each sample is inserted where it belongs, which for ten million of
// them takes a tenth of the time of a general sort, unless that proves to be far away.
func Sort(samples []Sample) {
	moved := 0
	for i := 1; i < len(samples); i++ {
		if bySending(samples[i-1], samples[i]) <= 0 {
			continue
		}
		s, low := samples[i], i-1
		for step := 1; low > 0 && bySending(samples[low], s) > 0; step *= 2 {
			low = max(low-step, 0)
		}
		at, _ := slices.BinarySearchFunc(samples[low:i], s, bySending)
		at += low
		if moved += i - at; moved > mostMoved*len(samples) {
			slices.SortFunc(samples, bySending)
			return
		}
		copy(samples[at+1:i+1], samples[at:i])
		samples[at] = s
	}
}

// medianRate is one over the median gap between sends, in samples per second. It is 0
// for fewer than two samples.
func medianRate(sorted []Sample) float64 {
	if len(sorted) < 2 {
		return 0
	}
	median := medianGap(sorted)
	if median <= 0 {
		return 0
	}
	return float64(time.Second) / float64(median)
}

// medianGap is the median gap between sends. It finds its bits from the highest on, which
// takes no memory.
func medianGap(sorted []Sample) time.Duration {
	const bits = 16
	rank := (len(sorted) - 1) / 2
	counts := make([]int, 1<<bits)
	found := uint64(0)
	for shift := 64 - bits; shift >= 0; shift -= bits {
		clear(counts)
		for i := range len(sorted) - 1 {
			gap := uint64(sorted[i+1].Sent - sorted[i].Sent) //nolint:gosec // G115: they are sorted
			if gap>>(shift+bits) == found {
				counts[gap>>shift&(1<<bits-1)]++
			}
		}
		for digit, n := range counts {
			if rank < n {
				found = found<<bits | uint64(digit)
				break
			}
			rank -= n
		}
	}
	return time.Duration(found)
}
