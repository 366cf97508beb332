package scenario

import (
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/internal/bounded"
)

// Reading is one reading of a [Library]. It loads gameday.yaml once, remembers which files
// were looked at, and finds out cheaply whether one has changed since. Files that were not
// there count too: one may appear.
type Reading struct {
	mu    sync.Mutex
	files map[string]look

	once     sync.Once
	declared func() (Environments, string, error)
}

// look is what a file was when it was looked at.
type look struct {
	info fs.FileInfo // nil if there was no such file
	at   time.Time
}

// fresh is how long after a change a file may change once more without another
// modification time: coarse file systems count in seconds.
const fresh = 2 * time.Second

// note remembers a file, before it is read. It does nothing without a reading.
func (r *Reading) note(path string) {
	if r == nil {
		return
	}
	now := look{stat(path), time.Now()}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.files == nil {
		r.files = map[string]look{}
	}
	if _, known := r.files[path]; !known {
		r.files[path] = now
	}
}

// Changed reports whether a file is another one than when it was read, or may be.
func (r *Reading) Changed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for path, was := range r.files {
		if was.changed(stat(path)) {
			return true
		}
	}
	return false
}

func (l look) changed(is fs.FileInfo) bool {
	was := l.info
	if was == nil || is == nil {
		return was != is
	}
	return !os.SameFile(was, is) || was.Size() != is.Size() || !was.ModTime().Equal(is.ModTime()) ||
		l.at.Sub(was.ModTime()).Abs() < fresh
}

// stat is nil if there is no such file, or it cannot be looked at.
func stat(path string) fs.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

// read reads a file, and remembers it.
func (l Library) read(path string) ([]byte, error) {
	l.Reading.note(path)
	return bounded.File(path, bounded.MaxFile)
}

// declared is the nearest gameday.yaml, and its path: "" if there is none.
func (l Library) declared() (all Environments, file string, err error) {
	r := l.Reading
	if r == nil {
		return l.load()
	}
	r.once.Do(func() {
		e, path, failed := l.load()
		r.declared = func() (Environments, string, error) { return e, path, failed }
	})
	return r.declared()
}
