package verdict_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// asking are polls of a condition: "firing" in [asked] is that it is met.
func holding(state func(at time.Duration) string) []verdict.Poll {
	return asked(sec, 70*sec, func(at time.Duration) string {
		switch s := state(at); s {
		case "?":
			return s
		case "broken":
			return "quiet"
		}
		return "firing"
	})
}

// broken is a condition that is not met from a moment to another one, and cannot be asked
// for from a moment to another one.
func broken(from, to, blind, sees time.Duration) func(time.Duration) string {
	return func(at time.Duration) string {
		switch {
		case at >= blind && at < sees:
			return "?"
		case at >= from && at < to:
			return "broken"
		}
		return "met"
	}
}

// conditioning is a run with a fault after 10 s, reverted after 40 s, that ends after 70 s.
func conditioning() verdict.Conditioning {
	return verdict.Conditioning{Struck: true, Fault: 10 * sec, Revert: new(40 * sec), End: 70 * sec}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	always := func(at time.Duration) string { return broken(0, 0, 0, 0)(at) }
	unstruck := verdict.Conditioning{Fault: 70 * sec, End: 70 * sec}
	healed := verdict.Conditioning{Struck: true, Fault: 10 * sec, End: 70 * sec}
	for name, c := range map[string]struct {
		moments verdict.Conditioning
		during  verdict.During
		again   time.Duration
		polls   []verdict.Poll
		want    verdict.Met
	}{
		"always met":                               {conditioning(), verdict.DuringAlways, 0, holding(always), verdict.IsMet},
		"broken once":                              {conditioning(), verdict.DuringAlways, 0, holding(broken(20*sec, 21*sec, 0, 0)), verdict.NotMet},
		"broken, and met again in time":            {conditioning(), verdict.DuringAlways, 10 * sec, holding(broken(20*sec, 25*sec, 0, 0)), verdict.IsMet},
		"broken for too long":                      {conditioning(), verdict.DuringAlways, 10 * sec, holding(broken(20*sec, 35*sec, 0, 0)), verdict.NotMet},
		"broken for about as long as it may":       {conditioning(), verdict.DuringAlways, 5 * sec, holding(broken(20*sec, 25*sec, 0, 0)), verdict.Unasked},
		"broken to the end":                        {conditioning(), verdict.DuringAlways, 10 * sec, holding(broken(20*sec, 90*sec, 0, 0)), verdict.NotMet},
		"broken to the end, not for long":          {conditioning(), verdict.DuringAlways, 30 * sec, holding(broken(60*sec, 90*sec, 0, 0)), verdict.Unasked},
		"broken before":                            {conditioning(), verdict.DuringAlways, 30 * sec, holding(broken(4*sec, 5*sec, 0, 0)), verdict.NotSteady},
		"broken before, asked during the fault":    {conditioning(), verdict.DuringFault, 30 * sec, holding(broken(4*sec, 5*sec, 0, 0)), verdict.NotSteady},
		"unknown before":                           {conditioning(), verdict.DuringAlways, 30 * sec, holding(broken(0, 0, 4*sec, 5*sec)), verdict.Unasked},
		"never asked":                              {conditioning(), verdict.DuringAlways, 30 * sec, nil, verdict.Unasked},
		"never an answer":                          {conditioning(), verdict.DuringAlways, 30 * sec, holding(broken(0, 0, 0, 90*sec)), verdict.Unasked},
		"no answer since the fault":                {conditioning(), verdict.DuringAlways, 10 * sec, holding(broken(0, 0, 12*sec, 90*sec)), verdict.Unasked},
		"one answer is missing":                    {conditioning(), verdict.DuringAlways, 0, holding(broken(0, 0, 12*sec, 13*sec)), verdict.Unasked},
		"answers are missing for less than it may": {conditioning(), verdict.DuringAlways, 20 * sec, holding(broken(0, 0, 12*sec, 18*sec)), verdict.IsMet},
		"missing, and broken for too long anyway":  {conditioning(), verdict.DuringAlways, 10 * sec, holding(broken(12*sec, 40*sec, 14*sec, 18*sec)), verdict.NotMet},
		"broken for too long, then missing":        {conditioning(), verdict.DuringAlways, 10 * sec, holding(broken(12*sec, 30*sec, 40*sec, 41*sec)), verdict.NotMet},
		"broken after, asked during the fault":     {conditioning(), verdict.DuringFault, 0, holding(broken(45*sec, 50*sec, 0, 0)), verdict.IsMet},
		"broken in the fault, asked after it":      {conditioning(), verdict.DuringAfter, 0, holding(broken(12*sec, 39*sec, 0, 0)), verdict.IsMet},
		"broken after, asked after it":             {conditioning(), verdict.DuringAfter, 0, holding(broken(12*sec, 44*sec, 0, 0)), verdict.NotMet},
		"mended after it, in time":                 {conditioning(), verdict.DuringAfter, 10 * sec, holding(broken(12*sec, 44*sec, 0, 0)), verdict.IsMet},
		"mended after it, late":                    {conditioning(), verdict.DuringAfter, 10 * sec, holding(broken(12*sec, 55*sec, 0, 0)), verdict.NotMet},
		"broken after, asked before":               {conditioning(), verdict.DuringBaseline, 0, holding(broken(12*sec, 44*sec, 0, 0)), verdict.IsMet},
		"nothing was broken":                       {unstruck, verdict.DuringAlways, 0, holding(always), verdict.IsMet},
		"nothing was broken, as it was not met":    {unstruck, verdict.DuringAlways, 0, holding(broken(4*sec, 90*sec, 0, 0)), verdict.NotSteady},
		"healed, asked after it":                   {healed, verdict.DuringAfter, 0, holding(broken(12*sec, 44*sec, 0, 0)), verdict.IsMet},
		"not healed, asked after it":               {healed, verdict.DuringAfter, 0, holding(broken(12*sec, 90*sec, 0, 0)), verdict.NotMet},
		"the record ends too early":                {conditioning(), verdict.DuringAlways, 0, holding(always)[:50], verdict.Unasked},
		"a gap":                                    {conditioning(), verdict.DuringAlways, 0, append(holding(always)[:30:30], holding(always)[36:]...), verdict.Unasked},
	} {
		found := c.moments.Judge(verdict.Condition{Name: "x", During: c.during, AgainWithin: c.again, Polls: c.polls})
		if found.Verdict != c.want || found.Verdict == verdict.Unasked && found.Reason == "" {
			t.Errorf("%s: %s (%s), expected %s: %v %v", name, found.Verdict, found.Reason, c.want, found.BrokenAt, found.Broken)
		}
	}
}

