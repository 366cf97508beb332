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

// Undoer undoes what one entry of a journal stands for, from the entry alone.
type Undoer func(ctx context.Context, e journal.Entry) error

// Undoers are the undoers by the kind of entry.
type Undoers map[string]Undoer

// Undo undoes an entry of any kind.
func (u Undoers) Undo(ctx context.Context, e journal.Entry) error {
	undo, ok := u[e.Kind]
	if !ok {
		return fmt.Errorf("%w %q: use a newer gameday to undo it", fault.ErrUnknownKind, e.Kind)
	}
	return undo(ctx, e)
}

// Undoing are the undoers of all that a run writes into its journal about an
// environment: every kind of fault, and labs.
func Undoing(site target.Site, labs target.Provisioner) Undoers {
	all := Undoers{LabKind: func(ctx context.Context, e journal.Entry) error {
		if labs == nil {
			return errors.New("take lab " + e.Name + " down: this environment has no labs")
		}
		return labs.Down(ctx, target.ParseLab(e.Name))
	}}
	all[HelpersKind] = func(context.Context, journal.Entry) error { return nil } // see there
	for _, kind := range fault.Kinds() {
		all[kind.Name] = func(ctx context.Context, e journal.Entry) error { return fault.Undo(ctx, site, e) }
	}
	return all
}

// undoersOf are the undoers of a journal. If it does not name what it has locked,
// because it was written before journals did, a component that is not found proves
// nothing: it may be on another engine.
func undoersOf(h journal.Header, site target.Site, labs target.Provisioner) Undoers {
	all := Undoing(site, labs)
	if h.Lock != "" {
		return all
	}
	for kind, undo := range all {
		all[kind] = func(ctx context.Context, e journal.Entry) error {
			if e.Component != "" {
				if _, err := site.Open(ctx, e.Component); err != nil {
					return fmt.Errorf("undo %s of %s: %w; the journal of run %s does not say on which engine it is: if it was removed, remove the journal", e.Kind, e.Name, err, h.Run)
				}
			}
			return undo(ctx, e)
		}
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

// Undo plays what is pending in a journal, the last entry first, and ends each
// entry whose undoing succeeded. It keeps going after a failure, so that as
// much as possible is mended, and returns what could not be. It is the same
// code for a run's end, for the guard, and for `gameday undo`.
//
// ctx's end does not stop it: half an undoing is the worst of all outcomes.
func Undo(ctx context.Context, j *journal.Journal, undo Undoer) error {
	return undoEntries(ctx, j, undo, func(journal.Entry) bool { return true })
}

// undoEntries is [Undo] of the entries that which names.
func undoEntries(ctx context.Context, j *journal.Journal, undo Undoer, which func(journal.Entry) bool) error {
	ctx = context.WithoutCancel(ctx)
	entries := slices.DeleteFunc(j.Pending(), func(e journal.Entry) bool { return !which(e) })
	var errs []error
	var settle time.Duration
	// First all of them, as soon as can be.
	for _, e := range entries {
		if err := persist(ctx, e, undo); err != nil {
			errs = append(errs, err)
			continue
		}
		if !e.Done && e.Settle > 0 {
			settle = max(settle, e.Settle)
			continue
		}
		errs = append(errs, end(j, e))
	}
	if settle == 0 {
		return errors.Join(errs...)
	}
	// The process that gave these orders died while the engine may still have been
	// carrying them out: what took effect after it was undone is undone again.
	<-time.After(settle)
	for _, e := range entries {
		if e.Done || e.Settle == 0 {
			continue
		}
		err := persist(ctx, e, undo)
		if err == nil {
			err = end(j, e)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func end(j *journal.Journal, e journal.Entry) error {
	if err := j.End(e.ID); err != nil {
		return fmt.Errorf("%s of %s was undone, but that could not be written down: %w", e.Kind, e.Name, err)
	}
	return nil
}

// persist tries an entry again until it succeeds or its time is up: an engine
// may be busy just when a container dies.
func persist(ctx context.Context, e journal.Entry, undo Undoer) error {
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
		<-time.After(undoPauses)
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
		return nil, nil, errors.Join(fmt.Errorf("environment %s of run %s: its address leads to %s now, but the run was on %s: nothing was undone; make the address lead there again",
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

// All plays every journal whose environment no living run holds. It returns how
// many entries were undone, and what is left as one error.
func (r Replay) All(ctx context.Context) (undone int, left, err error) {
	paths, err := journal.List(JournalDir(r.StateDir))
	if err != nil {
		return 0, nil, err
	}
	var lefts []error
	for _, path := range paths {
		n, err := r.One(ctx, path)
		undone += n
		if busy := (*journal.BusyError)(nil); errors.As(err, &busy) {
			r.Note("left alone: " + err.Error())
		} else if err != nil {
			lefts = append(lefts, err)
		}
	}
	return undone, errors.Join(lefts...), nil
}

// One plays one journal, while it holds the lock of the journal's environment. It is
// a [journal.BusyError] if a living run, or its guard, holds it; a journal that is
// gone meanwhile has nothing left.
func (r Replay) One(ctx context.Context, path string) (undone int, err error) {
	header, pending, err := journal.Peek(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	case len(pending) == 0:
		return 0, discard(path, header)
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
	return play(ctx, path, undoersOf(header, site, labs))
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
func play(ctx context.Context, path string, undoers Undoers) (undone int, err error) {
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
	err = Undo(ctx, j, undoers.Undo)
	return pending - len(j.Pending()), err
}
