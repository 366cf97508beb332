package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// LabKind is the journal's kind for a lab that a run has started.
const LabKind = "lab"

// HelpersKind is the journal's kind for helpers that a run is about to start. If the run is
// killed then, the engine may still create one: the lock removes those that never started
// when it is released, and this entry keeps the lock until such orders have settled.
const HelpersKind = "helpers"

// Day is a whole game day: the environment locked, a lab brought up if the
// scenario names one, the plan carried out, and all left as it was found.
type Day struct {
	Scenario    scenario.Scenario
	Environment scenario.Environment
	Journeys    []probe.Journey // as in Scenario.Load
	Protocols   probe.Protocols // of steps that are not HTTP
	Site        target.Site     // the environment, opened
	Labs        target.Provisioner
	Lab         target.Lab // to bring up; the zero Lab if the environment is none
	KeepLab     bool
	Again       string // the command that does the same again, for the record
	Logs        int    // the last N log lines of each component are kept
	StateDir    string // of journals and locks
	Out         string // folder of the runs' folders
	Gameday     string // the version, for the record
	// Guard starts the process that plays the journal if this one dies.
	Guard   func(journalPath string) (Guardian, error)
	Open    Opener // for what a dead run has left
	Observe func(Update)
	Meter   *Meter
	// Walks are the users of the n-th journey; those of the environment if nil.
	Walks func(n int, seed uint64) Walk
	// Report writes the reports into the folder of a run that has ended.
	Report func(dir string) error
}

// ErrNotPutBack is wrapped by the error of a run that could not leave the
// environment as it was.
var ErrNotPutBack = errors.New("the environment could not be restored")

// ErrRefused is wrapped by the error of a run that never began.
var ErrRefused = errors.New("no fault was injected")

// JournalDir and LockDir are the folders of a state folder.
func JournalDir(stateDir string) string { return filepath.Join(stateDir, "journals") }

// LockDir is where environments are locked on this machine.
func LockDir(stateDir string) string { return filepath.Join(stateDir, "locks") }

// Stage is an environment that is locked and guarded, with its lab up. Several runs can
// use it one after another.
type Stage struct {
	day     Day
	entries *journal.Journal
	guarded func(context.Context) bool // waits until a guard is there
}

// prepare gets the environment ready for helpers, and for users if they come from inside.
func (d Day) prepare(ctx context.Context) error {
	if preparer, ok := d.Site.(target.Preparer); ok {
		if err := preparer.Prepare(ctx, d.progress); err != nil {
			return err
		}
	}
	if d.Walks != nil {
		return nil
	}
	return d.Users().Prepare(ctx, d.progress)
}

