package sweep_test

import (
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/sweep"
	"github.com/gameday-dev/gameday/pkg/topology"
)

// Each step of a sweep is judged by the objective of the sweep.
func TestTheObjectiveOfEachStep(t *testing.T) {
	t.Parallel()
	step := sweep.Step{Node: topology.Node{Component: "db"}, Kind: "kill", Targets: []string{"db_1"}}
	s, err := step.Scenario(sweep.Experiment{Environment: "staging", RTO: 20 * time.Second, Within: 10 * time.Second, Good: 0.95}, fault.Specs())
	if err != nil {
		t.Fatal(err)
	}
	if o := s.Objective; o.RTO != 20*time.Second || o.Within != 10*time.Second || o.Good != 0.95 {
		t.Errorf("%+v", o)
	}
}
