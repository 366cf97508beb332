package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"time"

	"github.com/gofrs/flock"
)

// Holder says who holds an environment.
type Holder struct {
	Run         string    `json:"run"`         // the run's id, or the command
	Environment string    `json:"environment"` // as the holder calls it
	User        string    `json:"user,omitempty"`
	Host        string    `json:"host,omitempty"`
	PID         int       `json:"pid"`
	Since       time.Time `json:"since"`
}

// HolderNow is this process, for a run or a command, from now on.
func HolderNow(run, environment string) Holder {
	h := Holder{Run: run, Environment: environment, PID: os.Getpid(), Since: time.Now().UTC()}
	h.Host, _ = os.Hostname() // for people: empty if the system does not tell
	if u, err := user.Current(); err == nil {
		h.User = u.Username
	}
	return h
}

// String is the holder as a person reads it.
func (h Holder) String() string {
	text := h.Run
	if h.User != "" || h.Host != "" {
		text += fmt.Sprintf(" of %s@%s", h.User, h.Host)
	}
	return text + fmt.Sprintf(" (process %d), since %s", h.PID, h.Since.Local().Format("2006-01-02 15:04:05"))
}

// BusyError names the holder of a lock.
type BusyError struct {
	Environment string // as the process that asked for the lock calls it
	Holder      Holder
	// Guarded tells that the holder has died and its guard is undoing what it
	// left.
	Guarded bool
}

// Error implements error.
func (e *BusyError) Error() string {
	if e.Guarded {
		return fmt.Sprintf("environment %s: run %s has died, and its guard is undoing its faults: wait until the guard has finished", e.Environment, e.Holder)
	}
	return fmt.Sprintf("environment %s is in use by run %s: wait until the run ends, or stop all runs on that host with gameday stop --all", e.Environment, e.Holder)
}

// Lock keeps an environment to one game day at a time on this machine. It has
// two parts, a run's and its guard's, each of which ends with the process that
// holds it. An environment is free once both are: when a run is killed, its
// guard still holds the environment until it has undone what the run left.
type Lock struct{ flock *flock.Flock }

// Acquire takes the lock of the environment with an identity in dir. It is a
// [BusyError] while another run, or the guard of one, holds it.
func Acquire(dir, identity string, holder Holder) (*Lock, error) {
	path, err := lockPath(dir, identity)
	if err != nil {
		return nil, err
	}
	lock := flock.New(path + lockSuffix)
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", identity, err)
	}
	busy := &BusyError{Environment: holder.Environment}
	if held {
		guard := flock.New(path + guardSuffix)
		free, err := guard.TryLock()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", identity, err), lock.Unlock())
		}
		busy.Guarded = !free
		if err := guard.Unlock(); err != nil {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", identity, err), lock.Unlock())
		}
	}
	if !held || busy.Guarded {
		if data, err := os.ReadFile(path + lockSuffix); err == nil { //nolint:gosec // G304: the lock's own path
			_ = json.Unmarshal(data, &busy.Holder) // best effort: the holder may be writing it
		}
		return nil, errors.Join(busy, lock.Unlock())
	}
	data, err := json.Marshal(holder)
	if err == nil {
		err = os.WriteFile(path+lockSuffix, data, 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", identity, err), lock.Unlock())
	}
	return &Lock{lock}, nil
}

// AcquireGuard takes the guard's part of a lock, while its run holds the other
// one.
func AcquireGuard(dir, identity string) (*Lock, error) {
	path, err := lockPath(dir, identity)
	if err != nil {
		return nil, err
	}
	lock := flock.New(path + guardSuffix)
	held, err := lock.TryLock()
	if err == nil && !held {
		err = errors.New("another guard holds it")
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s for the guard: %w", identity, err)
	}
	return &Lock{lock}, nil
}

const (
	lockSuffix  = ".lock"
	guardSuffix = ".guard" + lockSuffix
)

// lockPath is where the lock of an identity lies, but for the suffix.
func lockPath(dir, identity string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("lock %s: %w", identity, err)
	}
	return filepath.Join(dir, regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(identity, "_")), nil
}

// Release lets the environment go. The file stays: removing it would race with
// the next holder.
func (l *Lock) Release() error { return l.flock.Unlock() }
