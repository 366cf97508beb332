package report

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Anatomy is what a recovery was made of: the moments that were seen, and the segments
// between them. Nothing that was not seen is in it.
type Anatomy struct {
	Moments  []Moment  `json:"moments"`
	Segments []Segment `json:"segments"`
	// Longest is the segment that is longer than all others of the recovery, whatever the
	// true moments were between their bounds; null if the bounds do not tell.
	Longest *Segment `json:"longest"`
}

// Moment is something that was seen to happen, between two times since the fault was
// ordered.
type Moment struct {
	What string          `json:"what"`
	Lo   verdict.Seconds `json:"lo_s"`
	Hi   verdict.Seconds `json:"hi_s"`

	moved bool // a role moved
}

// Segment is the time between two moments.
type Segment struct {
	From string          `json:"from"`
	To   string          `json:"to"`
	Lo   verdict.Seconds `json:"lo_s"`
	Hi   verdict.Seconds `json:"hi_s"`
}

// Names of moments.
const (
	faultOrdered  = "fault ordered"
	firstBadUser  = "first failed or slow request"
	servedAgainAt = "service good again"
	revertOrdered = "revert ordered"
	revertDone    = "fault reverted"
	lastBadUser   = "last failed or slow request"
)

// dissect finds the anatomy of the recovery. c is the case of the deciding journey.
func (r *Report) dissect(c verdict.Case, marks record.Marks) {
	if r.FaultAt == nil || r.FirstImpact == nil || r.Outcome == verdict.Aborted {
		return
	}
	fault := *r.FaultAt
	since := func(at time.Time) verdict.Seconds { return verdict.Seconds(at.Sub(fault)) }
	first := r.FirstImpact.Duration()
	moments := []Moment{
		{What: faultOrdered},
		{What: firstBadUser, Lo: verdict.Seconds(sentBefore(c, first)), Hi: *r.FirstImpact},
	}
	if r.Recovery != nil && r.RecoveryLo != nil && r.RecoveryHi != nil {
		moments = append(moments, Moment{What: servedAgainAt, Lo: verdict.Seconds(first) + *r.RecoveryLo, Hi: verdict.Seconds(first) + *r.RecoveryHi})
	}
	if r.Revert != nil {
		at := since(*r.Revert)
		moments = append(moments, Moment{What: revertOrdered, Lo: at, Hi: at})
		if done, ok := marks[record.MarkReverted]; ok {
			moments = append(moments, Moment{What: revertDone, Lo: at, Hi: since(done)})
		}
		if r.Recovery == nil && r.ServedAgain != nil && *r.ServedAgain > 0 {
			moments = append(moments, Moment{What: lastBadUser, Lo: at + *r.ServedAgain, Hi: at + *r.ServedAgain})
		}
	}
	moments = append(moments, r.roleMoments(fault)...)
	moments = append(moments, r.healthMoments(fault)...)
	moments = append(moments, r.alertMoments()...)
	moments = append(moments, r.conditionMoments()...)
	slices.SortStableFunc(moments, func(a, b Moment) int { return cmp.Or(cmp.Compare(a.Lo, b.Lo), cmp.Compare(a.Hi, b.Hi)) })
	a := &Anatomy{Moments: moments}
	for i := 1; i < len(moments); i++ {
		from, to := moments[i-1], moments[i]
		a.Segments = append(a.Segments, Segment{From: from.What, To: to.What, Lo: max(to.Lo-from.Hi, 0), Hi: max(to.Hi-from.Lo, 0)})
	}
	a.Longest = a.longest()
	r.Anatomy = a
}

// sentBefore is when the last user before a time since the fault arrived, at least 0.
func sentBefore(c verdict.Case, since time.Duration) time.Duration {
	at := c.Marks.Fault + since
	i := sort.Search(len(c.Samples), func(i int) bool { return c.Samples[i].Sent >= at })
	if i == 0 {
		return 0
	}
	return max(c.Samples[i-1].Sent-c.Marks.Fault, 0)
}

// longest is the segment up to the recovery that is certainly the longest, if there is a
// recovery and such a segment.
func (a Anatomy) longest() *Segment {
	end := slices.IndexFunc(a.Moments, func(m Moment) bool { return m.What == servedAgainAt })
	if end < 3 { // what two parts are, the recovery time says
		return nil
	}
	segments := a.Segments[:end]
	best := slices.MaxFunc(segments, func(x, y Segment) int { return cmp.Compare(x.Lo, y.Lo) })
	for _, s := range segments {
		if s != best && s.Hi >= best.Lo {
			return nil
		}
	}
	return &best
}

