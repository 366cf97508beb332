package session

import (
	"context"
	"sync"

	"github.com/gameday-dev/gameday/pkg/plan"
)

// Observed is a metric that a run would observe, with its value now.
type Observed struct {
	Name   string   `json:"name"`
	Unit   string   `json:"unit,omitempty"`
	Query  string   `json:"query"`
	Server string   `json:"server"`
	Value  *float64 `json:"value"`         // null if there is none
	Why    string   `json:"why,omitempty"` // there is none
}

// Observe asks for each metric of a plan once, at the same time. Secrets of the environment
// are taken out of its texts.
func Observe(ctx context.Context, p plan.Plan) ([]Observed, error) {
	secrets, err := p.Environment.Secrets()
	if err != nil {
		return nil, err
	}
	all := make([]Observed, len(p.Scenario.Observe))
	var asking sync.WaitGroup
	for i, m := range p.Scenario.Observe {
		asking.Go(func() {
			one := Observed{Name: secrets.Text(m.Name), Unit: m.Unit, Query: secrets.Text(m.Prometheus.Query), Server: secrets.Text(m.Prometheus.Server())}
			if value, err := m.Prometheus.Number(ctx); err != nil {
				one.Why = secrets.Text(err.Error())
			} else {
				one.Value = &value
			}
			all[i] = one
		})
	}
	asking.Wait()
	return all, nil
}
