package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Detected is the verdict of detection: whether the declared alerts told of a fault in
// time. It changes no verdict about recovery.
type Detected string

// The verdicts of detection. The first of these that fits an alert is that of a run.
const (
	Missed       Detected = "missed"
	DetectedLate Detected = "late"
	Unknown      Detected = "unknown"
	InTime       Detected = "detected"
)

// Finding is the name of what was found wrong about detection.
type Finding string

// The findings.
const (
	AlertLate           Finding = "alert-late"           // it fired after its limit
	NotDetected         Finding = "not-detected"         // it did not fire
	AlreadyFiring       Finding = "already-firing"       // it fired before the fault, so it tells nothing of it
	AlertUnknown        Finding = "alert-unknown"        // it could not be asked for, or the limit is between two polls
	DidNotClear         Finding = "did-not-clear"        // it fired for too long after the revert
	UnaffectedUnnoticed Finding = "unaffected-unnoticed" // no user noticed the fault, and no alert told of it
)

// Expected is an alert that is expected to fire because of the fault.
type Expected struct {
	Name         string
	Within       time.Duration // of the first failed or slow user, or of the fault if there was none
	ClearsWithin time.Duration // of the revert; 0 if that is not asked
	Polls        []Poll
}

// Detecting is what a run's detection is judged by. Moments are on the scale of
// [Sample.Sent].
type Detecting struct {
	Expected []Expected
	// Aside is how many other alerts are declared that are not about what was faulted.
	Aside      int
	Struck     bool           // a fault was ordered, at Fault, and was in force or felt
	Fault      time.Duration  // (f)
	FirstBad   *time.Duration // the first failed or slow user; nil if there was none
	Revert     *time.Duration // (v); nil if nothing was reverted
	Unaffected bool           // no outage was observed for the RTO
}

// Detection is what became of the declared alerts.
type Detection struct {
	Verdict Detected  `json:"verdict"`
	Finding Finding   `json:"finding,omitempty"` // about the run as a whole
	Alerts  []Alerted `json:"alerts"`
}

// Alerted is what became of one alert. A nil figure was not observed.
type Alerted struct {
	Name    string   `json:"alert"`
	Verdict Detected `json:"verdict"`
	Finding Finding  `json:"finding,omitempty"`
	Reason  string   `json:"reason,omitempty"` // why it is unknown
	Within  Seconds  `json:"within_s"`
	// Detected is when it fired, since the first failed or slow user: at least, at most. It is
	// negative if the alert was earlier.
	Detected *Span `json:"detected_s"`
	// SinceFault is when it fired, since the fault was ordered.
	SinceFault   *Span    `json:"since_fault_s"`
	ClearsWithin *Seconds `json:"clears_within_s,omitempty"`
	// Cleared is when it had stopped firing for good, since the revert.
	Cleared     *Span `json:"cleared_s"`
	DidNotClear bool  `json:"did_not_clear,omitempty"`
}

// Detect judges detection; nil if no alert is declared.
func Detect(d Detecting) *Detection {
	if len(d.Expected) == 0 && d.Aside == 0 {
		return nil
	}
	found := Detection{Verdict: InTime, Alerts: make([]Alerted, len(d.Expected))}
	fired := false
	for i, e := range d.Expected {
		a := d.alert(e)
		found.Alerts[i] = a
		found.Verdict = worse(found.Verdict, a.Verdict)
		fired = fired || a.Verdict != Missed
	}
	switch {
	case len(d.Expected) == 0 && !d.Struck:
		found.Verdict = Unknown
	case len(d.Expected) == 0:
		found.Verdict, found.Finding = Missed, NotDetected
	}
	if d.Struck && d.Unaffected && !fired {
		found.Finding = UnaffectedUnnoticed
	}
	return &found
}

// worse is the verdict of two alerts together.
func worse(a, b Detected) Detected {
	order := []Detected{Missed, DetectedLate, Unknown, InTime}
	if slices.Index(order, b) < slices.Index(order, a) {
		return b
	}
	return a
}

