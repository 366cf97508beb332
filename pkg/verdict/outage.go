package verdict

import (
	"time"
)

// outage is a sequence of breaching samples, each less than the hold after the one
// before, as indices into the series. A service that flaps is down until it holds.
type outage struct {
	first, last int
	n, bad      int // fault-phase samples from first to last, and the bad ones of them
}

func (o outage) severity() float64 { return ratio(o.bad, o.n) }

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// outages groups the breaching samples after the baseline. Outages that begin before
// end belong to the fault. failback reports whether an outage begins after the
// revert; it does not change the verdict.
func (s *series) outages() (ofFault []outage, failback bool) {
	breaching := s.breaching(func(p phase) bool { return p != baseline })
	for k := 0; k < len(breaching); {
		o := outage{first: breaching[k], last: breaching[k]}
		for k++; k < len(breaching) && s.samples[breaching[k]].Sent-s.samples[o.last].Sent < s.objective.Hold; k++ {
			o.last = breaching[k]
		}
		if s.samples[o.first].Sent >= s.end {
			failback = failback || s.marks.Reverted
			continue
		}
		for i := o.first; i <= o.last; i++ {
			if s.phase(i) == fault {
				o.n++
				if s.bad(i) {
					o.bad++
				}
			}
		}
		ofFault = append(ofFault, o)
	}
	return ofFault, failback
}

// impaired reports whether the fault-phase samples outside all outages contain more
// bad ones than chance explains.
func (s *series) impaired(outages []outage) bool {
	n, bad := s.count(fault)
	for _, o := range outages {
		n -= o.n
		bad -= o.bad
	}
	return bad > Allowance(n, s.objective.Good)
}

// recovery describes the end of the last outage.
type recovery struct {
	own   bool          // it provably ended before the fault was reverted
	held  bool          // and service stayed good for the hold
	at    time.Duration // send of the first good sample after it
	start time.Duration // when service was interrupted: first breaching send, not before f
	point time.Duration // at - start
	lo    time.Duration // lower bound of the recovery time
	hi    time.Duration // upper bound of the recovery time
}

// recovery calculates the bounds. outages must not be empty.
func (s *series) recovery(outages []outage) recovery {
	first, last := outages[0], outages[len(outages)-1]
	r := recovery{start: max(s.samples[first.first].Sent, s.marks.Fault)}
	r.lo = max(s.samples[last.last].Sent-r.start, 0)

	back, proved, ok := s.goodAfter(last.last, proof(last.severity()))
	if !ok {
		return r
	}
	// Requests in flight at f can fail while later ones, still sent before f, succeed.
	// Such an outage would end before it starts.
	r.at = max(s.samples[back].Sent, r.start)
	r.point = r.at - r.start
	r.hi = max(s.samples[proved].Done()-s.before(first.first, proof(first.severity())), r.point)
	r.own = s.samples[last.last].Sent < s.end && s.samples[proved].Done() < s.end
	r.held = s.end-r.at >= s.objective.Hold
	return r
}

// goodAfter finds the first and the k-th good sample after index i.
func (s *series) goodAfter(i, k int) (first, kth int, ok bool) {
	first = -1
	for i++; i < len(s.samples); i++ {
		if s.bad(i) {
			continue
		}
		if first < 0 {
			first = i
		}
		if k--; k == 0 {
			return first, i, true
		}
	}
	return 0, 0, false
}

// before is the send of the k-th sample before index i, not before f: service
// may have been interrupted since then.
func (s *series) before(i, k int) time.Duration {
	if k > i {
		return s.marks.Fault
	}
	return max(s.samples[i-k].Sent, s.marks.Fault)
}
