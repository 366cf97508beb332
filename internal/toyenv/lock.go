package toyenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Lease is how long the lock of a toy environment stands once its holders have died.
const Lease = 2 * time.Second

func (e *Env) lockPath() string { return filepath.Join(e.Dir, "lock") }

// Lock implements [target.Locker] by a file whose time of change its holders renew.
func (e *Env) Lock(ctx context.Context, holder journal.Holder) (target.Hold, error) {
	data, err := json.Marshal(holder)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(e.lockPath(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.Write(data)
		return hold(e.lockPath()), errors.Join(err, file.Close())
	}
	if !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	busy := &journal.BusyError{Environment: holder.Environment}
	info, err := os.Stat(e.lockPath())
	if err == nil {
		data, err = os.ReadFile(e.lockPath())
	}
	if err == nil {
		err = json.Unmarshal(data, &busy.Holder)
	}
	if err != nil {
		return nil, fmt.Errorf("look at the lock: %w", err)
	}
	if busy.Holder.Run == holder.Run {
		return hold(e.lockPath()), nil
	}
	if e.renewed(ctx, info.ModTime()) {
		return nil, busy
	}
	if err := os.Remove(e.lockPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return e.Lock(ctx, holder)
}

// renewed waits for a lease, and reports whether the lock was renewed in it. How old its time
// of change looks tells nothing: clocks are stepped, and differ between machines.
func (e *Env) renewed(ctx context.Context, last time.Time) bool {
	for began := time.Now(); time.Since(began) < Lease; {
		select {
		case <-ctx.Done():
			return true // it was not seen to end
		case <-time.After(Lease / 40):
		}
		if info, err := os.Stat(e.lockPath()); err != nil || !info.ModTime().Equal(last) {
			return err == nil
		}
	}
	return false
}

// held is a lock that this process holds.
type held struct {
	path string
	lost chan struct{}
	end  chan struct{}
	once sync.Once
	done sync.WaitGroup
}

func hold(path string) *held {
	h := &held{path: path, lost: make(chan struct{}), end: make(chan struct{})}
	_ = os.Chtimes(path, time.Time{}, time.Now())
	h.done.Go(func() {
		ticker := time.NewTicker(Lease / 4)
		defer ticker.Stop()
		for {
			select {
			case <-h.end:
				return
			case now := <-ticker.C:
				if os.Chtimes(path, time.Time{}, now) != nil {
					close(h.lost)
					return
				}
			}
		}
	})
	return h
}

// Lost implements [target.Hold].
func (h *held) Lost() <-chan struct{} { return h.lost }

// Release implements [target.Hold].
func (h *held) Release(context.Context) error {
	h.once.Do(func() { close(h.end) })
	h.done.Wait()
	if err := os.Remove(h.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
