package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// DefaultManualTimeout bounds how long a person may take.
const DefaultManualTimeout = 5 * time.Minute

// Person does by hand what gameday cannot.
type Person interface {
	// Do shows an instruction, and returns once it was followed. It is an error
	// where nobody is there, or ctx ends first.
	Do(ctx context.Context, instruction string) error
}

type personKey struct{}

// WithPerson gives a context somebody to ask.
func WithPerson(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, personKey{}, p)
}

// Manual is done by a person, for the single points of failure that are people,
// and for what has no switch that a program could throw.
type Manual struct {
	Do      string        `json:"do" yaml:"do" jsonschema:"required" jsonschema_description:"What to do."`
	Undo    string        `json:"undo" yaml:"undo" jsonschema:"required" jsonschema_description:"What to do to put it back."`
	Timeout time.Duration `json:"timeout,omitempty" yaml:"timeout,omitempty" jsonschema_description:"How long a person may take; 5m where it is not set."`
}

var (
	_ Fault   = (*Manual)(nil)
	_ Checker = (*Manual)(nil)
	_ Patient = (*Manual)(nil)
)

// Targetless tells that what a person does need not be about a component.
func (*Manual) Targetless() {}

// Patience is how long a person may take.
func (f *Manual) Patience() time.Duration { return cmp.Or(f.Timeout, DefaultManualTimeout) }

// Check implements [Checker].
func (f *Manual) Check() error {
	switch {
	case f.Do == "" || f.Undo == "":
		return errors.New("expected what to do, and what to do to undo it")
	case f.Timeout < 0:
		return fmt.Errorf("timeout: found %v, expected more than 0", f.Timeout)
	}
	return nil
}

// Prepare has nothing to read.
func (*Manual) Prepare(context.Context, target.Handle) (State, error) { return State("{}"), nil }

// Inject asks for it.
func (f *Manual) Inject(ctx context.Context, _ target.Handle, _ State) error { return f.ask(ctx, f.Do) }

// Revert asks to put it back. Where nobody is there, it is left, and said.
func (f *Manual) Revert(ctx context.Context, _ target.Handle, _ State) error {
	if err := f.ask(ctx, f.Undo); err != nil {
		return fmt.Errorf("a person has to do this, and then say so to gameday undo: %s (%w)", f.Undo, err)
	}
	return nil
}

func (f *Manual) ask(ctx context.Context, instruction string) error {
	person, ok := ctx.Value(personKey{}).(Person)
	if !ok {
		return errors.New("nobody is there to do it: run gameday on a terminal")
	}
	ctx, cancel := context.WithTimeout(ctx, f.Patience())
	defer cancel()
	return person.Do(ctx, instruction)
}

// Interruptible implements [Interruptible]: a person can be told to stop.
func (*Manual) Interruptible() {}
