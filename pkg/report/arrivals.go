package report

import (
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// lateness is how late users of each journey of the run were sent.
type lateness map[string]*tally

func latenessOf(s scenario.Scenario) lateness {
	all := lateness{}
	for _, l := range s.Load {
		all[l.Name()] = newTally(l.Name())
	}
	return all
}

// add ignores users of other journeys: a damaged record may name millions of them.
func (all lateness) add(s record.Sample) {
	if t := all[s.Journey]; t != nil {
		t.add(max(s.Late, 0), false)
	}
}

// of is nil if it was not measured: no user is sent at the very nanosecond.
func (all lateness) of(journey string) *Lateness {
	t := all[journey]
	if t == nil || t.max == 0 {
		return nil
	}
	f := t.figures()
	return &Lateness{P50: f.P50, P99: f.P99, Max: f.Max}
}

// retries are those of the fault phase; nil if there were none.
func retries(c verdict.Case) *Retries {
	phaseOf := c.PhaseOf()
	var r Retries
	users, raw := 0, 0
	for _, s := range c.Samples {
		if phaseOf(s) != verdict.PhaseFault {
			continue
		}
		users++
		if bad := c.Bad(s); bad || s.Retried {
			raw++
			if s.Retried {
				r.Users++
				if bad {
					r.Bad++
				}
			}
		}
	}
	if r.Users == 0 {
		return nil
	}
	r.RawBad = float64(raw) / float64(users)
	return &r
}

// facts are what is to be known about how users of a journey arrived, and were retried.
func (l Load) facts(add func(name, format string, args ...any)) {
	if l.aboutClient != "" {
		add("Client", "%s: %s", l.Journey, l.aboutClient)
	}
	if l.Arrivals != "" {
		add("Load", "%s: %s", l.Journey, l.Arrivals)
	}
	if late := l.Lateness; late != nil {
		add("Arrivals", "%s: the load generator started users %s later than scheduled (median), p99 %s, at most %s", l.Journey, brief(late.P50), brief(late.P99), brief(late.Max))
	}
	if r := l.Retries; r != nil {
		add("Retries", "%s: %s users needed a retry during the fault, %s of them failed or were slow in the end; without retries %s of all users would have",
			l.Journey, thousands(r.Users), thousands(r.Bad), Percent(r.RawBad))
	}
	if storm := l.storm(); storm != "" {
		add("Requests", "%s", storm)
	}
}

// brief is a time of which microseconds count.
func brief(s verdict.Seconds) string {
	d := s.Duration()
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return fmt.Sprint(d.Round(time.Millisecond))
}
