package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Locks locks environments: on this machine by a file, so that its processes know
// of each other at once, and in the environment itself, for every machine that reaches
// it.
type Locks struct {
	StateDir string
	Note     func(text string) // told what is waited for
}

// Lock is an environment that this process holds.
type Lock struct {
	local *journal.Lock // nil if only the environment's own is held
	hold  target.Hold   // nil if the environment has no lock of its own
}

const (
	// guardWait is how long the guard of a run that has died is waited for.
	guardWait = 2 * time.Minute
	// leaseWait is how long the lock of a holder that has died may stand: its lease,
	// and what an engine takes to remove it.
	leaseWait = helper.Lease + 5*time.Second
)

// Acquire locks an environment. It is a [journal.BusyError] if another process holds
// it. If a run has died, Acquire waits for its guard, which is undoing its faults, or until
// its lease ends.
func (l Locks) Acquire(ctx context.Context, site target.Site, holder journal.Holder) (*Lock, error) {
	began, told := time.Now(), false
	for {
		lock, err := l.try(ctx, site, holder)
		var busy *journal.BusyError
		if !errors.As(err, &busy) {
			return lock, err
		}
		wait := time.Duration(0)
		switch {
		case busy.Guarded:
			wait = guardWait
		case busy.Holder.Host == holder.Host && !alive(busy.Holder.PID):
			wait = leaseWait
		}
		if time.Since(began) >= wait {
			return nil, err
		}
		if !told {
			told = true
			l.Note(fmt.Sprintf("waiting: run %s has died and still holds environment %s", busy.Holder, holder.Environment))
		}
		if !sleep(ctx, beat) {
			return nil, ctx.Err()
		}
	}
}

func (l Locks) try(ctx context.Context, site target.Site, holder journal.Holder) (*Lock, error) {
	local, err := journal.Acquire(LockDir(l.StateDir), site.ID(), holder)
	if err != nil {
		return nil, err
	}
	lock := &Lock{local: local}
	if locker, ok := site.(target.Locker); ok {
		if lock.hold, err = locker.Lock(ctx, holder); err != nil {
			return nil, errors.Join(err, local.Release())
		}
	}
	return lock, nil
}

// alive reports whether a process of this machine lives, as far as the system tells.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	return !errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// Watched is a context that ends when the lock is lost: another run may then take
// the environment, so this one must stop. leave ends the watching.
func (l *Lock) Watched(ctx context.Context) (_ context.Context, leave func()) {
	if l.hold == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	left := make(chan struct{})
	go func() {
		defer close(left)
		select {
		case <-l.hold.Lost():
			cancel(StoppedError("stopped: the lock of the environment was lost, and another run may take it"))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil); <-left }
}

// Release releases the environment.
func (l *Lock) Release(ctx context.Context) error {
	var errs []error
	if l.hold != nil {
		errs = append(errs, l.hold.Release(ctx))
	}
	if l.local != nil {
		errs = append(errs, l.local.Release())
	}
	return errors.Join(errs...)
}
