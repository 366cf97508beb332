package run_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// An engine that carries out a kill long after its run has given up, or has died: it is put
// back in the end, as soon as it has come, and until then it is said what is waited for
// (H3b).
func TestAnOrderThatIsCarriedOutLate(t *testing.T) {
	t.Parallel()
	for _, late := range []time.Duration{time.Second, 8 * time.Second, 15 * time.Second, 29 * time.Second} {
		kill := func(w *world) func() error {
			return func() error {
				time.AfterFunc(late, func() { w.set(target.Stopped) })
				return context.DeadlineExceeded
			}
		}
		t.Run(fmt.Sprintf("the run waits for %v", late), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDay(t)
				d.world.OnKill = kill(d.world)
				account, err := d.conduct(t.Context(), t)
				if err != nil || !account.NotInForce || !account.Steps[0].Undone || account.Left != nil || d.world.state() != target.Running {
					t.Errorf("%+v %v, %s", account, err, d.world.state())
				}
			})
		})
		t.Run(fmt.Sprintf("undo waits for %v", late), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				path := p.ordered(t)
				_ = kill(p.world)()
				soon := make(chan target.State, 1)
				time.AfterFunc(late+time.Second, func() { soon <- p.state() })
				undone, err := run.Replay{StateDir: p.home, Open: open, Note: p.said.add}.One(t.Context(), path)
				if undone != 1 || err != nil || p.state() != target.Running {
					t.Errorf("%d undone, %v, %s", undone, err, p.state())
				}
				if state := <-soon; state != target.Running {
					t.Errorf("%s a second after it had come", state)
				}
				if late > 2*time.Second && p.said.index("the injection of kill into db got no answer and may still take effect") < 0 {
					t.Errorf("%q", p.said.lines)
				}
			})
		})
	}
}

// ordered writes the journal of a run that has ordered the database to be killed, and has
// died before it was answered.
func (p *place) ordered(t *testing.T) string {
	t.Helper()
	path := p.left(t)
	data, err := os.ReadFile(path)
	if err == nil {
		begun, _, _ := strings.Cut(string(data), `{"done":`)
		err = os.WriteFile(path, []byte(begun), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Put(target.Component{Name: "db", Service: "db"}); err != nil { // as it was
		t.Fatal(err)
	}
	return path
}

// Of an order whose effect cannot be seen, the revert waits until it must have come, and is
// not repeated meanwhile: it may be a person's own command.
func TestAnOrderThatCannotBeSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		j, err := journal.Create(d.dir+"/j"+journal.Suffix, journal.Header{Run: "r"})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Begin(journal.Entry{ID: "1", Kind: "own", Settle: 33 * time.Second}); err != nil {
			t.Fatal(err)
		}
		var at []time.Duration
		began := time.Now()
		undoers := run.Undoers{"own": {Undo: func(context.Context, journal.Entry) error { at = append(at, time.Since(began)); return nil }}}
		if err := run.Undo(t.Context(), j, undoers, func(string) {}); err != nil || len(j.Pending()) > 0 {
			t.Errorf("%v, %v", err, j.Pending())
		}
		if len(at) != 2 || at[0] != 0 || at[1] != 33*time.Second {
			t.Errorf("undone at %v", at)
		}
	})
}

// An order that has failed and is known to have ended is not waited for.
func TestAnOrderThatHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		d.faults[0].Kind, d.faults[0].Spec, d.faults[0].Target = "command", &fault.Command{Break: []string{"false"}, Mend: []string{"true"}}, target.Selector{}
		began := time.Now()
		account, err := d.conduct(t.Context(), t)
		if err != nil || !account.NotInForce || !account.Steps[0].Undone {
			t.Errorf("%+v %v", account, err)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// A journal of which a part cannot be read: what can be read is undone, and it stands in the
// way of its own environment only, until a person has looked at it (L6).
func TestAJournalThatIsDamaged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		here, there := newPlace(t), newPlace(t)
		there.home, there.said = here.home, here.said // one user, two environments
		path := here.left(t)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		header, rest, _ := strings.Cut(string(data), "\n")
		if err := os.WriteFile(path, []byte(header+"\n{garbage\n"+rest), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := there.day(t, "elsewhere").Run(t.Context()); err != nil {
			t.Errorf("elsewhere: %v", err)
		}
		_, err = here.day(t, "staging").Run(t.Context())
		if !errors.Is(err, run.ErrNotPutBack) || !strings.Contains(err.Error(), "line 2 cannot be read") || here.state() != target.Running || here.Kills.Load() != 1 {
			t.Errorf("%v, %s, %d kills", err, here.state(), here.Kills.Load())
		}
		done, err := run.Replay{StateDir: here.home, Open: open, Note: here.said.add}.All(t.Context())
		if err != nil || done.Left == nil || !strings.Contains(done.Left.Error(), "remove it if nothing else is left") {
			t.Errorf("%+v %v", done, err)
		}
	})
}

// What is no journal at all is told to everybody, and stops nobody (L6).
func TestAJournalOfWhichNothingCanBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		for name, write := range map[string]func(path string) error{
			"a folder": func(path string) error { return os.MkdirAll(path, 0o700) },
			"garbage":  func(path string) error { return os.WriteFile(path, []byte("what\nis\nthis\n"), 0o600) },
		} {
			if err := errors.Join(os.MkdirAll(run.JournalDir(p.home), 0o700), write(run.JournalDir(p.home)+"/"+name+journal.Suffix)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := p.day(t, "staging").Run(t.Context()); err != nil {
			t.Error(err)
		}
		if p.said.index("warning: journal "+run.JournalDir(p.home)+"/garbage") < 0 || p.said.index("a folder.journal: found a folder") < 0 {
			t.Errorf("%q", p.said.lines)
		}
		done, err := run.Replay{StateDir: p.home, Open: open, Note: p.said.add}.All(t.Context())
		if err != nil || done.Left == nil || !strings.Contains(done.Left.Error(), "garbage") || !strings.Contains(done.Left.Error(), "a folder") {
			t.Errorf("%+v %v", done, err)
		}
	})
}

// If the undoing of one fault cannot be made durable, none is injected, what was made
// durable is not waited for, and the record says why the run ended (L1).
func TestAJournalThatIsFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		d.faults = []scenario.Fault{killDB(), killDB()}
		refused := errors.New("no space left on device")
		d.faults[1].Spec = &refusing{err: refused}
		began := time.Now()
		account, err := d.conduct(t.Context(), t)
		if !errors.Is(err, refused) || !strings.Contains(account.Aborted, "no space left on device") || account.Left != nil || d.world.Kills.Load() != 0 || len(d.journal.Pending()) > 0 {
			t.Errorf("%v, aborted %q, %d kills, pending %v", err, account.Aborted, d.world.Kills.Load(), d.journal.Pending())
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// refusing is a kill that cannot be prepared.
type refusing struct {
	fault.Kill

	err error
}

func (r *refusing) Prepare(context.Context, target.Handle) (fault.State, error) { return nil, r.err }
