// Package bounded reads what others have written, and never more than a stated amount of
// it: a file may be a pipe that never ends, may be sparse, and may unpack to a thousand
// times its size.
package bounded

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// MaxFile is the size of the largest file that a person writes, in bytes.
const MaxFile = 16 << 20

// ErrTooLarge is wrapped by the errors about what is larger than stated.
var ErrTooLarge = errors.New("too large")

// File reads a file of at most a number of bytes. Reading a pipe or a device might never
// end, so they are errors, but for what a shell hands over: /dev/stdin and <(command).
func File(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !handedOver(path) {
		if err := check(path, info, most); err != nil { // before it is opened: to open a pipe is to wait for its writer
			return nil, err
		}
	}
	file, err := os.Open(path) //nolint:gosec // G304: what the caller asks for
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return all(file, most)
}

// Opened reads the rest of an open file as [File] does.
func Opened(file *os.File, most int64) ([]byte, error) {
	info, err := file.Stat()
	if err == nil {
		err = check(file.Name(), info, most)
	}
	if err != nil {
		return nil, err
	}
	return all(file, most)
}

// check returns an error for what is no regular file, or is too large.
func check(path string, info fs.FileInfo, most int64) error {
	switch {
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "read", Path: path, Err: errors.New("found " + kindOf(info.Mode()) + ", expected a file")}
	case info.Size() > most:
		return &fs.PathError{Op: "read", Path: path, Err: tooLarge(most)}
	}
	return nil
}

// all reads a file, which may have no size, such as a pipe.
func all(file *os.File, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(data)) > most {
		err = &fs.PathError{Op: "read", Path: file.Name(), Err: tooLarge(most)}
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

func tooLarge(most int64) error {
	return fmt.Errorf("%w: expected at most %d MiB", ErrTooLarge, most>>20)
}

// handedOver reports whether a path is an open file of this process.
func handedOver(path string) bool {
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

// kindOf names what is no regular file.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// Reader passes on what From gives, up to Most bytes for each part of it. It is for
// streams of values that a decoder holds one at a time.
type Reader struct {
	From io.Reader
	Most int64

	taken int64 // of the part
}

// Read implements [io.Reader].
func (r *Reader) Read(p []byte) (int, error) {
	if r.taken >= r.Most {
		return 0, tooLarge(r.Most)
	}
	n, err := r.From.Read(p[:min(int64(len(p)), r.Most-r.taken)])
	r.taken += int64(n)
	return n, err
}

// Next begins the next part.
func (r *Reader) Next() { r.taken = 0 }
