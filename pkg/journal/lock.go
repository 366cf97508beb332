package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/gofrs/flock"
)

// Lock keeps an environment to one game day at a time. It ends with the
// process that holds it, so a dead runner's lock is no obstacle. It reaches as
// far as the file system: one machine.
type Lock struct{ flock *flock.Flock }

// BusyError names the holder of a lock.
type BusyError struct {
	Environment string
	Holder      Header
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("environment %s is busy: run %s (process %d) holds it since %s; wait for it, or stop it",
		e.Environment, e.Holder.Run, e.Holder.PID, e.Holder.Started.Local().Format("15:04:05"))
}

// Acquire takes the lock of an environment in dir, for the run that the header
// describes. Where somebody holds it, the error is a [BusyError].
func Acquire(dir, environment string, header Header) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lock %s: %w", environment, err)
	}
	path := filepath.Join(dir, regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(environment, "_")+".lock")
	lock := flock.New(path)
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", environment, err)
	}
	if !held {
		busy := BusyError{Environment: header.Environment}
		if data, err := os.ReadFile(path); err == nil { //nolint:gosec // G304: the lock's own path
			_ = json.Unmarshal(data, &busy.Holder) // best effort: the holder may be writing it
		}
		return nil, &busy
	}
	data, err := json.Marshal(header)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", environment, err), lock.Unlock())
	}
	return &Lock{lock}, nil
}

// Release lets the environment go. The file stays: removing it would race with
// the next holder.
func (l *Lock) Release() error { return l.flock.Unlock() }
