// Package notes writes what people say about a run into its record, while another process
// writes the run itself, and after it.
//
// Each line of the events is one append, which the system does not mix with another. A lock
// on the file says whether the run goes on: the run shares it until its reports are written,
// or its process has died. Who holds it alone may therefore mend what a power cut has left
// at the end of the file: a line that follows half of one could not be read.
//
// It is not part of pkg/record, because the program of load workers holds that package, and
// needs no locks.
package notes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/gameday-dev/gameday/internal/folder"
	"github.com/gameday-dev/gameday/pkg/record"
)

// maxNotes is how many notes one run takes, and maxLine the longest line of its events.
const (
	maxNotes = 1000
	maxLine  = 16 << 20 // bytes
)

// lockWithin is how long the lock is waited for, and lockPause how often it is tried: who
// holds it alone appends a line.
const (
	lockWithin = 5 * time.Second
	lockPause  = 10 * time.Millisecond
)

// ErrFull is wrapped by the error of one note too many.
var ErrFull = fmt.Errorf("the run has %d notes, and takes no more", maxNotes)

// StayOn shares the lock of a new record until leave is called. A file system without
// locks is no reason not to run: nothing is mended there.
func StayOn(dir string) (leave func()) {
	lock, err := shared(filepath.Join(dir, record.EventsFile))
	if err != nil {
		return func() {}
	}
	return func() { _ = lock.Unlock() } // the process that ends gives it up, too
}

func shared(path string) (*flock.Flock, error) {
	lock := flock.New(path)
	for deadline := time.Now().Add(lockWithin); ; <-time.After(lockPause) {
		got, err := lock.TryRLock()
		if got {
			return lock, nil
		}
		if err == nil && time.Now().After(deadline) {
			err = errors.New("another process holds it")
		}
		if err != nil {
			return nil, errors.Join(err, lock.Close())
		}
	}
}

// GoesOn reports whether the process that writes a record lives.
func GoesOn(dir string) bool {
	file, err := folder.Open(dir, record.EventsFile) // a pipe in its place would be waited for
	if err != nil {
		return false
	}
	defer file.Close()
	lock := flock.New(file.Name())
	defer lock.Close()
	alone, err := lock.TryLock()
	return err == nil && !alone
}

// Say appends what a person says about a run to its events: one that goes on, one that has
// ended, or one whose process has died. The event is on disk when Say returns. The caller
// has taken secrets out, and made it one line.
func Say(dir string, e record.Event) (err error) {
	if e.Mark, e.Schema = "", ""; e.Kind != record.KindRecovered {
		e.Kind = record.KindPerson
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write a note: %w", err)
	}
	if err := say(dir, append(line, '\n')); err != nil {
		return fmt.Errorf("write a note into %s: %w", filepath.Join(dir, record.EventsFile), err)
	}
	return nil
}

func say(dir string, line []byte) error {
	file, err := folder.Append(dir, record.EventsFile)
	if err != nil {
		return err
	}
	defer file.Close()
	lock := flock.New(file.Name())
	alone, err := lock.TryLock()
	if err == nil && !alone {
		_ = lock.Close()
		lock, err = shared(file.Name())
	}
	if err != nil {
		return fmt.Errorf("lock the record: %w", err)
	}
	defer lock.Close()
	if err := room(dir); err != nil {
		return err
	}
	if alone {
		err = mend(file)
	} else {
		err = whole(file)
	}
	if err != nil {
		return err
	}
	if _, err := file.Write(line); err != nil {
		return err
	}
	return file.Sync()
}

// room is an error if a run has as many notes as it takes.
func room(dir string) error {
	events, err := record.Events(dir)
	if err != nil {
		return err
	}
	notes := 0
	for _, e := range events {
		if e.Said() {
			notes++
		}
	}
	if notes >= maxNotes {
		return ErrFull
	}
	return nil
}

// mend makes the file of a record that no run writes end with a whole line. Readers leave
// out what is taken away here.
func mend(file *os.File) error {
	size, err := record.Written(file)
	if err != nil {
		return err
	}
	tail, err := lastLine(file, size)
	if err != nil {
		return err
	}
	if len(tail) > 0 && !json.Valid(tail) {
		size -= int64(len(tail))
		tail = nil
	}
	if err := file.Truncate(size); err != nil || len(tail) == 0 {
		return err
	}
	_, err = file.WriteString("\n")
	return err
}

// whole waits until the line that the run is writing is whole.
func whole(file *os.File) error {
	for deadline := time.Now().Add(lockWithin); ; <-time.After(lockPause) {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		tail, err := lastLine(file, info.Size())
		if err != nil || len(tail) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return errors.New("the last line of the run that goes on is not whole: try again")
		}
	}
}

var errLong = errors.New("its last line is too long: the file is damaged")

// lastLine is what follows the last line end of a file of a size.
func lastLine(file *os.File, size int64) ([]byte, error) {
	var tail []byte
	for block := int64(4 << 10); size > int64(len(tail)); block *= 2 {
		if int64(len(tail)) > maxLine {
			return nil, errLong
		}
		from := max(size-block, 0)
		tail = make([]byte, size-from)
		if _, err := file.ReadAt(tail, from); err != nil {
			return nil, err
		}
		if at := bytes.LastIndexByte(tail, '\n'); at >= 0 {
			return tail[at+1:], nil
		}
	}
	return tail, nil
}
