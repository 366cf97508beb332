package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A terminal that stands still (Ctrl-S, screen's copy mode, a laptop asleep at the other end
// of ssh), and a pager that is not read: the run goes on. It tells its view what happens
// between the fault and its revert, and SIGINT is not heard in between.
func TestAViewThatNobodyReadsHoldsNoRun(t *testing.T) {
	t.Setenv("TERM", "xterm")
	for name, open := range map[string]func(t *testing.T) *os.File{ //nolint:paralleltest // a variable is set
		"a pager": func(t *testing.T) *os.File {
			t.Helper()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _, _ = r.Close(), w.Close() })
			return w
		},
		"a terminal": func(t *testing.T) *os.File {
			t.Helper()
			return Terminal(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := newView(open(t), scenario.Scenario{}, run.NewMeter(verdict.Objective{}.WithDefaults()))
			told, n := make(chan struct{}), 0
			go func() {
				defer close(told)
				for end := time.Now().Add(4 * time.Second); time.Now().Before(end); n++ {
					v.observe(run.Update{Phase: run.Watch, For: time.Minute})
					v.observe(run.Update{Event: &record.Event{At: time.Now(), Kind: record.KindEngine, Component: "db", What: fmt.Sprintf("health_status: unhealthy (%0100d)", n)}})
					<-time.After(time.Millisecond)
				}
			}()
			select {
			case <-told:
			case <-time.After(10 * time.Second):
				t.Errorf("the run is held: after some %d events it waits for its view", n)
			}
		})
	}
}
