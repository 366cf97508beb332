package verdict

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// During says when a condition has to be met. Whatever it says, the condition has to be met
// in the baseline: a fault is not to blame for what was so before.
type During string

// The times of a condition.
const (
	DuringBaseline During = "baseline" // before the fault only
	DuringFault    During = "fault"    // while the fault lasts
	DuringAfter    During = "after"    // once its revert was ordered
	DuringAlways   During = "always"   // from the baseline to the end
)

// Condition is something that must be so, beside what users are promised.
type Condition struct {
	Name        string
	During      During
	AgainWithin time.Duration // how long it may be unmet; 0 allows no unmet poll
	Polls       []Poll
}

// Met is the verdict on one condition.
type Met string

// The verdicts on a condition.
const (
	IsMet     Met = "met"
	NotMet    Met = "not-met"
	NotSteady Met = "not-steady" // it was not met before the fault
	Unasked   Met = "unknown"    // it could not be asked for, where that matters
)

// Conditioned is what became of one condition. Times are since the fault was ordered; a nil
// figure was not observed.
type Conditioned struct {
	Name        string  `json:"condition"`
	During      During  `json:"during"`
	AgainWithin Seconds `json:"again_within_s"`
	Verdict     Met     `json:"verdict"`
	Reason      string  `json:"reason,omitempty"` // why it is unknown, or not met
	// BrokenAt is when it was first not met.
	BrokenAt *Span `json:"broken_at_s"`
	// Again is when it was met again for good.
	Again *Span `json:"again_s"`
	// Broken is the longest time for which it was not met; at least, at most. It is null if
	// it was still not met at the end, or always met.
	Broken *Span `json:"broken_s"`
}

// Conditioning is the moments that conditions are judged by, on the scale of [Sample.Sent].
type Conditioning struct {
	Struck bool          // a fault was ordered
	Fault  time.Duration // (f), or the end of the run if no fault was ordered
	Revert *time.Duration
	End    time.Duration // of the run
}

// longestPoll is how long after the last poll a run may end: a poll that is under way then is
// not recorded.
const longestPoll = 8 * time.Second

// forever is what a span that did not end is taken for.
const forever = time.Duration(math.MaxInt64)

// Judge judges one condition. Unknown polls count twice: once as met, and once as not met.
// If these lead to different verdicts, it is unknown.
func (m Conditioning) Judge(c Condition) Conditioned {
	c.Polls = withHoles(inOrder(c.Polls), AskEvery(c.AgainWithin), m.End)
	found := Conditioned{Name: c.Name, During: c.During, AgainWithin: Seconds(c.AgainWithin), Verdict: IsMet}
	var before, after []Poll
	for _, p := range c.Polls {
		switch {
		case p.Answered <= m.Fault && p.Asked >= 0:
			before = append(before, p)
		case p.Answered > m.Fault && m.within(c.During, p):
			after = append(after, p)
		}
	}
	if verdict, why := Steady(before); verdict != IsMet {
		found.Verdict, found.Reason = verdict, why
		return found
	}
	if !m.Struck || c.During == DuringBaseline {
		return found
	}
	last := before[len(before)-1]
	if c.During == DuringAfter {
		last = Poll{Asked: m.after(), Answered: m.after()} // from then on it may be mended
	}
	good, bad := breaks(after, last, Poll{Known: true, Holds: true}), breaks(after, last, Poll{Known: true})
	found.figures(good, bad, m.Fault)
	kind := good.verdict(c.AgainWithin)
	switch other := bad.verdict(c.AgainWithin); {
	case len(after) == 0:
		found.Verdict, found.Reason = Unasked, "it was not asked for then"
	case kind != other:
		found.Verdict, found.Reason = Unasked, cmp.Or(lastWhy(after), "it could not be asked for")
	case kind == Unasked:
		found.Verdict, found.Reason = Unasked, "whether it was met again in time lies between two polls, or after the last one"
	case kind == NotMet:
		found.Verdict, found.Reason = NotMet, lastUnmet(after)
	}
	return found
}

// within reports whether a poll is in the time of a condition.
func (m Conditioning) within(during During, p Poll) bool {
	switch {
	case during == DuringFault && m.Revert != nil:
		return p.Answered <= *m.Revert
	case during == DuringAfter:
		return p.Asked >= m.after()
	}
	return true
}

// after is when the time after the fault begins: with its revert. If nothing was reverted,
// because the platform restored the component, it is the end of the run.
func (m Conditioning) after() time.Duration {
	if m.Revert != nil {
		return *m.Revert
	}
	return max(m.End-longestPoll, m.Fault)
}

