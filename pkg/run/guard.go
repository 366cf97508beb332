package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
)

// guardFor is how long a guard goes on trying to undo.
const guardFor = 10 * time.Minute

// Guard is the guard of a run. It holds the run's locks together with the run, says
// so by ready, and waits until gone is closed, which tells that the run has ended or
// died. It then undoes what the run has left: since it holds the locks all the time,
// no other run can begin before it is done.
func (r Replay) Guard(ctx context.Context, path string, ready func() error, gone <-chan struct{}) (err error) {
	ctx = context.WithoutCancel(ctx)
	header, _, err := journal.Peek(path)
	if err != nil {
		return err
	}
	local, err := journal.AcquireGuard(LockDir(r.StateDir), header.Lock)
	if err != nil {
		return err
	}
	site, labs, err := r.Open.Reach(ctx, header)
	if err != nil {
		return errors.Join(err, local.Release())
	}
	lock := &Lock{local: local}
	defer func() { err = errors.Join(err, lock.Release(ctx), site.Close()) }()
	if locker, ok := site.(target.Locker); ok {
		if lock.hold, err = locker.Lock(ctx, journal.HolderNow(header.Run, header.Environment)); err != nil {
			return err
		}
	}
	if err := ready(); err != nil {
		return fmt.Errorf("tell that the guard is ready: %w", err)
	}
	<-gone
	pause := undoPauses
	for deadline := time.Now().Add(guardFor); ; pause = min(2*pause, maxPause) {
		_, err := play(ctx, path, undoersOf(header, site, labs), r.Note)
		_, left, gone := journal.Peek(path)
		if errors.Is(gone, os.ErrNotExist) || errors.Is(err, journal.ErrDamaged) && len(left) == 0 || time.Now().After(deadline) {
			return err
		}
		sleep(ctx, pause)
	}
}

// maxPause is the longest pause between two tries of a guard.
const maxPause = 10 * time.Second

// Guardian is the process that plays a journal if this one dies.
type Guardian struct {
	PID   int
	Leave func()          // tells it that this process is done with the journal
	Ended <-chan struct{} // closed once it has ended
}

// guards keep one guardian over a journal: one that is killed is replaced.
type guards struct {
	start func() (Guardian, error)
	note  func(text string)

	mu       sync.Mutex
	now      Guardian
	replaced chan struct{} // closed when now is another one
}

func startGuards(start func() (Guardian, error), note func(string)) (*guards, error) {
	first, err := start()
	return &guards{start: start, note: note, now: first, replaced: make(chan struct{})}, err
}

// current is the guardian, and what is closed when it has been replaced.
func (g *guards) current() (now Guardian, replaced <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now, g.replaced
}

// ready waits until a guardian is there: one that has died is being replaced. It reports false
// if ctx ends before that.
func (g *guards) ready(ctx context.Context) bool {
	for {
		now, replaced := g.current()
		select {
		case <-now.Ended:
		default:
			return ctx.Err() == nil
		}
		select {
		case <-replaced:
		case <-ctx.Done():
			return false
		}
	}
}

// maxGuards is how many guardians a run may use up. Something that kills each of them would
// kill the next one.
const maxGuards = 4

// watched is a context that ends when a guardian has died and could not be replaced: without
// one, nothing would put the environment back if this process died. leave ends the watching.
func (g *guards) watched(ctx context.Context) (_ context.Context, leave func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	left := make(chan struct{})
	go func() {
		defer close(left)
		for used := 1; ; used++ {
			was, _ := g.current()
			select {
			case <-ctx.Done():
				return
			case <-was.Ended:
			}
			next, err := was, errors.New("too many guards have died")
			if used < maxGuards {
				next, err = g.another(ctx)
			}
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				cancel(StoppedError(fmt.Sprintf("stopped: the guard, process %d, has died and could not be replaced: %v", was.PID, err)))
				return
			}
			g.note(fmt.Sprintf("the guard (process %d) died and was replaced by process %d", was.PID, next.PID))
			g.mu.Lock()
			g.now = next
			close(g.replaced)
			g.replaced = make(chan struct{})
			g.mu.Unlock()
		}
	}()
	return ctx, func() { cancel(nil); <-left }
}

// anotherFor is how long another guardian may take to be ready. Meanwhile nothing watches.
const anotherFor = 10 * time.Second

// another starts another guardian. It does not wait for one that hangs.
func (g *guards) another(ctx context.Context) (Guardian, error) {
	type result struct {
		Guardian
		error
	}
	began := make(chan result, 1)
	go func() { next, err := g.start(); began <- result{next, err} }()
	select {
	case r := <-began:
		return r.Guardian, r.error
	case <-time.After(anotherFor):
	case <-ctx.Done():
	}
	go func() { // it must not outlast the run
		if r := <-began; r.error == nil {
			r.Leave()
		}
	}()
	return Guardian{}, fmt.Errorf("it was not ready after %v", anotherFor)
}

// How long a guardian is waited for: it ends once it has let the environment's lock go. If
// something is left to undo, it goes on trying for [guardFor], and is not waited for.
const (
	dismissFor = 30 * time.Second
	leftFor    = 2 * time.Second
)

// dismiss lets the guardian go. left is the number of entries that are left to undo.
func (g *guards) dismiss(left int) {
	now, _ := g.current()
	now.Leave()
	wait, note := dismissFor, "the guard, process %d, has not ended yet"
	if left > 0 {
		wait, note = leftFor, "the guard (process %d) keeps trying to undo the faults, for at most "+guardFor.String()
	}
	select {
	case <-now.Ended:
	case <-time.After(wait):
		g.note(fmt.Sprintf(note, now.PID))
	}
}
