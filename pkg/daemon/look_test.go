package daemon_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/daemon"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/store"
)

// Whatever becomes of gameday.yaml, the daemon goes on with the schedules that it has, and
// shows the mistake until it is mended (H5).
func TestNoGamedayYAMLEndsTheDaemon(t *testing.T) {
	t.Parallel()
	var mistake atomic.Value
	mistake.Store(func() error { return nil })
	i := fresh(t)
	i.tune = func(d *daemon.Daemon) {
		d.Schedules = func() ([]scenario.Schedule, error) {
			i.looks.Add(1)
			if err := mistake.Load().(func() error)(); err != nil {
				return nil, err
			}
			return []scenario.Schedule{often()}, nil
		}
	}
	i.start()
	for want, is := range map[string]func() error{
		"unknown key":        func() error { return errors.New("gameday.yaml:3:5: unknown key") },
		"slice bounds [:-1]": func() error { panic("slice bounds [:-1]") },
	} {
		mistake.Store(is)
		i.eventually("the mistake is shown", func() bool { return strings.Contains(i.Trouble()["schedules"], want) })
		ran := i.stage.count()
		i.eventually("runs go on", func() bool { return i.stage.count() > ran })
		mistake.Store(func() error { return nil })
		i.eventually("it is mended", func() bool { return i.Trouble()["schedules"] == "" })
	}
}

// A schedule whose times cannot be calculated is shown, and keeps no other from its runs.
func TestOneBrokenScheduleStopsNoOther(t *testing.T) {
	t.Parallel()
	broken := hourly()
	broken.Name, broken.Cron = "broken", "TZ=UTC"
	frozen := hourly()
	frozen.Name, frozen.Blackout = "frozen", []scenario.Blackout{{ICal: "freezes.ics", Calendar: []byte("BEGIN:VEVENT\nRRULE:FREQ=DAILY;INTERVAL=0\nEND:VEVENT\n")}}
	i := begin(t, broken, frozen, often())
	i.await(store.Done)
	if trouble := i.Trouble(); !strings.Contains(trouble["schedules"], "schedule broken: cron: found \"TZ=UTC\"") ||
		!strings.Contains(trouble["schedules"], "schedule frozen: calendar freezes.ics") || trouble["store"] != "" {
		t.Errorf("%q", trouble)
	}
}

// At rest no file is read, and schedules are looked at when they are due: they are read
// again when a file has changed, and from then on they count.
func TestAtRestNoFileIsRead(t *testing.T) {
	t.Parallel()
	var stats, reads atomic.Int64
	var changed atomic.Bool
	var all atomic.Value
	all.Store([]scenario.Schedule{hourly()})
	i := fresh(t)
	i.tune = func(d *daemon.Daemon) {
		d.Schedules = func() ([]scenario.Schedule, error) {
			reads.Add(1)
			changed.Store(false)
			return all.Load().([]scenario.Schedule), nil
		}
		d.Changed = func() bool { stats.Add(1); return changed.Load() }
	}
	i.start()
	i.eventually("it is at rest", func() bool { return stats.Load() >= 3 })
	if n := reads.Load(); n != 1 {
		t.Errorf("the schedules were read %d times, expected once", n)
	}
	i.to(1)
	i.await(store.Done)
	all.Store([]scenario.Schedule{hourly(), often()})
	changed.Store(true)
	i.eventually("the new schedule runs", func() bool {
		done, err := i.Store.Jobs(t.Context(), store.Filter{Schedule: "often", States: []store.State{store.Done}})
		return err == nil && len(done) > 0
	})
	if n := reads.Load(); n != 2 {
		t.Errorf("the schedules were read %d times, expected twice", n)
	}
	if err := i.Hold(t.Context(), store.Hold{Environment: "staging", Why: "incident 7", Who: "ann", Since: time.Now()}); err != nil {
		t.Fatal(err)
	}
	i.await(store.Refused)
}
