package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// DefaultManualTimeout is the default time that a person has for an instruction.
const DefaultManualTimeout = 5 * time.Minute

// Person is a person at a terminal who follows instructions.
type Person interface {
	// Do shows an instruction and returns once the person confirms it. It returns an
	// error if there is no person, or ctx ends first.
	Do(ctx context.Context, instruction string) error
}

type personKey struct{}

// WithPerson returns a context with the person that [Manual] faults ask.
func WithPerson(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, personKey{}, p)
}

// Witnessed returns a context in which on receives each instruction that a person has
// confirmed, with the person's name.
func Witnessed(ctx context.Context, on func(by, instruction string)) context.Context {
	person, ok := ctx.Value(personKey{}).(Person)
	if !ok {
		return ctx
	}
	return WithPerson(ctx, witnessed{person, on})
}

type witnessed struct {
	Person
	on func(by, instruction string)
}

// Do implements [Person].
func (w witnessed) Do(ctx context.Context, instruction string) error {
	err := w.Person.Do(ctx, instruction)
	if err == nil {
		by := "the person at the terminal"
		if named, ok := w.Person.(interface{ Name() string }); ok {
			by = named.Name()
		}
		w.on(by, instruction)
	}
	return err
}

// Manual is a fault that a person injects and reverts, for single points of failure that
// are people, and for things that no program can switch off.
type Manual struct {
	Do      string        `json:"do" yaml:"do" jsonschema:"required" jsonschema_description:"The instruction to inject the fault."`
	Undo    string        `json:"undo" yaml:"undo" jsonschema:"required" jsonschema_description:"The instruction to revert the fault."`
	Timeout time.Duration `json:"timeout,omitempty" yaml:"timeout,omitempty" jsonschema_description:"How long the person may take for an instruction (default: 5m)."`
}

var (
	_ Fault   = (*Manual)(nil)
	_ Checker = (*Manual)(nil)
	_ Patient = (*Manual)(nil)
)

// Targetless marks the kind: an instruction needs no target.
func (*Manual) Targetless() {}

// Patience implements [Patient]: it is the time that a person has for an instruction.
func (f *Manual) Patience() time.Duration { return cmp.Or(f.Timeout, DefaultManualTimeout) }

// Check implements [Checker].
func (f *Manual) Check() error {
	switch {
	case f.Do == "" || f.Undo == "":
		return errors.New("expected both do: and undo:, the instructions to inject and to revert the fault")
	case f.Timeout < 0:
		return fmt.Errorf("timeout: found %v, expected more than 0", f.Timeout)
	}
	return nil
}

// Prepare does nothing.
func (*Manual) Prepare(context.Context, target.Handle) (State, error) { return State("{}"), nil }

// Inject asks the person to inject the fault.
func (f *Manual) Inject(ctx context.Context, _ target.Handle, _ State) error { return f.ask(ctx, f.Do) }

// Revert asks the person to revert the fault. Without a person it returns an error with
// the instruction.
func (f *Manual) Revert(ctx context.Context, _ target.Handle, _ State) error {
	if err := f.ask(ctx, f.Undo); err != nil {
		return fmt.Errorf("ask a person to revert the fault: %w: do this by hand, then confirm it with gameday undo: %s", err, f.Undo)
	}
	return nil
}

func (f *Manual) ask(ctx context.Context, instruction string) error {
	person, ok := ctx.Value(personKey{}).(Person)
	if !ok {
		return errors.New("gameday has no terminal to ask a person: run gameday on a terminal")
	}
	ctx, cancel := context.WithTimeout(ctx, f.Patience())
	defer cancel()
	return person.Do(ctx, instruction)
}

// Interruptible implements [Interruptible]: the wait for a person can be cancelled.
func (*Manual) Interruptible() {}