// alert judges one alert.
func (d Detecting) alert(e Expected) Alerted {
	e.Polls = inOrder(e.Polls)
	a := Alerted{Name: e.Name, Verdict: InTime, Within: Seconds(e.Within)}
	if e.ClearsWithin > 0 {
		a.ClearsWithin = new(Seconds(e.ClearsWithin))
	}
	unknown := func(finding Finding, format string, args ...any) Alerted {
		a.Verdict, a.Finding, a.Reason = Unknown, finding, fmt.Sprintf(format, args...)
		return a
	}
	if !d.Struck {
		a.Verdict, a.Reason = Unknown, "no fault was in force"
		return a
	}
	if !slices.ContainsFunc(e.Polls, func(p Poll) bool { return p.Known }) {
		return unknown(AlertUnknown, "%s", cmp.Or(lastWhy(e.Polls), "it was never asked for"))
	}
	before, quiet, firing := d.firing(e.Polls)
	if before {
		return unknown(AlreadyFiring, "it was firing when the fault was injected")
	}
	limit := d.origin() + e.Within
	hole := d.hole(e, limit)
	if firing < 0 {
		return d.silent(a, e, hole, limit)
	}
	if quiet < 0 {
		return unknown(AlertUnknown, "there was no answer before it fired: %s", lastWhy(e.Polls[:firing]))
	}
	at := Span{Seconds(max(e.Polls[quiet].Asked, d.Fault)), Seconds(e.Polls[firing].Answered)}
	a.SinceFault = at.since(d.Fault)
	if d.FirstBad != nil {
		a.Detected = at.since(*d.FirstBad)
	}
	d.cleared(&a, e)
	switch {
	case at.Hi() <= limit:
	case at.Lo() > limit && hole == "":
		a.Verdict, a.Finding = DetectedLate, AlertLate
	case at.Lo() > limit:
		return unknown(AlertUnknown, "it may have fired before: %s", hole)
	default:
		return unknown(AlertUnknown, "its limit lies between two polls")
	}
	return a
}

// origin is the moment from which the limit of an alert counts.
func (d Detecting) origin() time.Duration {
	if d.FirstBad != nil {
		return *d.FirstBad
	}
	return d.Fault
}

// firing finds the first poll since the fault with the alert, and the last one without it
// before that; -1 if there is none. before is whether the alert fired already when the
// fault was ordered.
func (d Detecting) firing(polls []Poll) (before bool, quiet, firing int) {
	quiet = -1
	for i, p := range polls {
		switch {
		case !p.Known:
		case !p.Holds:
			before, quiet = false, i
		case p.Answered <= d.Fault:
			before = true
		default:
			return before, quiet, i
		}
	}
	return before, quiet, -1
}

// hole says why the alert may have fired unseen between the fault and its limit, or "".
func (d Detecting) hole(e Expected, limit time.Duration) string {
	longest := max(2*time.Second, e.Within/5)
	last := time.Duration(0)
	for i, p := range e.Polls {
		if p.Asked > limit {
			break
		}
		if p.Answered <= d.Fault {
			last = p.Asked
			continue
		}
		if !p.Known {
			return p.Why
		}
		if i > 0 && p.Asked-last > longest {
			return fmt.Sprintf("it was not asked for during %v", (p.Asked - last).Round(time.Millisecond))
		}
		last = p.Answered
	}
	return ""
}

// silent judges an alert that was never seen firing.
func (d Detecting) silent(a Alerted, e Expected, hole string, limit time.Duration) Alerted {
	a.Verdict, a.Finding = Missed, NotDetected
	if d.Unaffected {
		a.Finding = UnaffectedUnnoticed
	}
	seen := time.Duration(0) // until then it was seen not to fire, while the fault lasted
	for _, p := range e.Polls {
		if p.Known {
			seen = p.Asked
		}
	}
	if d.Revert != nil {
		seen = min(seen, *d.Revert)
	}
	switch {
	case hole != "":
		a.Verdict, a.Finding, a.Reason = Unknown, AlertUnknown, hole
	case seen < limit:
		a.Verdict, a.Finding = Unknown, AlertUnknown
		a.Reason = fmt.Sprintf("the fault was observed for %v of the %v within which it has to fire: use a longer watch",
			max(seen-d.origin(), 0).Round(time.Millisecond), e.Within)
	}
	return a
}

// cleared adds when an alert stopped firing for good, if something was reverted.
func (d Detecting) cleared(a *Alerted, e Expected) {
	if d.Revert == nil {
		return
	}
	last := -1
	for i, p := range e.Polls {
		if p.Known && p.Holds {
			last = i
		}
	}
	over := *d.Revert
	for _, p := range e.Polls[last+1:] {
		if p.Known {
			a.Cleared = Span{Seconds(e.Polls[last].Asked), Seconds(p.Answered)}.since(over)
			break
		}
	}
	a.DidNotClear = e.ClearsWithin > 0 && e.Polls[last].Asked > over+e.ClearsWithin
}

// lastWhy is why the last of the polls had no answer.
func lastWhy(polls []Poll) string {
	for _, p := range slices.Backward(polls) {
		if !p.Known {
			return p.Why
		}
	}
	return ""
}

// ExitCode is the exit code of a command, if the alerts are required: 0 detected, 1 late or
// missed, 3 unknown.
func (d Detected) ExitCode() int {
	switch d {
	case InTime:
		return Disproved.ExitCode()
	case DetectedLate, Missed:
		return Proven.ExitCode()
	case Unknown:
	}
	return Inconclusive.ExitCode()
}
