package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/notes"
	"github.com/gameday-dev/gameday/pkg/record"
)

// The longest texts of a note, in bytes.
const (
	MaxNote   = 1000
	MaxPerson = 100 // the name of a person
)

// noteSpan is how long before its run a note may say that something was: what people did to
// prepare belongs to it, and a date that is mistyped does not.
const noteSpan = 24 * time.Hour

// noteSkew is how far the clocks of two processes may be apart.
const noteSkew = time.Minute

// ErrNote is wrapped by the error of a note that cannot be written as it is.
var ErrNote = errors.New("invalid note")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNote}, args...)...)
}

// Note is what a person says about a run: the pager rang, a standby was promoted by hand.
// It is in the record and in the timeline of the reports, and changes no verdict.
type Note struct {
	Text string
	By   string
	// Recovered says that service has recovered, to a run that leaves that to people.
	Recovered bool
	// At is when it was: +12s or -3s since the fault was ordered, or a time (RFC 3339); now
	// if empty.
	At string
}

// Say writes a note into the folder of a run that goes on, or has ended.
func (n Note) Say(dir string, now time.Time) (record.Event, error) {
	e := record.Event{Kind: record.KindPerson, What: plaintext.OneLine(n.Text, MaxNote+1), By: plaintext.OneLine(n.By, MaxPerson+1)}
	switch {
	case e.What == "" && !n.Recovered || len(e.What) > MaxNote:
		return e, wrong("found a note of %d characters, expected 1 to %d", len(e.What), MaxNote)
	case e.By == "" || len(e.By) > MaxPerson:
		return e, wrong("found a name of %d characters, expected 1 to %d: who says it?", len(e.By), MaxPerson)
	}
	events, err := record.Events(dir)
	if err != nil {
		return e, err
	}
	if e.At, err = n.moment(events, now); err != nil {
		return e, err
	}
	if n.Recovered {
		e.Kind = record.KindRecovered
		if err := awaits(dir, events); err != nil {
			return e, err
		}
	}
	return e, notes.Say(dir, e)
}

// awaits is an error unless a run goes on that waits for people to recover service.
func awaits(dir string, events []record.Event) error {
	reached := func(is func(record.Event) bool) bool { return slices.ContainsFunc(events, is) }
	switch {
	case Finished(dir) || !notes.GoesOn(dir) || reached(func(e record.Event) bool { return e.Mark == record.MarkRevert || e.Mark == record.MarkEnd }):
		return wrong("the run does not wait for people any more: its faults are reverted")
	case !reached(func(e record.Event) bool { return e.Kind == record.KindAwaiting }):
		return wrong("the run does not wait for people: its scenario has no undo: by-hand, or its fault was not injected yet")
	}
	return nil
}

// moment is when a note was.
func (n Note) moment(events []record.Event, now time.Time) (time.Time, error) {
	if n.At == "" {
		return now.UTC(), nil
	}
	at, err := time.Parse(time.RFC3339, n.At)
	if since, isSpan := strings.CutPrefix(n.At, "+"); isSpan || strings.HasPrefix(n.At, "-") {
		span, spanErr := time.ParseDuration(since)
		fault, ordered := record.MarksOf(events)[record.MarkFault]
		if spanErr == nil && !ordered {
			return at, wrong("at %s: the run has injected no fault from which it could count: use a time such as %s", n.At, now.UTC().Format(time.RFC3339))
		}
		at, err = fault.Add(span), spanErr
	}
	if err != nil {
		return at, wrong("at %q: expected the time since the fault, such as +12s, or a time such as %s", plaintext.OneLine(n.At, MaxPerson), now.UTC().Format(time.RFC3339))
	}
	if from := events[0].At.Add(-noteSpan); at.Before(from) || at.After(now.Add(noteSkew)) {
		return at, wrong("at %s: expected a time between %s, which is %v before the run, and now", plaintext.OneLine(n.At, MaxPerson), from.UTC().Format(time.RFC3339), noteSpan)
	}
	return at.UTC(), nil
}

// Current means the run that goes on, where a run is asked for.
const Current = "current"

// GoingOn are the IDs of the runs in a folder of runs whose processes live on this machine.
func GoingOn(out string) ([]string, error) {
	entries, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("look for the run that goes on: %w", err)
	}
	var ids []string
	for _, e := range entries {
		dir := filepath.Join(out, e.Name())
		if e.IsDir() && !Finished(dir) && notes.GoesOn(dir) {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

// Finished reports whether a run's folder has all that reports are made of.
func Finished(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, MetaFile))
	return err == nil
}

// CurrentDir is the folder of the run that goes on in a folder of runs.
func CurrentDir(out string) (dir string, err error) {
	ids, err := GoingOn(out)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", fmt.Errorf("%w in %s: name a run that has ended, or set --out", ErrNoneGoesOn, out)
	case len(ids) > 1:
		return "", fmt.Errorf("%d runs go on in %s: name one of %s", len(ids), out, strings.Join(ids, ", "))
	}
	return filepath.Join(out, ids[0]), nil
}

// ErrNoneGoesOn is wrapped by the error of who means the current run if there is none.
var ErrNoneGoesOn = errors.New("no run goes on")

// Awaits reports whether a run waits for people to recover service; see [Note.Recovered].
func Awaits(dir string) bool {
	events, err := record.Events(dir)
	return err == nil && awaits(dir, events) == nil
}