// Steady judges a condition before the fault: it must have been met at each poll.
func Steady(before []Poll) (_ Met, why string) {
	unknown, why := len(before) == 0, "it was not asked for"
	for _, p := range before {
		if p.Known && !p.Holds {
			return NotSteady, p.Why
		}
		if !p.Known && !unknown {
			unknown, why = true, p.Why
		}
	}
	if unknown {
		return Unasked, why
	}
	return IsMet, ""
}

// withHoles are polls with an unknown one wherever none was made for several times the
// interval, and at the end if the last one is long before it.
func withHoles(polls []Poll, every, end time.Duration) (all []Poll) {
	for i, p := range polls {
		if i > 0 && p.Asked-polls[i-1].Answered > max(3*every, 3*time.Second) {
			all = append(all, hole(polls[i-1].Answered, p.Asked))
		}
		all = append(all, p)
	}
	if n := len(polls); n > 0 && end-polls[n-1].Answered > longestPoll+every {
		all = append(all, hole(polls[n-1].Answered, end))
	}
	return all
}

func hole(from, to time.Duration) Poll {
	return Poll{Asked: from, Answered: to, Why: fmt.Sprintf("it was not asked for during %v", (to - from).Round(time.Millisecond))}
}

// broken are the spans in which a condition was not met.
type broken []brokenSpan

// brokenSpan is one of them: the last poll before it, its first and its last poll, and the
// first one after it.
type brokenSpan struct {
	before, first, last Poll
	after               *Poll // nil if it did not end
}

// length is its bounds.
func (s brokenSpan) length() (lo, hi time.Duration) {
	lo = max(s.last.Asked-s.first.Answered, 0)
	if s.after == nil {
		return lo, forever
	}
	return lo, s.after.Answered - s.before.Asked
}

// breaks finds the spans, with unknown polls taken for filling. last is the poll before the
// first one.
func breaks(polls []Poll, last Poll, filling Poll) (all broken) {
	open := false
	for _, p := range polls {
		holds := p.Holds
		if !p.Known {
			holds = filling.Holds
		}
		switch {
		case holds && open:
			all[len(all)-1].after = &p
			open = false
		case !holds && open:
			all[len(all)-1].last = p
		case !holds:
			all = append(all, brokenSpan{before: last, first: p, last: p})
			open = true
		}
		last = p
	}
	return all
}

// verdict holds the spans against what is allowed.
func (b broken) verdict(allowed time.Duration) Met {
	found := IsMet
	for _, s := range b {
		switch lo, hi := s.length(); {
		case allowed == 0 || lo > allowed:
			return NotMet
		case hi > allowed:
			found = Unasked
		}
	}
	return found
}

// figures adds the times of what was seen. The bounds of a moment are from the filling that
// makes it early, and from the one that makes it late.
func (c *Conditioned) figures(good, bad broken, fault time.Duration) {
	if len(good) == 0 {
		return // it was never seen not met
	}
	c.BrokenAt = Span{Seconds(max(bad[0].before.Asked, fault)), Seconds(good[0].first.Answered)}.since(fault)
	last, worst := good[len(good)-1], bad[len(bad)-1]
	if worst.after == nil || last.after == nil {
		return
	}
	c.Again = Span{Seconds(last.last.Asked), Seconds(worst.after.Answered)}.since(fault)
	var lo, hi time.Duration
	for _, s := range good {
		l, _ := s.length()
		lo = max(lo, l)
	}
	for _, s := range bad {
		_, h := s.length()
		hi = max(hi, h)
	}
	c.Broken = &Span{Seconds(lo), Seconds(hi)}
}

// lastUnmet is why the last poll that was not met was not.
func lastUnmet(polls []Poll) (why string) {
	for _, p := range polls {
		if p.Known && !p.Holds {
			why = p.Why
		}
	}
	return why
}

// applyConditions lets conditions worsen a verdict. They never better one: what is certain
// and worse stays.
func (r *Run) applyConditions() {
	outcome, reason := Disproved, Reason("")
	for _, c := range r.Conditions {
		switch {
		case c.Verdict == NotMet:
			outcome, reason = Degraded, ConditionNotMet
		case c.Verdict == NotSteady && outcome != Degraded:
			outcome, reason = Inconclusive, ConditionNotSteady
		case c.Verdict == Unasked && outcome == Disproved:
			outcome, reason = Inconclusive, ConditionUnknown
		}
	}
	switch {
	case outcome == Disproved || Worst(outcome, r.Outcome) > 0:
	case outcome == Inconclusive && r.Outcome == Inconclusive:
		if r.Samples == 0 { // nothing was broken because of the condition
			r.Reason = reason
		}
	case outcome == r.Outcome: // degraded for what users met
	case outcome == Inconclusive:
		r.Outcome, r.Reason, r.State = outcome, reason, ""
	default:
		r.Outcome, r.Reason = outcome, reason
	}
}
