package run_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/target"
)

// A guard that has died and whose replacement never says that it is ready (its engine does
// not answer, it was stopped): the run ends and puts back what it broke, and a person can end it.
func TestAGuardWhoseReplacementHangs(t *testing.T) {
	t.Parallel()
	for name, dies := range map[string]time.Duration{"before the fault": 5 * time.Second, "in the watch": 20 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, m := newPlace(t), &mortal{kill: make(chan struct{})}
				day := p.day(t, "staging")
				hangs := make(chan struct{})
				day.Guard = func(path string) (run.Guardian, error) {
					if m.started == 1 {
						<-hangs
					}
					return m.start(path)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(dies, func() { m.kill <- struct{}{} })
				time.AfterFunc(2*time.Minute, cancel) // a person
				began := time.Now()
				release := sync.OnceFunc(func() { close(hangs) })
				time.AfterFunc(10*time.Minute, release)
				defer func() { release(); synctest.Wait() }()
				_, err := day.Run(ctx)
				if took := time.Since(began); took > 3*time.Minute {
					t.Errorf("the run could not be ended for %v (%v)", took, err)
				}
				if p.state() != target.Running {
					t.Error(p.state())
				}
			})
		})
	}
}
