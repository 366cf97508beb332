package run

import (
	"context"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// valuesOfAnHour is how many values of a metric an hour's run keeps.
const valuesOfAnHour = 3600

// ObserveEvery is how often a metric is asked for, by the time since the run began: every
// second for an hour, and then ever less often, so that a run of any length keeps few values.
func ObserveEvery(since time.Duration) time.Duration {
	return max(time.Hour/valuesOfAnHour, since/valuesOfAnHour)
}

func metricQuestion(n int, m scenario.Metric) question {
	return question{
		of: record.PollMetric, n: n, every: ObserveEvery,
		ask: func(ctx context.Context, p *record.Poll) {
			value, err := m.Prometheus.Number(ctx)
			if err != nil {
				p.Why = err.Error()
				return
			}
			p.Value = &value
		},
		changed: func(p record.Poll) string {
			if state(p) == noAnswer {
				return "metric " + m.Name + " has no value: " + p.Why
			}
			return "metric " + m.Name + " has values"
		},
	}
}

// show tells those who watch the run that the answer of a question has changed. A metric is
// in the record with its values alone, so that it changes nothing else of a report.
func (r *conduct) show(q question, p record.Poll) {
	e := record.Event{At: p.Answered, Kind: record.KindOutside, What: q.changed(p)}
	if q.of != record.PollMetric {
		r.tell(e)
		return
	}
	e.What = r.Record.Clean(e.What)
	r.Observe(Update{Event: &e})
}

// Reading is one answer of a metric, or why there was none. Times are since the baseline's
// mark, on the run's own clock: the value is drawn at Answered.
type Reading struct {
	Asked, Answered time.Duration
	Value           *float64 // finite; nil if there was no value
	Why             string
}

// Readings are the answers of the n-th metric of the scenario, in the order in which they were
// given. Those of before the baseline are left out, as users of then are.
func (f Folder) Readings(n int) (all []Reading, err error) {
	for _, p := range f.Polls {
		if p.Of != record.PollMetric || p.N != n {
			continue
		}
		asked, answered, err := f.moments(p)
		if err != nil {
			return nil, err
		}
		if answered >= 0 {
			all = append(all, Reading{Asked: asked, Answered: answered, Value: p.Value, Why: p.Why})
		}
	}
	return all, nil
}
