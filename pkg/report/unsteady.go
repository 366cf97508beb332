package report

import (
	"fmt"
	"slices"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// beforehand are the users of a journey before the fault who were slower than the objective
// allows, or failed.
type beforehand struct{ slow, failed int }

// unsteady says what users met before the fault, if it is why a run is inconclusive, or would
// be. It is "" if the report does not have these figures.
func (r Report) unsteady() string {
	i := slices.IndexFunc(r.Load, func(l Load) bool { return l.Journey == r.Deciding })
	if i < 0 {
		return ""
	}
	l := r.Load[i]
	p := slices.IndexFunc(l.Phases, func(f Figures) bool { return f.Name == verdict.PhaseBaseline })
	if p < 0 || l.before.slow+l.before.failed == 0 {
		return ""
	}
	all, slow, failed := l.Phases[p], l.before.slow, l.before.failed
	if r.Reason != verdict.BaselineNotSteady && slow+failed <= verdict.Allowance(all.N, r.Objective.Good) {
		return ""
	}
	if slow > failed {
		return fmt.Sprintf("%s were slower than within: %s before the fault%s (median %s, p99 %s): raise within:, or lower rate:",
			shareOfUsers(slow, all.N), r.Objective.Within, also(failed, "failed"), short(&all.P50), short(&all.P99))
	}
	return fmt.Sprintf("%s failed before the fault%s: fix what causes the errors of journey %s, then run again",
		shareOfUsers(failed, all.N), also(slow, map[bool]string{true: "was slow", false: "were slow"}[slow == 1]), l.Journey)
}

// also is what befell others, or "" if there are none.
func also(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", and %s %s", thousands(n), what)
}
