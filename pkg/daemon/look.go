package daemon

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// At rest, a daemon looks at the times of files once a second, and reads no file and no
// schedule: it knows when each schedule is to be looked at again.

// These are how soon a mistake in a file is looked at again if no file changes, and any
// schedule, whatever has become of the clock or the store.
const (
	afterMistake = 10 * time.Second
	lookAgain    = time.Hour
)

// reading is what the daemon knows of its schedules. Only its tick uses it.
type reading struct {
	at   time.Time // of the last attempt, by the machine's clock
	err  error     // of it
	next map[string]time.Time
	// invalid is why the times of a schedule cannot be calculated.
	invalid map[string]error
}

// load reads the schedules if a file has changed. If it fails, the previous schedules
// stay in effect, and the page shows the error.
func (d *Daemon) load() error {
	again := d.Changed == nil || d.reading.at.IsZero() || d.reading.err != nil && time.Since(d.reading.at) >= afterMistake
	if !again && !d.Changed() {
		return d.reading.err
	}
	d.reading.at = time.Now()
	d.reading.err = d.safely("reading the schedules", func() error {
		all, err := d.Schedules()
		if err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.reading.next == nil || !reflect.DeepEqual(all, d.schedules) {
			d.schedules, d.reading.next, d.reading.invalid = all, map[string]time.Time{}, map[string]error{}
		}
		return nil
	})
	return d.reading.err
}

// look adds the jobs of all schedules that are due.
func (d *Daemon) look(ctx context.Context) (err error) {
	var mistakes []error
	for _, s := range d.All() {
		// The error of one schedule keeps no other from its runs.
		if now := d.Now(); !now.Before(d.reading.next[s.Name]) {
			err = errors.Join(err, d.lookAt(ctx, s, now))
		}
		mistakes = append(mistakes, d.reading.invalid[s.Name])
	}
	d.note("schedules", errors.Join(append(mistakes, d.reading.err)...))
	return err
}

// lookAt adds the jobs of a schedule that are due, and remembers when to look again. The
// error is of the store.
func (d *Daemon) lookAt(ctx context.Context, s scenario.Schedule, now time.Time) error {
	var next time.Time
	err := d.safely("schedule "+s.Name, func() (err error) {
		next, err = d.dispatch(ctx, s, now)
		return err
	})
	delete(d.reading.invalid, s.Name)
	if mistake, ok := errors.AsType[invalidError](err); ok {
		d.reading.invalid[s.Name] = mistake
		next, err = now.Add(afterMistake), nil
	}
	if again := now.Add(lookAgain); next.After(again) {
		next = again
	}
	d.reading.next[s.Name] = next // zero after an error of the store: with the next tick
	return err
}

// invalidError is a mistake in a file, and not an error of the store.
type invalidError struct{ error }

// Unwrap is the mistake itself.
func (e invalidError) Unwrap() error { return e.error }

// safely does what depends on files that people write. It is a last resort: the loaders
// refuse what is wrong. A panic is an error, and the page shows it.
func (d *Daemon) safely(what string, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			d.Log.Error("a bug in gameday; please report it", "what", what, "panic", p, "stack", string(debug.Stack()))
			err = invalidError{fmt.Errorf("%s panicked (a bug in gameday; please report it): %v", what, p)}
		}
	}()
	return do()
}