// Hold locks the environment, undoes what a dead run may have left, brings its
// lab up, and leaves everything as it was found once do has returned. do's context
// ends if the lock is lost.
func (d Day) Hold(ctx context.Context, do func(context.Context, Stage) error) (err error) {
	started := time.Now()
	id := NewID(d.Scenario.Name, started)
	header, err := d.header(id, started)
	if err != nil {
		return err
	}
	if !d.Lab.IsZero() && d.Labs != nil {
		if err := d.Labs.Check(ctx, d.Lab); err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	if err := d.prepare(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	d.progress("locking environment " + d.Environment.Name)
	lock, err := Locks{StateDir: d.StateDir, Note: d.progress}.Acquire(ctx, d.Site, journal.HolderNow(id, d.Environment.Name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release(ctx)) }()
	if err := d.leftovers(ctx); err != nil {
		return err
	}
	entries, err := journal.Create(filepath.Join(JournalDir(d.StateDir), id+journal.Suffix), header)
	if err != nil {
		return err
	}
	guards, err := startGuards(func() (Guardian, error) { return d.Guard(entries.Path()) }, d.note)
	if err != nil {
		return errors.Join(err, entries.Close())
	}
	// In this order: everything reverted, the journal closed, and only then the guard.
	defer func() {
		if left := Undo(ctx, entries, d.undoers(), d.progress); left != nil {
			err = errors.Join(fmt.Errorf("%w: %w", ErrNotPutBack, left), err)
		}
		err = errors.Join(err, dismiss(ctx, d.Site), entries.Close())
		guards.dismiss(len(entries.Pending()))
		forgetStops(d.StateDir, entries.Path())
	}()
	ctx, guarded := guards.watched(ctx)
	defer guarded()
	if err := d.labUp(ctx, entries); err != nil {
		return err
	}
	ctx, watched := lock.Watched(ctx)
	defer watched()
	return do(ctx, Stage{d, entries, guards.ready})
}

// dismiss ends the helpers that an environment keeps.
func dismiss(ctx context.Context, site target.Site) error {
	if dismisser, ok := site.(target.Dismisser); ok {
		return dismisser.Dismiss(ctx)
	}
	return nil
}

func (d Day) progress(text string) { d.Observe(Update{Text: text}) }

// note tells what has happened, and takes no time.
func (d Day) note(text string) {
	d.Observe(Update{Event: &record.Event{At: time.Now(), Kind: record.KindNote, What: text}})
}

// header says whose journal it is, where the environment is, and what is locked.
func (d Day) header(id string, started time.Time) (journal.Header, error) {
	pinned, err := d.Environment.Settings.Pin()
	if err != nil {
		return journal.Header{}, err
	}
	address, err := json.Marshal(pinned)
	return journal.Header{
		Run: id, Scenario: d.Scenario.Name, Environment: d.Environment.Name,
		Kind: d.Environment.Kind, Address: address, Lock: d.Site.ID(),
		PID: os.Getpid(), Started: started.UTC(),
	}, err
}

func (d Day) undoers() Undoers { return UndoersOn(d.Site, d.Labs) }

// leftovers undoes what dead runs have left of this environment: their guards may
// have died too. It is the lock's holder who may. A journal belongs to the place
// whose identity it names, whatever its environment is called.
func (d Day) leftovers(ctx context.Context) error {
	paths, err := journal.List(JournalDir(d.StateDir))
	if err != nil {
		return fmt.Errorf("look for journals of earlier runs: %w", err)
	}
	var errs []error
	for _, path := range paths {
		header, _, err := journal.Peek(path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue
		case header.Lock == "" && header.Address == nil:
			if err != nil { // it may be about any environment, and must not stop the runs of all
				d.note(fmt.Sprintf("warning: %v", err))
			}
			continue
		case !d.isAbout(ctx, header):
			continue
		case err == nil || errors.Is(err, journal.ErrDamaged):
			d.progress("undoing the remaining faults of run " + header.Run)
			_, err = play(ctx, path, undoersOf(header, d.Site, d.Labs), d.progress)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: faults of an earlier run could not be undone: %w", ErrNotPutBack, err)
	}
	return nil
}

// isAbout reports whether a journal is about the environment of this day. One that
// names no lock was written before journals did: its address tells.
func (d Day) isAbout(ctx context.Context, h journal.Header) bool {
	if h.Lock != "" {
		return h.Lock == d.Site.ID()
	}
	site, _, err := d.Open(ctx, h)
	if err != nil {
		return false // somewhere else, as this environment can be reached
	}
	defer site.Close()
	return site.ID() == d.Site.ID()
}

// labUp brings the lab up if it is not up. That it is to be taken down again is
// durable before the first container starts.
func (d Day) labUp(ctx context.Context, entries *journal.Journal) error {
	if d.Lab.IsZero() {
		return nil
	}
	if d.Labs == nil {
		return fmt.Errorf("%w: environment %s has no labs to bring up", ErrRefused, d.Environment.Name)
	}
	state, err := d.Labs.State(ctx, d.Lab)
	if err == nil {
		err = state.Refusal(d.Lab)
	}
	if err != nil || state.Serves {
		return err // a lab that serves is used as it is
	}
	mine := !state.Exists && !d.KeepLab
	if mine {
		if err := entries.Begin(journal.Entry{ID: LabKind, Kind: LabKind, Name: d.Lab.String(), Settle: fault.Settle}); err != nil {
			return err
		}
	}
	if err := d.Labs.Up(ctx, d.Lab); err != nil {
		if ctx.Err() == nil {
			entries.NotOrdered(LabKind) // what was to start it has ended
		}
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if !mine {
		return nil
	}
	return entries.Done(LabKind)
}
