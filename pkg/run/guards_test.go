package run_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/target"
)

// mortal are guards that the test kills.
type mortal struct {
	started int
	kill    chan struct{}
	refuse  error // to start another one
}

func (m *mortal) start(string) (run.Guardian, error) {
	if m.started++; m.started > 1 && m.refuse != nil {
		return run.Guardian{}, m.refuse
	}
	ended, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-m.kill:
		case <-left:
		}
	}()
	return run.Guardian{PID: 1000 + m.started, Leave: func() { close(left) }, Ended: ended}, nil
}

// A guard that is killed in a run is replaced, and the run goes on. If no other one can be
// started, the run ends and says why: it would leave what it broke if it died itself (L3).
func TestAGuardThatIsKilled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refuse  error
		kills   int
		started int
		aborted string
	}{
		"once":                     {nil, 1, 2, ""},
		"another one cannot start": {errors.New("no more processes"), 1, 2, "the guard, process 1001, has died and could not be replaced: no more processes"},
		"each of them":             {nil, 10, 4, "too many guards have died"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, m := newPlace(t), &mortal{kill: make(chan struct{}), refuse: c.refuse}
				day := p.day(t, "staging")
				day.Guard = m.start
				ended := make(chan struct{})
				defer func() { close(ended); synctest.Wait() }()
				go func() {
					<-time.After(20 * time.Second) // in the watch
					for range c.kills {
						select {
						case m.kill <- struct{}{}:
						case <-ended:
							return
						}
					}
				}()
				dir, err := day.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				f, err := run.Open(dir)
				if err != nil || m.started != c.started || (f.Meta.Aborted != "") != (c.aborted != "") || !strings.Contains(f.Meta.Aborted, c.aborted) {
					t.Errorf("%d guards, aborted %q, %v", m.started, f.Meta.Aborted, err)
				}
				if p.state() != target.Running || len(p.journals(t)) > 0 {
					t.Errorf("%s, %v", p.state(), p.journals(t))
				}
				if c.refuse == nil && p.said.index("the guard (process 1001) died and was replaced by process 1002") < 0 {
					t.Errorf("%q", p.said.lines)
				}
			})
		})
	}
}

// What the guard does at the end changes nothing about the run: it is told, and not waited
// for while it goes on trying (L1).
func TestAGuardThatGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, m := newPlace(t), &mortal{kill: make(chan struct{})}
		p.OnStart = func() error { return errors.New("no space left on device") }
		day := p.day(t, "staging")
		day.Guard = func(path string) (run.Guardian, error) {
			g, err := m.start(path)
			g.Leave = func() {} // it does not end
			return g, err
		}
		var ended time.Time
		day.Report = func(string) error { ended = time.Now(); return nil }
		_, err := day.Run(t.Context())
		if !errors.Is(err, run.ErrNotPutBack) || p.said.index("the guard (process 1001) keeps trying to undo the faults, for at most 10m0s") < 0 {
			t.Errorf("%v %q", err, p.said.lines)
		}
		if took := time.Since(ended); took > 40*time.Second {
			t.Errorf("the run waited %v", took)
		}
		close(m.kill)
	})
}

// While a guard that has died is being replaced, no fault is ordered: for as long, nothing
// would undo it if the run died too.
func TestNoFaultWithoutAGuard(t *testing.T) {
	t.Parallel()
	for name, takes := range map[string]time.Duration{"it is replaced": 8 * time.Second, "it is not": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, m := newPlace(t), &mortal{kill: make(chan struct{})}
				day := p.day(t, "staging")
				var killed, replaced, struck time.Time
				day.Guard = func(path string) (run.Guardian, error) {
					if m.started > 0 {
						<-time.After(takes)
						replaced = time.Now()
					}
					return m.start(path)
				}
				day.Observe = func(u run.Update) {
					if u.Phase == run.Inject { // the last moment before the order
						killed = time.Now()
						m.kill <- struct{}{}
						synctest.Wait()
					}
				}
				p.OnKill = func() error { struck = time.Now(); return nil }
				dir, err := day.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				f, err := run.Open(dir)
				if err != nil {
					t.Fatal(err)
				}
				if takes > time.Minute {
					if !struck.IsZero() || !strings.Contains(f.Meta.Aborted, "could not be replaced") {
						t.Errorf("a fault was ordered: %v; aborted: %q", !struck.IsZero(), f.Meta.Aborted)
					}
					<-time.After(takes) // until the late one has been sent away
				} else if struck.Before(replaced) || replaced.Sub(killed) < takes || f.Meta.Aborted != "" {
					t.Errorf("killed at %v, replaced at %v, and the fault was ordered at %v; aborted: %q", killed, replaced, struck, f.Meta.Aborted)
				}
				if p.state() != target.Running || len(p.journals(t)) > 0 {
					t.Errorf("%s, %v", p.state(), p.journals(t))
				}
			})
		})
	}
}
