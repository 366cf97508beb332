package run_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/notes"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// How long people have in these tests.
const handLimit = 10 * time.Minute

// byHandDay is a game day in which people recover the database: do is what they do, once the
// fault is in force.
func byHandDay(t *testing.T, do func(d *day)) *day {
	t.Helper()
	d := newDay(t)
	d.undo = scenario.Undo{Mode: scenario.UndoByHand, Limit: handLimit}
	d.timing.Watch = handLimit
	d.onPhase[run.Watch] = func() {
		if do != nil {
			go do(d)
		}
	}
	return d
}

// say says that service has recovered.
func (d *day) say(t *testing.T) {
	t.Helper()
	if err := notes.Say(filepath.Join(d.dir, "run"), record.Event{At: time.Now(), Kind: record.KindRecovered, By: "Ann"}); err != nil {
		t.Error(err)
	}
}

// lasted is how long the fault was left in force.
func (d *day) lasted(t *testing.T) time.Duration {
	t.Helper()
	marks := d.marks(t)
	return marks[record.MarkRevert].Sub(marks[record.MarkFault])
}

// What ends the wait for people, and when. Whatever it is, nothing is left.
func TestPeopleRecoverService(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do          func(t *testing.T, d *day)
		endedBy, by string
		least, most time.Duration // that the fault lasts
	}{
		"they start the database after a minute": {
			func(_ *testing.T, d *day) { <-time.After(time.Minute); d.world.set(target.Running) },
			run.HandServed, "", time.Minute + 5*time.Second, time.Minute + 8*time.Second,
		},
		"at once: no verdict is possible before the RTO": {
			func(_ *testing.T, d *day) { <-time.After(3 * time.Second); d.world.set(target.Running) },
			run.HandServed, "", 30 * time.Second, 33 * time.Second,
		},
		"they do nothing": {func(*testing.T, *day) {}, run.HandLimit, "", handLimit, handLimit + time.Second},
		"they start it, and say so": {
			func(t *testing.T, d *day) {
				t.Helper()
				<-time.After(time.Minute)
				d.world.set(target.Running)
				d.say(t)
			},
			run.HandServed, "Ann", time.Minute + 5*time.Second, time.Minute + 8*time.Second,
		},
		"they say so, and it is not": {
			func(t *testing.T, d *day) { t.Helper(); <-time.After(time.Minute); d.say(t) },
			run.HandSaid, "Ann", time.Minute + 5*time.Second, time.Minute + 9*time.Second,
		},
		"it comes and goes": {
			func(_ *testing.T, d *day) {
				for range 5 {
					<-time.After(10 * time.Second)
					d.world.set(target.Running)
					<-time.After(3 * time.Second)
					d.world.set(target.Stopped)
				}
				d.world.set(target.Running)
			},
			run.HandServed, "", 67 * time.Second, 70 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := byHandDay(t, func(d *day) { c.do(t, d) })
				account, err := d.conduct(t.Context(), t)
				if err != nil || account.Left != nil || account.Aborted != "" || account.NotInForce || account.ByHand == nil {
					t.Fatalf("%+v %v", account, err)
				}
				if h := account.ByHand; h.EndedBy != c.endedBy || h.By != c.by || (h.At != nil) != (c.by != "") {
					t.Errorf("%+v, expected %s by %q", h, c.endedBy, c.by)
				}
				if lasted := d.lasted(t); lasted < c.least || lasted > c.most {
					t.Errorf("the fault lasted %v, expected %v to %v", lasted, c.least, c.most)
				}
				if d.world.state() != target.Running || len(d.journal.Pending()) != 0 {
					t.Errorf("left: %v, %v", d.world.state(), d.journal.Pending())
				}
			})
		})
	}
}

// A person who ends the run, and a stop condition, end it at once, as they end any run.
func TestARunByHandIsEndedAsAnyOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := byHandDay(t, func(*day) { <-time.After(time.Minute); cancel() })
		account, err := d.conduct(ctx, t)
		if lasted := d.lasted(t); err != nil || account.Aborted != "ended by a person" || lasted > 61*time.Second || d.world.state() != target.Running || account.ByHand.EndedBy != "" {
			t.Errorf("%+v after %v: %v", account, lasted, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		d := byHandDay(t, nil)
		d.abort = []scenario.AbortRule{{Failed: 500}}
		account, err := d.conduct(t.Context(), t)
		if lasted := d.lasted(t); err != nil || !strings.HasPrefix(account.Aborted, "stop condition") || lasted > 15*time.Second || d.world.state() != target.Running {
			t.Errorf("%+v after %v: %v", account, lasted, err)
		}
	})
}

// That something has recovered is said to a run that waits for it, and to no other.
func TestRecoveredIsSaidToARunThatWaits(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	leave := notes.StayOn(dir)
	say := func() error {
		_, err := run.Note{By: "Ann", Recovered: true}.Say(dir, time.Now())
		return err
	}
	refused := func(want string) {
		t.Helper()
		if err := say(); err == nil || !strings.Contains(err.Error(), want) || run.Awaits(dir) {
			t.Errorf("%v, expected %s", err, want)
		}
	}
	refused("no undo: by-hand")
	if err := w.Event(record.Event{At: time.Now(), Kind: record.KindAwaiting}); err != nil {
		t.Fatal(err)
	}
	if err := say(); err != nil || !run.Awaits(dir) {
		t.Error(err)
	}
	if err := w.Event(record.Event{At: time.Now(), Kind: record.KindMark, Mark: record.MarkRevert}); err != nil {
		t.Fatal(err)
	}
	refused("its faults are reverted")
	leave()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	refused("its faults are reverted")
}

// ann does what a manual fault asks for.
type ann struct{}

// Do implements [fault.Person].
func (ann) Do(context.Context, string) error { <-time.After(2 * time.Second); return nil }

// Name is who confirms.
func (ann) Name() string { return "ann" }

// Who has confirmed what, and when, is in the record of a run with a manual fault.
func TestTheRecordSaysWhoHasConfirmed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		d.faults = []scenario.Fault{{Kind: "manual", Spec: &fault.Manual{Do: "unplug the switch", Undo: "plug it in"}, Where: "x.yaml:1:1"}}
		account, err := d.conduct(fault.WithPerson(t.Context(), ann{}), t)
		if err != nil || account.Left != nil {
			t.Fatalf("%+v %v", account, err)
		}
		events, err := record.Events(filepath.Join(d.dir, "run"))
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, e := range events {
			if e.Kind == record.KindConfirmed {
				said = append(said, fmt.Sprintf("%s %s %v", e.By, e.What, e.At.Sub(d.marks(t)[record.MarkFault]).Round(time.Second)))
			}
		}
		if want := []string{"ann unplug the switch 2s", "ann plug it in 1m4s"}; !slices.Equal(said, want) {
			t.Errorf("%q, expected %q", said, want)
		}
	})
}
