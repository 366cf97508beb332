package run_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/target"
)

// An order that was not answered, and a component that somebody else (a person, autoheal, its
// restart policy) starts anew before the order is carried out: it still comes.
func TestALateOrderToAComponentThatWasRestarted(t *testing.T) {
	t.Parallel()
	const late = 8 * time.Second
	for _, stopped := range []time.Duration{0, 3 * time.Second} { // how long it was down for that
		order := func(w *world) {
			time.AfterFunc(2*time.Second, func() {
				if stopped > 0 {
					w.set(target.Stopped)
				}
			})
			time.AfterFunc(2*time.Second+stopped, func() { w.set(target.Running) })
			time.AfterFunc(late, func() { w.set(target.Stopped) })
		}
		t.Run(fmt.Sprintf("the run, %v", stopped), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDay(t)
				d.world.OnKill = func() error { order(d.world); return context.DeadlineExceeded }
				account, err := d.conduct(t.Context(), t)
				<-time.After(time.Minute)
				if err != nil || d.world.state() != target.Running {
					t.Errorf("%+v %v, %s, left in the journal: %v", account.Steps, err, d.world.state(), d.journal.Pending())
				}
			})
		})
		t.Run(fmt.Sprintf("undo, %v", stopped), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				path := p.ordered(t)
				order(p.world)
				undone, err := run.Replay{StateDir: p.home, Open: open, Note: p.said.add}.One(t.Context(), path)
				<-time.After(time.Minute)
				if undone != 1 || err != nil || p.state() != target.Running {
					t.Errorf("%d undone, %v, %s, journals %v", undone, err, p.state(), p.journals(t))
				}
			})
		})
	}
}
