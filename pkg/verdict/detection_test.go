package verdict_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// asked are polls of an alert every interval until an end, each of which takes a tenth of
// it. state says at a moment whether it fires; "?" means that the server does not answer.
func asked(every, end time.Duration, state func(at time.Duration) string) (polls []verdict.Poll) {
	for at := time.Duration(0); at < end; at += every {
		p := verdict.Poll{Asked: at, Answered: at + every/10, Known: true}
		switch state(at + every/20) {
		case "firing":
			p.Holds = true
		case "?":
			p.Known, p.Why = false, "connection refused"
		}
		polls = append(polls, p)
	}
	return polls
}

// between is an alert that fires from a moment to another one.
func between(from, to time.Duration) func(time.Duration) string {
	return func(at time.Duration) string {
		if at >= from && at < to {
			return "firing"
		}
		return "quiet"
	}
}

const sec = time.Second

// detecting is a run with a fault after 10 s that is reverted after 40 s: the first badly
// served user comes half a second after the fault.
func detecting(within time.Duration, polls []verdict.Poll) verdict.Detecting {
	return verdict.Detecting{
		Expected: []verdict.Expected{{Name: "Down", Within: within, ClearsWithin: 5 * sec, Polls: polls}},
		Struck:   true, Fault: 10 * sec, FirstBad: new(10*sec + sec/2), Revert: new(40 * sec),
	}
}

func TestDetection(t *testing.T) {
	t.Parallel()
	unaffected := func(d verdict.Detecting) verdict.Detecting {
		d.FirstBad, d.Unaffected = nil, true
		return d
	}
	dead := func(from time.Duration, state func(time.Duration) string) func(time.Duration) string {
		return func(at time.Duration) string {
			if at >= from {
				return "?"
			}
			return state(at)
		}
	}
	quiet := between(0, 0)
	for name, c := range map[string]struct {
		of      verdict.Detecting
		verdict verdict.Detected
		alert   verdict.Finding
		run     verdict.Finding
		stuck   bool // did-not-clear
	}{
		"in time":          {of: detecting(10*sec, asked(sec, 60*sec, between(14*sec, 42*sec))), verdict: verdict.InTime},
		"late":             {of: detecting(2*sec, asked(sec/5, 60*sec, between(14*sec, 42*sec))), verdict: verdict.DetectedLate, alert: verdict.AlertLate},
		"never":            {of: detecting(10*sec, asked(sec, 60*sec, quiet)), verdict: verdict.Missed, alert: verdict.NotDetected},
		"before the fault": {of: detecting(10*sec, asked(sec, 60*sec, between(5*sec, 60*sec))), verdict: verdict.Unknown, alert: verdict.AlreadyFiring},
		"before, and again": {of: detecting(10*sec, asked(sec, 60*sec, func(at time.Duration) string {
			if at < 5*sec {
				return between(2*sec, 5*sec)(at)
			}
			return between(14*sec, 42*sec)(at)
		})), verdict: verdict.InTime},
		"from the start":            {of: detecting(10*sec, asked(sec, 60*sec, between(0, 60*sec))), verdict: verdict.Unknown, alert: verdict.AlreadyFiring},
		"never an answer":           {of: detecting(10*sec, asked(sec, 60*sec, dead(0, quiet))), verdict: verdict.Unknown, alert: verdict.AlertUnknown},
		"no answer after the fault": {of: detecting(10*sec, asked(sec, 60*sec, dead(11*sec, quiet))), verdict: verdict.Unknown, alert: verdict.AlertUnknown},
		"never asked":               {of: detecting(10*sec, nil), verdict: verdict.Unknown, alert: verdict.AlertUnknown},
		"one answer is missing": {of: detecting(10*sec, asked(sec, 60*sec, func(at time.Duration) string {
			if at > 12*sec && at < 13*sec {
				return "?"
			}
			return "quiet"
		})), verdict: verdict.Unknown, alert: verdict.AlertUnknown},
		"an answer is missing after the limit": {of: detecting(10*sec, asked(sec, 60*sec, func(at time.Duration) string {
			if at > 22*sec && at < 23*sec {
				return "?"
			}
			return "quiet"
		})), verdict: verdict.Missed, alert: verdict.NotDetected},
		"between two polls":         {of: detecting(3*sec+sec/2+sec/50, asked(sec, 60*sec, between(14*sec, 42*sec))), verdict: verdict.Unknown, alert: verdict.AlertUnknown},
		"reverted before its time":  {of: detecting(60*sec, asked(sec, 60*sec, quiet)), verdict: verdict.Unknown, alert: verdict.AlertUnknown},
		"after the revert, in time": {of: detecting(60*sec, asked(sec, 60*sec, between(45*sec, 46*sec))), verdict: verdict.InTime},
		"stays":                     {of: detecting(10*sec, asked(sec, 60*sec, between(14*sec, 60*sec))), verdict: verdict.InTime, stuck: true},
		"clears late":               {of: detecting(10*sec, asked(sec, 60*sec, between(14*sec, 48*sec))), verdict: verdict.InTime, stuck: true},
		"watched too briefly to say that it stays": {of: detecting(10*sec, asked(sec, 43*sec, between(14*sec, 60*sec))), verdict: verdict.InTime},
		"unaffected, told":                         {of: unaffected(detecting(10*sec, asked(sec, 60*sec, between(14*sec, 42*sec)))), verdict: verdict.InTime},
		"unaffected, not told":                     {of: unaffected(detecting(10*sec, asked(sec, 60*sec, quiet))), verdict: verdict.Missed, alert: verdict.UnaffectedUnnoticed, run: verdict.UnaffectedUnnoticed},
		"unaffected, unknown":                      {of: unaffected(detecting(10*sec, asked(sec, 60*sec, dead(0, quiet)))), verdict: verdict.Unknown, alert: verdict.AlertUnknown},
		"unaffected, other alerts only":            {of: verdict.Detecting{Aside: 3, Struck: true, Fault: 10 * sec, Unaffected: true, Revert: new(40 * sec)}, verdict: verdict.Missed, run: verdict.UnaffectedUnnoticed},
		"down, other alerts only":                  {of: verdict.Detecting{Aside: 3, Struck: true, Fault: 10 * sec, FirstBad: new(11 * sec)}, verdict: verdict.Missed, run: verdict.NotDetected},
		"no fault":                                 {of: verdict.Detecting{Aside: 3, Fault: 10 * sec}, verdict: verdict.Unknown},
		"no fault in force": {of: func() verdict.Detecting {
			d := unaffected(detecting(10*sec, asked(sec, 60*sec, quiet)))
			d.Struck = false
			return d
		}(), verdict: verdict.Unknown},
	} {
		found := verdict.Detect(c.of)
		if found.Verdict != c.verdict || found.Finding != c.run {
			t.Errorf("%s: %s %s, expected %s %s: %+v", name, found.Verdict, found.Finding, c.verdict, c.run, found.Alerts)
		}
		for _, a := range found.Alerts {
			if a.Finding != c.alert || a.DidNotClear != c.stuck || a.Verdict == verdict.Unknown && a.Reason == "" {
				t.Errorf("%s: %s (%s), did not clear: %v; expected %s", name, a.Finding, a.Reason, a.DidNotClear, c.alert)
			}
		}
	}
	if verdict.Detect(verdict.Detecting{Struck: true}) != nil {
		t.Error("a verdict about alerts that nothing declares")
	}
}

