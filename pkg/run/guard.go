package run

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	for deadline := time.Now().Add(guardFor); ; {
		_, err := play(ctx, path, undoersOf(header, site, labs))
		if _, gone := os.Stat(path); errors.Is(gone, os.ErrNotExist) || time.Now().After(deadline) {
			return err
		}
		sleep(ctx, undoPauses)
	}
}
