package atomicfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/atomicfile"
)

var errFull = errors.New("no space left on device")

// text is a write of a text.
func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// old makes a file with a text in a folder of its own.
func old(t *testing.T, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(path, []byte("old"), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// holds fails the test unless a folder holds just these names.
func holds(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the folder holds (-want +got):\n%s", diff)
	}
}

func TestWriteReplacesAFile(t *testing.T) {
	t.Parallel()
	path := old(t, 0o600)
	if err := atomicfile.Write(path, 0o600, text("new")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "new" {
		t.Errorf("found %q", got)
	}
	holds(t, filepath.Dir(path), "file")
}

// A writer that ends half way leaves the old file whole, and no other file.
func TestAFailedWriteLeavesTheOldFile(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(io.Writer) error{
		"error": func(w io.Writer) error { return errors.Join(text("ne")(w), errFull) },
		"panic": func(w io.Writer) error { panic(errors.Join(text("ne")(w), errFull)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := old(t, 0o600)
			err := func() (err error) {
				defer func() {
					if p := recover(); p != nil {
						err, _ = p.(error)
					}
				}()
				return atomicfile.Write(path, 0o600, fail)
			}()
			if !errors.Is(err, errFull) {
				t.Errorf("the error is %v", err)
			}
			if got := read(t, path); got != "old" {
				t.Errorf("the old file holds %q", got)
			}
			holds(t, filepath.Dir(path), "file")
		})
	}
}

func TestAFailedFirstWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := atomicfile.Write(filepath.Join(dir, "file"), 0o600, func(io.Writer) error { return errFull }); !errors.Is(err, errFull) {
		t.Errorf("the error is %v", err)
	}
	holds(t, dir)
}

// While a file is written, readers find the old one.
func TestReadersFindTheOldFileMeanwhile(t *testing.T) {
	t.Parallel()
	path := old(t, 0o600)
	err := atomicfile.Write(path, 0o600, func(w io.Writer) error {
		if err := text("new")(w); err != nil {
			return err
		}
		if got := read(t, path); got != "old" {
			t.Errorf("found %q meanwhile", got)
		}
		return nil
	})
	if err != nil || read(t, path) != "new" {
		t.Errorf("%v, %q", err, read(t, path))
	}
}

func TestErrorsSayWhatWasBeingDone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		path string
		want string
	}{
		"no folder":      {filepath.Join(dir, "nowhere", "file"), "write " + filepath.Join(dir, "nowhere", "file") + ": "},
		"a folder":       {dir, "write " + dir + ": it is a folder or a device, not a regular file"},
		"a file as such": {filepath.Join(old(t, 0o600), "file"), "not a directory"},
	} {
		err := atomicfile.WriteBytes(c.path, 0o600, []byte("new"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
	holds(t, dir)
}

// A new file has the mode that was asked for, an existing one keeps its own.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for _, mode := range []fs.FileMode{0o600, 0o644, 0o640, 0o444} {
		path := old(t, mode)
		if err := atomicfile.Write(path, 0o600, text("new")); err != nil {
			t.Fatal(err)
		}
		if got := modeOf(t, path); got != mode {
			t.Errorf("it was %v, and is %v", mode, got)
		}
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := atomicfile.Write(path, 0o600, text("new")); err != nil {
		t.Fatal(err)
	}
	if got := modeOf(t, path); got != 0o600 {
		t.Errorf("a new one is %v", got)
	}
}

// Root writes a file that is another's, and it stays theirs.
func TestTheOwnerStays(t *testing.T) {
	t.Parallel()
	path := old(t, 0o640)
	want := os.Getuid()
	if err := os.Chown(path, 12345, 12345); err == nil { // only root may
		want = 12345
	}
	if err := atomicfile.Write(path, 0o600, text("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != want || info.Mode() != 0o640 {
		t.Errorf("it is of %+v, with %v, expected %d", owner, info.Mode(), want)
	}
}

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// linked is a link to a file in another folder: in as many steps as there are names.
func linked(t *testing.T, to string, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		to = name
	}
	return filepath.Join(dir, to)
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for name, through := range map[string]func(string, fs.FileMode, func(io.Writer) error) error{
		"kept": atomicfile.WriteThrough, "replaced": atomicfile.Write,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := old(t, 0o644)
			link := linked(t, path, "first", "second")
			if err := through(link, 0o600, text("new")); err != nil {
				t.Fatal(err)
			}
			stays := modeOf(t, link)&fs.ModeSymlink != 0
			if read(t, link) != "new" || stays != (name == "kept") {
				t.Errorf("the link is %v, and leads to %q", modeOf(t, link), read(t, link))
			}
			want := map[string]string{"kept": "new", "replaced": "old"}[name]
			if got := read(t, path); got != want {
				t.Errorf("what it led to holds %q, expected %q", got, want)
			}
			if got := modeOf(t, path); got != 0o644 {
				t.Errorf("what it led to is %v", got)
			}
			holds(t, filepath.Dir(path), "file")
		})
	}
}

// A link may lead to what is not there yet, and in a circle.
func TestLinksThatLeadNowhere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	link := linked(t, path, "link")
	if err := atomicfile.WriteThrough(link, 0o600, text("new")); err != nil || read(t, path) != "new" {
		t.Errorf("%v", err)
	}
	circle := filepath.Join(t.TempDir(), "circle")
	if err := os.Symlink("circle", circle); err != nil {
		t.Fatal(err)
	}
	err := atomicfile.WriteThrough(circle, 0o600, text("new"))
	if err == nil || !strings.Contains(err.Error(), "too many symbolic links") {
		t.Errorf("a circle: %v", err)
	}
}

// Of several that write at once, one wins whole.
func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	path := old(t, 0o600)
	const size = 100_000
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			letter := []byte{byte('a' + i)}
			err := atomicfile.Write(path, 0o600, func(w io.Writer) error {
				for range 10 {
					if _, err := w.Write(bytes.Repeat(letter, size/10)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	got := read(t, path)
	if len(got) != size || strings.Count(got, got[:1]) != size {
		t.Errorf("a mixture of %d bytes", len(got))
	}
	holds(t, filepath.Dir(path), "file")
}

func TestSyncDir(t *testing.T) {
	t.Parallel()
	if err := atomicfile.SyncDir(t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := atomicfile.SyncDir(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestMkdirAll(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	for range 2 { // the second time it is there
		if err := atomicfile.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if got := modeOf(t, d); got != fs.ModeDir|0o750 {
			t.Errorf("%s is %v", d, got)
		}
	}
	if err := atomicfile.MkdirAll(filepath.Join(old(t, 0o600), "a"), 0o750); err == nil {
		t.Error("a folder was made in a file")
	}
}

func ExampleWrite() {
	err := atomicfile.Write("/nowhere/verdict.json", 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, "{}\n")
		return err
	})
	fmt.Println(err)
	// Output: write /nowhere/verdict.json: no such file or directory
}