// drawBroken draws a condition, and polls of which some have no answer, with the truth.
func drawBroken(t *rapid.T) (c verdict.Condition, from, to time.Duration) {
	ms := func(label string, low, high int) time.Duration {
		return time.Duration(rapid.IntRange(low, high).Draw(t, label)) * time.Millisecond
	}
	from = ms("breaks", 10_100, 30_000)
	to = from + ms("lasts", 0, 30_000)
	c = verdict.Condition{Name: "x", During: verdict.DuringAlways, AgainWithin: ms("again", 0, 30_000)}
	misses := rapid.IntRange(0, 10).Draw(t, "misses")
	for at := time.Duration(0); at < 70*sec; at += ms("pause", 100, 1000) {
		p := verdict.Poll{Asked: at, Answered: at + ms("takes", 1, 900), Known: rapid.IntRange(0, 10).Draw(t, "known") >= misses}
		seen := p.Asked + time.Duration(rapid.Float64Range(0, 1).Draw(t, "seen")*float64(p.Answered-p.Asked))
		p.Holds = p.Known && (seen < from || seen >= to)
		c.Polls, at = append(c.Polls, p), p.Answered
	}
	return c, from, to
}

// What is said of a condition is true, whatever polls had no answer; a condition that was
// broken briefly may have been broken between two polls.
func TestConditionsAreJudgedTruly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, from, to := drawBroken(t)
		found := conditioning().Judge(c)
		lasted := to - from
		if found.Verdict == verdict.NotMet && lasted == 0 || found.Verdict == verdict.NotMet && c.AgainWithin > 0 && lasted < c.AgainWithin {
			t.Fatalf("not met for %v, and %v are allowed: %+v", lasted, c.AgainWithin, found)
		}
		if found.Verdict == verdict.IsMet && lasted > c.AgainWithin+2*sec {
			t.Fatalf("met, though not for %v of %v: %+v", lasted, c.AgainWithin, found)
		}
		in := func(what string, s *verdict.Span, truth time.Duration) {
			if s != nil && (s.Lo() > truth || s.Hi() < truth) {
				t.Fatalf("%s: %v is not between %v and %v", what, truth, s.Lo(), s.Hi())
			}
		}
		in("broken at", found.BrokenAt, from-10*sec)
		in("met again", found.Again, to-10*sec)
		in("broken", found.Broken, lasted)
	})
}

// Adding a condition never betters a verdict, and the order of conditions changes none.
func TestAConditionNeverBettersAVerdict(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		journeys := []verdict.Journey{{Name: "a", Critical: true, Verdict: verdict.Judge(drawCase(t))}}
		evidence := verdict.Evidence{
			NotInForce: rapid.Bool().Draw(t, "not in force"), NotFelt: rapid.Bool().Draw(t, "not felt"), Aborted: rapid.Bool().Draw(t, "aborted"),
		}
		if rapid.Bool().Draw(t, "writes") {
			evidence.Writes = &verdict.Writes{Missed: rapid.Bool().Draw(t, "missed"), Unproven: rapid.Bool().Draw(t, "unproven"), Observed: rapid.Bool().Draw(t, "observed")}
		}
		some := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) verdict.Conditioned {
			return verdict.Conditioned{Verdict: rapid.SampledFrom([]verdict.Met{verdict.IsMet, verdict.NotMet, verdict.NotSteady, verdict.Unasked}).Draw(t, "verdict")}
		}), 0, 4).Draw(t, "conditions")
		for i := range some {
			evidence.Conditions = some[:i]
			before := verdict.Combine(journeys, evidence)
			evidence.Conditions = some[:i+1]
			after := verdict.Combine(journeys, evidence)
			if verdict.Worst(after.Outcome, before.Outcome) > 0 {
				t.Fatalf("a condition that is %s turned %s %s into %s %s", some[i].Verdict, before.Outcome, before.Reason, after.Outcome, after.Reason)
			}
			if some[i].Verdict != verdict.IsMet && after.Outcome == verdict.Disproved {
				t.Fatalf("a condition that is %s, and the verdict is a pass", some[i].Verdict)
			}
		}
		evidence.Conditions = rapid.Permutation(some).Draw(t, "order")
		permuted := verdict.Combine(journeys, evidence)
		evidence.Conditions = some
		if was := verdict.Combine(journeys, evidence); was.Outcome != permuted.Outcome || was.Reason != permuted.Reason {
			t.Fatalf("%s %s, in another order %s %s", was.Outcome, was.Reason, permuted.Outcome, permuted.Reason)
		}
	})
}
