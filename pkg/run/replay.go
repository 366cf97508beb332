package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Undoing is how the entries of one kind are undone.
type Undoing struct {
	// Undo undoes what an entry stands for, from the entry alone.
	Undo func(ctx context.Context, e journal.Entry) error
	// Landed reports whether the effect of an entry's order is there. It is nil if that
	// cannot be seen.
	Landed func(ctx context.Context, e journal.Entry) bool
}

// Undoers are the ways to undo, by the kind of entry.
type Undoers map[string]Undoing

// Undo undoes an entry of any kind.
func (u Undoers) Undo(ctx context.Context, e journal.Entry) error {
	undoing, ok := u[e.Kind]
	if !ok {
		return fmt.Errorf("%w %q: use a newer gameday to undo it", fault.ErrUnknownKind, e.Kind)
	}
	return undoing.Undo(ctx, e)
}

// landed reports whether the effect of an entry's order is there.
func (u Undoers) landed(ctx context.Context, e journal.Entry) bool {
	landed := u[e.Kind].Landed
	return landed != nil && landed(ctx, e)
}

// UndoersOn are the ways to undo all that a run writes into its journal about an
// environment: every kind of fault, and labs.
func UndoersOn(site target.Site, labs target.Provisioner) Undoers {
	all := Undoers{
		LabKind: {Undo: func(ctx context.Context, e journal.Entry) error {
			if labs == nil {
				return errors.New("take lab " + e.Name + " down: this environment has no labs")
			}
			return labs.Down(ctx, target.ParseLab(e.Name))
		}},
		HelpersKind: {Undo: func(context.Context, journal.Entry) error { return nil }}, // see there
	}
	for _, kind := range fault.Kinds() {
		all[kind.Name] = Undoing{
			Undo:   func(ctx context.Context, e journal.Entry) error { return fault.Undo(ctx, site, e) },
			Landed: func(ctx context.Context, e journal.Entry) bool { return fault.Landed(ctx, site, e) },
		}
	}
	return all
}

// undoersOf are the undoers of a journal. If it does not name what it has locked,
// because it was written before journals did, a component that is not found proves
// nothing: it may be on another engine.
func undoersOf(h journal.Header, site target.Site, labs target.Provisioner) Undoers {
	all := UndoersOn(site, labs)
	if h.Lock != "" {
		return all
	}
	for kind, undoing := range all {
		undo := undoing.Undo
		undoing.Undo = func(ctx context.Context, e journal.Entry) error {
			if e.Component != "" {
				if _, err := site.Open(ctx, e.Component); err != nil {
					return fmt.Errorf("undo %s of %s: %w; the journal of run %s does not name the engine: if the component no longer exists, remove the journal", e.Kind, e.Name, err, h.Run)
				}
			}
			return undo(ctx, e)
		}
		all[kind] = undoing
	}
	return all
}

// How long an entry is tried to be undone before it is left to `gameday undo`,
// and how long one try may take.
const (
	undoFor    = 30 * time.Second
	undoTry    = 20 * time.Second
	undoPauses = 250 * time.Millisecond
)

// Undo undoes the pending entries of a journal, the last entry first, and ends each entry
// that it has undone. After a failure it continues with the other entries, and returns the
// errors of all entries that it could not undo. It is the same
// code for a run's end, for the guard, and for `gameday undo`.
//
// Undo continues after ctx ends: a partial undo is the worst of all outcomes. note receives
// a text if Undo has to wait.
func Undo(ctx context.Context, j *journal.Journal, undoers Undoers, note func(text string)) error {
	return undoEntries(ctx, j, undoers, note, func(journal.Entry) bool { return true })
}

// undoEntries is [Undo] of the entries that which names.
func undoEntries(ctx context.Context, j *journal.Journal, undoers Undoers, note func(string), which func(journal.Entry) bool) error {
	ctx = context.WithoutCancel(ctx)
	entries := slices.DeleteFunc(j.Pending(), func(e journal.Entry) bool { return !which(e) })
	var errs []error
	var unsettled []journal.Entry
	// First all of them, as soon as can be.
	for _, e := range entries {
		switch err := persist(ctx, e, undoers.Undo); {
		case err != nil:
			errs = append(errs, err)
		case e.Done || e.Settle == 0:
			j.End(e.ID)
		default:
			unsettled = append(unsettled, e)
		}
	}
	return errors.Join(append(errs, settle(ctx, j, undoers, note, unsettled))...)
}