// held is who holds a role, from a look on.
type held struct {
	before, at verdict.Seconds
	holders    []string
}

// roleMoments are those at which a role moved to another component, and those from which it
// had as many holders as before the fault.
func (r Report) roleMoments(fault time.Time) (moments []Moment) {
	looks := map[string][]held{}
	var names []string
	for _, e := range r.Events {
		if e.Kind != record.KindRole {
			continue
		}
		if looks[e.Role] == nil {
			names = append(names, e.Role)
		}
		h := held{at: verdict.Seconds(e.At.Sub(fault))}
		if h.before = h.at; e.Before != nil {
			h.before = verdict.Seconds(e.Before.Sub(fault))
		}
		if e.Component != "" {
			h.holders = strings.Split(e.Component, ", ")
		}
		looks[e.Role] = append(looks[e.Role], h)
	}
	for _, name := range names {
		moments = append(moments, momentsOf(name, looks[name])...)
	}
	return moments
}

func momentsOf(role string, all []held) (moments []Moment) {
	first := all[0]
	if first.at > 0 { // who held it before the fault was not seen
		return nil
	}
	fewer, moved := false, false
	for i, h := range all[1:] {
		other := slices.IndexFunc(h.holders, func(name string) bool { return !slices.Contains(first.holders, name) })
		m := Moment{Lo: max(h.before, 0), Hi: h.at}
		switch {
		case h.at <= 0:
			return nil // it moved before the fault, which is not what is looked for
		case len(h.holders) < len(first.holders):
			fewer = true
			continue
		case other >= 0 && !moved && len(first.holders) == 1:
			moved, m.moved = true, true
			m.What = fmt.Sprintf("role %s moved to %s", role, h.holders[other])
		case fewer && slices.IndexFunc(all[i+2:], func(later held) bool { return len(later.holders) < len(first.holders) }) < 0:
			m.What = "role " + role + " has a holder again"
			if len(first.holders) > 1 {
				m.What = fmt.Sprintf("role %s has all %d holders again", role, len(first.holders))
			}
		default:
			continue
		}
		fewer = false
		moments = append(moments, m)
	}
	return moments
}

// healthMoments are the first answers of health checks that the environment reports. They
// have its own clock, so that they are no part of any bounds of gameday.
func (r Report) healthMoments(fault time.Time) (moments []Moment) {
	seen := map[string]bool{}
	for _, e := range r.Events {
		status, ok := strings.CutPrefix(e.What, "health_status: ")
		at := verdict.Seconds(e.At.Sub(fault))
		if !ok || e.Kind != record.KindEngine || at <= 0 || !r.faulted(e.Component) {
			continue
		}
		what := fmt.Sprintf("health check of %s: %s (by the environment's clock)", e.Component, status)
		if !seen[what] {
			seen[what] = true
			moments = append(moments, Moment{What: what, Lo: at, Hi: at})
		}
	}
	return moments
}

func (r Report) faulted(component string) bool {
	return slices.ContainsFunc(r.Faults, func(s run.StepAccount) bool { return s.Component == component })
}

// Text is a segment with its bounds.
func (s Segment) Text() string { return s.From + " → " + s.To + ": " + s.Bounds() }

// Bounds are the shortest and the longest time that a segment can have taken.
func (s Segment) Bounds() string { return between(s.Lo, s.Hi) }

// Bounds are the earliest and the latest time of a moment.
func (m Moment) Bounds() string {
	if m.What == faultOrdered {
		return "0s"
	}
	return between(m.Lo, m.Hi)
}

func between(lo, hi verdict.Seconds) string {
	if short(&lo) == short(&hi) {
		return short(&hi)
	}
	return short(&lo) + " to " + short(&hi)
}

// Summary says which segment is the longest, or why that is not known.
func (a Anatomy) Summary() string {
	switch {
	case a.Longest != nil:
		return "The longest part of the recovery: " + a.Longest.Text() + "."
	case slices.ContainsFunc(a.Moments, func(m Moment) bool { return m.What == servedAgainAt }):
		return "Which part of the recovery was the longest is not certain: too little was seen between the first failed or slow request and the recovery, or the bounds overlap."
	}
	return "Service did not recover before the fault was reverted."
}

// text is the anatomy in one line, for a terminal.
func (a Anatomy) text() string {
	parts := make([]string, len(a.Moments))
	for i, m := range a.Moments {
		parts[i] = m.What + " " + m.Bounds()
	}
	text := strings.Join(parts, " → ")
	if a.Longest != nil {
		text += "; longest: " + a.Longest.Text()
	}
	return text
}
