package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Requests are the requests that users of a journey sent in a phase.
type Requests struct {
	Phase   string `json:"phase"`
	Sent    int    `json:"sent"`    // retries included; a step with poll: counts as one
	Retries int    `json:"retries"` // those that repeat a failed one
}

// factor is how many times as many requests were sent as without retries.
func (r Requests) factor() float64 { return float64(r.Sent) / float64(max(r.Sent-r.Retries, 1)) }

// phasing are the moments between which steps are counted.
type phasing struct{ baseline, fault, end time.Time }

func phasingOf(f run.Folder) phasing {
	end, _ := f.FaultEnded()
	return phasing{baseline: f.Marks[record.MarkBaseline], fault: f.Marks[record.MarkFault], end: end}
}

// of is the place of a request's phase in [phaseNames].
func (p phasing) of(sent time.Time) int {
	switch {
	case p.fault.IsZero() || sent.Before(p.fault):
		return 0
	case p.end.IsZero() || sent.Before(p.end):
		return 1
	}
	return 2
}

func phaseNames() [3]string {
	return [3]string{verdict.PhaseBaseline, verdict.PhaseFault, verdict.PhaseRepair}
}

// requests are those of a journey in each phase; nil if none of them was a retry, or not all
// of them were counted.
func requests(journey string, steps []*tally) (all []Requests) {
	if len(steps) >= maxSteps {
		return nil
	}
	names := make(map[string]bool, len(steps))
	for _, t := range steps {
		names[t.name] = true
	}
	var sent, retries [3]int
	for _, t := range steps {
		if _, ok := cutJourney(t.name, journey); !ok {
			continue
		}
		for i, n := range t.phases {
			sent[i] += n
			if step, ok := record.CutAttempt(t.name); ok && names[step] { // else a step has such a name
				retries[i] += n
			}
		}
	}
	if retries == [3]int{} {
		return nil
	}
	for i, name := range phaseNames() {
		if sent[i] > 0 {
			all = append(all, Requests{name, sent[i], retries[i]})
		}
	}
	return all
}

// storm says how many more requests retries made during the fault than before it, or "".
func (l Load) storm() string {
	before := ""
	for _, r := range l.Requests {
		switch r.Phase {
		case verdict.PhaseBaseline:
			before = fmt.Sprintf(" (%.2f times before it)", r.factor())
		case verdict.PhaseFault:
			return fmt.Sprintf("%s: %s requests were sent during the fault, %s of them retries: %.2f times as many as without retries%s",
				l.Journey, thousands(r.Sent), thousands(r.Retries), r.factor(), before)
		}
	}
	return ""
}

// kinds are the loads of the journey that decided, each of another kind of client, with their
// verdicts: the worst first. There are none if all its users are of one kind.
func (r Report) kinds() (all []clientVerdict) {
	deciding := ""
	for _, l := range r.Load {
		if l.Journey == r.Deciding {
			deciding = l.walks()
		}
	}
	for _, l := range r.Load {
		for _, j := range r.Journeys {
			if l.Client != "" && l.walks() == deciding && j.Name == l.Journey {
				all = append(all, clientVerdict{l, j.Verdict})
			}
		}
	}
	if len(all) < 2 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b clientVerdict) int { return verdict.Compare(a.Verdict, b.Verdict) })
	return all
}

// clientVerdict is a load of one kind of client, with its verdict.
type clientVerdict struct {
	Load
	verdict.Verdict
}

// walks is the journey of the load, without its client.
func (l Load) walks() string { return strings.TrimSuffix(l.Journey, " ("+l.Client+")") }

// walkedBy says which client program walks the journey.
func (l *Load) walkedBy(c probe.Client) {
	l.Client, l.ClientKind, l.ClientSettings, l.aboutClient = c.Label(), c.Kind, c.Settings(), c.About()
}

// clientSentence says what became of each kind of client, the worst first, and which share of
// users retries served; "" if there is neither, or no verdict on users.
func clientSentence(r Report) string {
	if r.Outcome == verdict.Aborted || r.Outcome == verdict.Inconclusive {
		return ""
	}
	var words []string
	for _, k := range r.kinds() {
		words = append(words, k.fared())
	}
	if len(words) == 0 {
		return r.onlyRetried()
	}
	return " By kind of client, the worst first: " + strings.Join(words, ", ") + "."
}

// onlyRetried says that the users of the journey that decided were served by the retries of
// their client, which hid the failures from them; "" if they were not.
func (r Report) onlyRetried() string {
	for _, l := range r.Load {
		if share := l.rescued(); l.Journey == r.Deciding && share != "" {
			return " During the fault, " + share + " of users were served only by a retry of their client."
		}
	}
	return ""
}

// rescued is the share of a retrier's users who were served only by a retry during the fault;
// "" if there are none. A retry: of a step is what the product does, and no client's.
func (l Load) rescued() string {
	r := l.Retries
	if l.ClientKind != probe.Retrier || r == nil || r.Users == r.Bad {
		return ""
	}
	for _, phase := range l.Phases {
		if phase.Name == verdict.PhaseFault && phase.N > 0 {
			return Percent(float64(r.Users-r.Bad) / float64(phase.N))
		}
	}
	return ""
}

// fared is what became of one kind of client.
func (k clientVerdict) fared() string {
	var about []string
	if k.Client != k.ClientKind {
		about = append(about, k.ClientKind)
	}
	if share := k.rescued(); share != "" {
		about = append(about, share+" of its users were served only by a retry")
	}
	text := k.Client + " "
	if len(about) > 0 {
		text += "(" + strings.Join(about, ", ") + ") "
	}
	switch {
	case k.Outcome == verdict.Inconclusive:
		return text + "inconclusive (" + string(k.Reason) + ")"
	case k.State == verdict.Unaffected:
		return text + "had no outage"
	case k.State == verdict.Impaired:
		return text + "had too many failed or slow requests"
	case k.Recovery != nil:
		return text + "recovered after " + short(k.Recovery)
	case k.AtLeast != nil:
		return text + "did not recover (down for at least " + short(k.AtLeast) + ")"
	}
	return text + "was hit"
}

// clientFacts are the recovery of each kind of client.
func clientFacts(r Report, add func(name, format string, args ...any)) {
	for _, k := range r.kinds() {
		name, text := k.Client, Recovery(k.Verdict, r.Objective.RTO)
		if name != k.ClientKind {
			name += " (" + k.ClientKind + ")"
		}
		if share := k.rescued(); share != "" {
			text += "; " + share + " of its users during the fault were served only by a retry"
		}
		add("Client", "%s: %s", name, text)
	}
}