// persist tries an entry again until it succeeds or its time is up: an engine
// may be busy just when a container dies.
func persist(ctx context.Context, e journal.Entry, undo func(context.Context, journal.Entry) error) error {
	deadline := time.Now().Add(undoFor)
	for {
		err := func() error {
			ctx, cancel := context.WithTimeout(ctx, max(undoTry, e.Patience))
			defer cancel()
			return undo(ctx, e)
		}()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		sleep(ctx, undoPauses)
	}
}

// Opener reaches the environment that a journal is about, by the journal's own
// address, and its labs. The caller closes it.
type Opener func(ctx context.Context, h journal.Header) (target.Site, target.Provisioner, error)

// Reach opens the environment of a journal, and makes sure that it is the one that
// the run had locked: an address may lead elsewhere by now.
func (open Opener) Reach(ctx context.Context, h journal.Header) (target.Site, target.Provisioner, error) {
	site, labs, err := open(context.WithoutCancel(ctx), h)
	if err != nil {
		return nil, nil, fmt.Errorf("reach environment %s of run %s: %w", h.Environment, h.Run, err)
	}
	if h.Lock != "" && site.ID() != h.Lock {
		return nil, nil, errors.Join(fmt.Errorf("environment %s of run %s: its address now leads to %s, but the run used %s: nothing was undone: correct the address (docker context or DOCKER_HOST), then run gameday undo",
			h.Environment, h.Run, site.ID(), h.Lock), site.Close())
	}
	return site, labs, nil
}

// Replay undoes what the journals of a state folder hold.
type Replay struct {
	StateDir string
	Open     Opener
	Note     func(text string) // told what is left alone, and why
}

// Replayed is what has become of the journals of a state folder.
type Replayed struct {
	Undone int   // entries
	Busy   int   // journals that were left alone, because a living run holds them
	Left   error // what could not be undone
}

// All plays every journal whose environment no living run holds.
func (r Replay) All(ctx context.Context) (done Replayed, err error) {
	paths, err := journal.List(JournalDir(r.StateDir))
	if err != nil {
		return done, err
	}
	for _, path := range paths {
		n, err := r.One(ctx, path)
		done.Undone += n
		if busy := (*journal.BusyError)(nil); errors.As(err, &busy) {
			done.Busy++
			r.Note("skipped: " + err.Error())
		} else {
			done.Left = errors.Join(done.Left, err)
		}
	}
	return done, nil
}

// One plays one journal, while it holds the lock of the journal's environment. It is
// a [journal.BusyError] if a living run, or its guard, holds it; a journal that is
// gone meanwhile has nothing left.
func (r Replay) One(ctx context.Context, path string) (undone int, err error) {
	header, pending, err := journal.Peek(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0, nil
	case err != nil && !errors.Is(err, journal.ErrDamaged):
		return 0, err
	case len(pending) == 0:
		return 0, discard(path, header)
	case header.Address == nil:
		return 0, fmt.Errorf("the journal does not name its environment: %w", err)
	}
	site, labs, err := r.Open.Reach(ctx, header)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	holder := journal.HolderNow(header.Run, header.Environment)
	lock, err := Locks{StateDir: r.StateDir, Note: r.Note}.Acquire(ctx, site, holder)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lock.Release(ctx)) }()
	return play(ctx, path, undoersOf(header, site, labs), r.Note)
}

// discard removes a journal in which nothing is pending, unless its run lives.
func discard(path string, h journal.Header) error {
	j, err := journal.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case errors.Is(err, journal.ErrHeld):
		return &journal.BusyError{Environment: h.Environment, Holder: journal.Holder{Run: h.Run, PID: h.PID, Since: h.Started}}
	case err != nil:
		return err
	}
	return j.Close()
}

// heldPause is how often a journal that is held is tried again.
const heldPause = 50 * time.Millisecond

// play undoes the entries of a journal whose environment is held. One that is gone
// has nothing left; one that another process holds is that of a run which began
// before its environment could be locked, and is waited for.
func play(ctx context.Context, path string, undoers Undoers, note func(string)) (undone int, err error) {
	j, err := journal.Open(path)
	for ; errors.Is(err, journal.ErrHeld); j, err = journal.Open(path) {
		if !sleep(ctx, heldPause) {
			return 0, ctx.Err()
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	pending := len(j.Pending())
	err = Undo(ctx, j, undoers, note)
	return pending - len(j.Pending()), err
}
