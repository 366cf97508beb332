package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/journal"
)

// Undoer undoes what one entry of a journal stands for, from the entry alone.
type Undoer func(ctx context.Context, e journal.Entry) error

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
	// Whoever gave these orders died while the engine may still have been
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

// Opener opens the environment that a journal is about. A nil Undoer means
// that the journal is none of the caller's business.
type Opener func(h journal.Header) (undo Undoer, closeIt func() error, err error)

// UndoAll plays every journal of a state folder that no living process holds.
// It returns how many entries were undone, and what is left as one error.
func UndoAll(ctx context.Context, stateDir string, open Opener) (undone int, left, err error) {
	paths, err := journal.List(JournalDir(stateDir))
	if err != nil {
		return 0, nil, err
	}
	var lefts []error
	for _, path := range paths {
		n, err := UndoOne(ctx, path, open)
		undone += n
		if err != nil {
			lefts = append(lefts, err)
		}
	}
	return undone, errors.Join(lefts...), nil
}

// UndoOne plays one journal. One that is held by a living process, or gone
// meanwhile, is left alone.
func UndoOne(ctx context.Context, path string, open Opener) (undone int, err error) {
	j, err := journal.Open(path)
	switch {
	case errors.Is(err, journal.ErrHeld) || errors.Is(err, os.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	pending := len(j.Pending())
	if pending == 0 {
		return 0, nil
	}
	undo, closeIt, err := open(j.Header)
	if err != nil {
		return 0, fmt.Errorf("reach environment %s of run %s: %w", j.Header.Environment, j.Header.Run, err)
	}
	if undo == nil {
		return 0, nil
	}
	err = errors.Join(Undo(ctx, j, undo), closeIt())
	return pending - len(j.Pending()), err
}
