package target

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/journal"
)

// As asks a handle, or an environment, for a capability. The error is an
// [ErrUnsupported] that names the capability as people call it.
func As[C any](of any) (C, error) {
	capability, ok := of.(C)
	if ok {
		return capability, nil
	}
	name := cmp.Or(names()[reflect.TypeFor[C]()], "this")
	switch by := of.(type) {
	case nil:
		return capability, fmt.Errorf("%s %w without a component: give the fault a target", name, ErrUnsupported)
	case fmt.Stringer:
		return capability, fmt.Errorf("%s %w by %s", name, ErrUnsupported, by)
	}
	return capability, fmt.Errorf("%s %w by this environment", name, ErrUnsupported)
}

// names are the capabilities as people call them. A test finds one without.
func names() map[reflect.Type]string {
	return map[reflect.Type]string{
		reflect.TypeFor[Killer]():    "killing",
		reflect.TypeFor[Stopper]():   "stopping",
		reflect.TypeFor[Starter]():   "starting",
		reflect.TypeFor[Pauser]():    "pausing",
		reflect.TypeFor[Crasher]():   "crashing the main process",
		reflect.TypeFor[Limiter]():   "changing limits",
		reflect.TypeFor[Machine]():   "telling what its machine has",
		reflect.TypeFor[Execer]():    "running commands inside",
		reflect.TypeFor[Attacher]():  "running a helper for a component",
		reflect.TypeFor[Evictor]():   "ending the helpers of other processes",
		reflect.TypeFor[Prober]():    "checking kernel features",
		reflect.TypeFor[Finder]():    "looking for other components",
		reflect.TypeFor[Gatewayed](): "finding the addresses of the host",
		reflect.TypeFor[Lifeline]():  "checking whether a fault would disconnect gameday",
		reflect.TypeFor[Sharing]():   "telling who shares its namespaces",
		reflect.TypeFor[Joinable]():  "telling who has joined its namespaces",
		reflect.TypeFor[Logger]():    "reading logs",
		reflect.TypeFor[Watcher]():   "watching events",
		reflect.TypeFor[Locker]():    "locking the environment",
		reflect.TypeFor[Workers]():   "sending users from inside",
		reflect.TypeFor[Preparer]():  "getting ready",
		reflect.TypeFor[Dismisser](): "ending helpers",
		reflect.TypeFor[Diagnoser](): "checking what it runs on",
		reflect.TypeFor[Stocker]():   "checking what a lab needs",
		reflect.TypeFor[Versioned](): "telling versions",
	}
}

// Watcher is an environment that tells what happens to its components.
type Watcher interface {
	// Watch calls on for every event until ctx ends. It returns only then, or
	// when the events can no longer be had.
	Watch(ctx context.Context, on func(Event)) error
}

// Event is something that happened to a component, by the environment's clock.
type Event struct {
	At        time.Time
	Component string // its name
	Action    string // start, die, pause, …, in the environment's word
	Detail    string
}

// Workers is an environment on whose networks users can be simulated.
type Workers interface {
	// StartWorker starts a load worker on a network, and returns the stream to it;
	// see probe.Work. Closing the stream ends the worker.
	StartWorker(ctx context.Context, network string) (io.ReadWriteCloser, error)
	// PrepareWorkers does what takes time before the first worker can start, for example
	// build its image. It calls progress with the name of each slow step.
	PrepareWorkers(ctx context.Context, progress func(text string)) error
}

// Dismisser is an environment that keeps helpers, and ends them before it is
// closed.
type Dismisser interface {
	// Dismiss ends all helpers of this process, and waits until they are gone. The
	// end of ctx does not cut it off.
	Dismiss(ctx context.Context) error
}

// Preparer is an environment that takes time to get ready the first time, for example
// to build the image of its helpers.
type Preparer interface {
	// Prepare gets it ready. It calls progress with the name of each slow step.
	Prepare(ctx context.Context, progress func(text string)) error
}

// Diagnoser is an environment that can be checked before anything is run in it.
type Diagnoser interface {
	// Diagnose asks the environment about itself. It starts nothing.
	Diagnose(ctx context.Context) (Diagnosis, error)
	// Abilities tries what helpers can do there, with helpers beside no component. When it
	// returns, all that it has brought is gone, however ctx ends.
	Abilities(ctx context.Context, features []helper.Features, powers []helper.Power) (Abilities, error)
}

// Stocker is a [Provisioner] that knows what a lab needs before it is brought up.
type Stocker interface {
	// Stock looks at what there is for a lab. It makes nothing.
	Stock(ctx context.Context, lab Lab) (Stock, error)
}

// Versioned tells what an environment runs on, by name; nil if it does not
// answer.
type Versioned interface {
	Versions(ctx context.Context) map[string]string
}

// Locker is an environment with a lock inside it, so that two people on two
// machines cannot break it at once.
type Locker interface {
	// Lock takes the lock, or joins it if it is held for the same run: a run's
	// guard holds it together with the run. It is a [journal.BusyError] if it is
	// held for another one.
	Lock(ctx context.Context, holder journal.Holder) (Hold, error)
}

// Hold is a lock that is held. It ends by itself, within a lease, when every
// process that holds it has died.
type Hold interface {
	// Lost is closed when the lock is held no longer, though it was not released.
	Lost() <-chan struct{}
	// Release lets the lock go, for all who hold it.
	Release(ctx context.Context) error
}