// The bounds of a detection contain the moment at which the alert began to fire, whatever
// the moments of polls, and what answers are missing.
func TestBoundsOfADetectionContainTheTruth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ms := func(label string, low, high int) time.Duration {
			return time.Duration(rapid.IntRange(low, high).Draw(t, label)) * time.Millisecond
		}
		truth := ms("fires", 10_001, 39_000)
		within := ms("within", 500, 30_000)
		var polls []verdict.Poll
		for at := ms("first", 0, 1000); at < 60*sec; at += ms("pause", 50, 1000) {
			p := verdict.Poll{Asked: at, Answered: at + ms("takes", 1, 2000), Known: rapid.IntRange(0, 20).Draw(t, "known") > 0}
			seen := p.Asked + time.Duration(rapid.Float64Range(0, 1).Draw(t, "seen")*float64(p.Answered-p.Asked))
			p.Holds = p.Known && seen >= truth
			polls = append(polls, p)
			at = p.Answered
		}
		d := detecting(within, rapid.Permutation(polls).Draw(t, "order"))
		a := verdict.Detect(d).Alerts[0]
		if a.Detected != nil && (*d.FirstBad+a.Detected.Lo() > truth || *d.FirstBad+a.Detected.Hi() < truth) {
			t.Fatalf("it fired %v after the first user, and the bounds are %v to %v", truth-*d.FirstBad, a.Detected.Lo(), a.Detected.Hi())
		}
		if a.SinceFault != nil && (d.Fault+a.SinceFault.Lo() > truth || d.Fault+a.SinceFault.Hi() < truth) {
			t.Fatalf("it fired %v after the fault, and the bounds are %v to %v", truth-d.Fault, a.SinceFault.Lo(), a.SinceFault.Hi())
		}
		inTime := truth-*d.FirstBad <= within
		if a.Verdict == verdict.InTime && !inTime || (a.Verdict == verdict.Missed || a.Verdict == verdict.DetectedLate) && inTime {
			t.Fatalf("it fired after %v with a limit of %v: %+v", truth-*d.FirstBad, within, a)
		}
	})
}
