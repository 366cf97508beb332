// Package journal keeps, durably, what is still to be undone.
//
// Before a fault is injected, everything that its revert needs is appended to the run's
// journal and synced to disk ([Journal.Begin]). The journal also records that the fault was
// injected ([Journal.Done]) and that it was undone ([Journal.End]). If a process dies in
// between, any other process can undo the entries without an end, at any later time.
//
// A journal is a file of JSON lines. A torn last line is a line that was never
// written: what it announced had not been done yet, or had been done already.
// One process at a time holds a journal; the lock ends with the process.
package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/gameday-dev/gameday/internal/bounded"
)

// Schema is the version of the file that this code writes and reads.
const Schema = "gameday/journal/v1"

// maxSize is the size of the largest journal in bytes. An entry has the content of a file
// of up to a megabyte, at most.
const maxSize = 64 << 20

// keptFree is what a journal keeps free for ends, in bytes.
const keptFree = 1 << 20

// Errors that callers branch on.
var (
	ErrHeld  = errors.New("is in use by another process")
	ErrNewer = errors.New("was written by a newer gameday")
	// ErrDamaged is the error of a journal of which a part cannot be read. The rest is
	// read, and can be undone.
	ErrDamaged = errors.New("cannot be read")
)

// Header says whose journal it is, and how to reach the environment again.
type Header struct {
	Schema      string          `json:"schema"`
	Run         string          `json:"run"`
	Scenario    string          `json:"scenario,omitempty"`
	Environment string          `json:"environment"`    // its name, for people
	Kind        string          `json:"kind,omitempty"` // of the driver that opens it
	Address     json.RawMessage `json:"address"`        // the driver's settings, as they mean the same in any process
	// Lock is the identity of what the run has locked. An entry may be undone
	// there and nowhere else: on another engine, "not found" proves nothing.
	Lock    string    `json:"lock,omitempty"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
}

// Entry is one thing to be undone, as data.
type Entry struct {
	ID        string          `json:"id"`   // unique within the journal
	Kind      string          `json:"kind"` // who knows how to undo it
	Spec      json.RawMessage `json:"spec,omitempty"`
	Component string          `json:"component,omitempty"` // its id, if it is a component's
	// Identity survives the component: what took its place has the same.
	Identity string          `json:"identity,omitempty"`
	Name     string          `json:"name,omitempty"`  // for people
	State    json.RawMessage `json:"state,omitempty"` // what was so before
	// Settle is how long an order may still take effect after the process that gave it
	// has died. Until it is Done, undoing it once is not enough.
	Settle time.Duration `json:"settle,omitempty"`
	// Patience is how long one try of a revert may take, if that is longer than
	// usual.
	Patience time.Duration `json:"patience,omitempty"`
	// Done reports whether the order is known to have been carried out, so that
	// nothing of it is still under way.
	Done bool `json:"-"`
}

// line is one line of the file: the header, a begin, a done or an end.
type line struct {
	Header *Header `json:"journal,omitempty"`
	Begin  *Entry  `json:"begin,omitempty"`
	Done   string  `json:"done,omitempty"`
	End    string  `json:"end,omitempty"`
}

// empty reports whether a line says nothing that can be acted on.
func (l line) empty() bool {
	return l.Header == nil && (l.Begin == nil || l.Begin.ID == "") && l.Done == "" && l.End == ""
}

// Journal is an opened journal that this process holds.
type Journal struct {
	Header Header

	path    string
	file    *os.File
	lock    *flock.Flock
	pending []Entry
	damage  error // ErrDamaged, if a part could not be read
	unsaved error // why an end could not be written down
}

// Create starts a new journal at path, whose folder it makes.
func Create(path string, header Header) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	header.Schema = Schema
	j, err := open(path, os.O_CREATE|os.O_EXCL|os.O_RDWR)
	if err != nil {
		return nil, err
	}
	j.Header = header
	if err := errors.Join(j.append(line{Header: &header}), syncDir(filepath.Dir(path))); err != nil {
		return nil, errors.Join(err, j.release())
	}
	return j, nil
}

// Open takes over an existing journal. It is [ErrHeld] while another process
// holds it, and [os.ErrNotExist] once all of it was undone. Of a journal that is damaged,
// what can be read is pending, and [Journal.Close] tells the damage.
func Open(path string) (*Journal, error) {
	j, err := open(path, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := j.load(); err != nil {
		return nil, errors.Join(err, j.release())
	}
	return j, nil
}

func open(path string, flags int) (*Journal, error) {
	file, err := os.OpenFile(path, flags, 0o600) //nolint:gosec // G304: the journal's own path
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDWR)) // not created: it may have been removed meanwhile
	held, err := lock.TryLock()
	if err == nil && !held {
		err = fmt.Errorf("journal %s %w", path, ErrHeld)
	}
	if err == nil {
		// The process that held it may have undone all and removed it meanwhile.
		_, err = os.Stat(path)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close(), lock.Unlock())
	}
	return &Journal{path: path, file: file, lock: lock}, nil
}

// Begin makes an entry durable: it is on disk when Begin returns nil, and only
// then may its effect begin.
func (j *Journal) Begin(e Entry) error {
	if err := j.room(e); err != nil {
		return err
	}
	if err := j.append(line{Begin: &e}); err != nil {
		return err
	}
	j.pending = append(j.pending, e)
	return nil
}

// room returns an error if the journal with an entry, and with the ends of all that is
// pending, would be larger than what is read again.
func (j *Journal) room(e Entry) error {
	data, err := json.Marshal(line{Begin: &e})
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	size, err := j.file.Seek(0, io.SeekCurrent)
	if err == nil && size+int64(len(data))+keptFree > maxSize {
		err = fmt.Errorf("%w: with what is to be undone it would have more than %d MiB: make fewer runs at once", bounded.ErrTooLarge, maxSize>>20)
	}
	if err != nil {
		return fmt.Errorf("write journal %s: %w", j.path, err)
	}
	return nil
}

// Done records that what an entry announced was carried out to its end: from
// now on its effect is there, and none of it is still to come.
func (j *Journal) Done(id string) error {
	if err := j.append(line{Done: id}); err != nil {
		return err
	}
	markDone(j.pending, id)
	return nil
}

// NotOrdered tells that the order of an entry was not given, and that this process will not
// give it: nothing of it is to come. It is not written down, since an entry without an
// order is safe to undo.
func (j *Journal) NotOrdered(id string) { markDone(j.pending, id) }

func markDone(pending []Entry, id string) {
	for i := range pending {
		pending[i].Done = pending[i].Done || pending[i].ID == id
	}
}

// End records that an entry has been undone. If that cannot be written down, because the
// disk is full, [Journal.Close] returns the error if the journal has to stay: the entry is
// then undone again, which is safe.
func (j *Journal) End(id string) {
	j.unsaved = errors.Join(j.unsaved, j.append(line{End: id}))
	j.pending = slices.DeleteFunc(j.pending, func(e Entry) bool { return e.ID == id })
}

// Pending is what has begun and not ended, the last one first: the order in
// which to undo.
func (j *Journal) Pending() []Entry {
	pending := slices.Clone(j.pending)
	slices.Reverse(pending)
	return pending
}

func (j *Journal) append(l line) error {
	data, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if n, err := j.file.Write(append(data, '\n')); err != nil {
		// Half a line (a full disk) would spoil the next one.
		return errors.Join(fmt.Errorf("write journal: %w", err), j.cut(n))
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("sync journal: %w", err)
	}
	return nil
}

// cut takes the last n bytes back.
func (j *Journal) cut(n int) error {
	end, err := j.file.Seek(int64(-n), io.SeekCurrent)
	if err != nil {
		return err
	}
	return j.file.Truncate(end)
}

// Close closes the journal, and removes it if nothing is pending. One that is damaged
// stays, for a person to look at.
func (j *Journal) Close() error {
	err := j.file.Close()
	switch {
	case j.damage != nil:
		err = errors.Join(err, fmt.Errorf("%w; what could be read was undone: look at the file, and remove it if nothing else is left to undo", j.damage))
	case len(j.pending) == 0:
		err = errors.Join(err, os.Remove(j.path))
	default:
		err = errors.Join(err, j.unsaved)
	}
	return errors.Join(err, j.lock.Unlock())
}

func (j *Journal) release() error {
	return errors.Join(j.file.Close(), j.lock.Unlock())
}

// Path is where the journal lies.
func (j *Journal) Path() string { return j.path }

// List are the paths of the journals in a folder, oldest first.
func List(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+Suffix))
	slices.Sort(paths)
	return paths, err
}

// Suffix ends the name of every journal.
const Suffix = ".journal"

// syncDir makes the creation of a file in dir durable. It is stricter than
// atomicfile.SyncDir: a file system that cannot do this keeps no journal, as what is to
// be undone could be lost with the power.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // G304: the journal's own folder
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}
