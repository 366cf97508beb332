// Package folder reads files of a folder that may be a stranger's, such as the folder of a
// run that was sent by mail: no link in it leads outside, and no pipe or device in it is
// waited for. The folder itself may be a link.
package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/gameday-dev/gameday/internal/bounded"
)

// ErrNotRegular is wrapped by the error of what stands in place of a file: a pipe, a
// device, a folder, or a link that leads outside.
var ErrNotRegular = errors.New("it is not a regular file of this folder")

// maxFile is the size of the largest file that is read as a whole, in bytes.
const maxFile = 64 << 20

// Open opens a regular file of a folder. Its name may have folders in it.
func Open(dir, name string) (*os.File, error) { return regular(dir, name, os.O_RDONLY) }

func regular(dir, name string, flags int) (*os.File, error) {
	file, err := openAs(dir, name, flags)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: filepath.Join(dir, name), Err: ErrNotRegular}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// ReadFile reads a regular file of a folder.
func ReadFile(dir, name string) ([]byte, error) {
	file, err := Open(dir, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return bounded.Opened(file, maxFile)
}

// Names are the names of what a folder within a folder holds, sorted; none if it is not
// there.
func Names(dir, name string) ([]string, error) {
	inner, err := open(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer inner.Close()
	names, err := inner.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", filepath.Join(dir, name), err)
	}
	slices.Sort(names)
	return names, nil
}

// Append opens a regular file of a folder to read it and to append to it.
func Append(dir, name string) (*os.File, error) { return regular(dir, name, os.O_RDWR|os.O_APPEND) }

func open(dir, name string) (*os.File, error) { return openAs(dir, name, os.O_RDONLY) }

// openAs opens what is there, and waits for nothing: without O_NONBLOCK, a pipe would wait
// for one who writes.
func openAs(dir, name string, flags int) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	file, err := root.OpenFile(name, flags|syscall.O_NONBLOCK, 0)
	if wrong, ok := errors.AsType[*fs.PathError](err); ok {
		path := filepath.Join(dir, name)
		if info, err := root.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			wrong.Err = ErrNotRegular
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: wrong.Err}
	}
	return file, err
}
