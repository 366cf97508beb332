// Package atomicfile writes files that are whole or not there.
//
// A file is written under another name in the same folder, synced to disk, and
// renamed; then the folder is synced. Whatever dies in between (the
// process, the machine), a reader finds the old file or the new one. An error leaves the
// old one, and no other file.
//
// Two ways to treat a symbolic link are here, and both are needed. [Write] replaces
// it: in a run's folder, which may come from a stranger, a link must not lead gameday
// to overwrite a file elsewhere. [WriteThrough] keeps it, and changes what it leads to:
// for files that people keep and name themselves.
//
// google/renameio (v2.0.2) does the first half of this: the other name, the sync and
// the rename. It does not sync the folder, and says so; it follows no link; it writes
// over devices; and a failed chmod leaves its temporary file. What would be left for it
// to do is some twenty lines of the standard library, so they are here.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Write makes the file at path what write writes. A symbolic link at path is
// replaced. A new file has the mode, less the umask; an existing one keeps its
// permissions and, as far as the process may, its owner.
func Write(path string, mode fs.FileMode, write func(io.Writer) error) error {
	if err := replace(path, mode, write); err != nil {
		return fmt.Errorf("write %s: %w", path, plain(err))
	}
	return nil
}

// WriteBytes is [Write] of data that is at hand.
func WriteBytes(path string, mode fs.FileMode, data []byte) error {
	return Write(path, mode, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteThrough is [Write] to the file that a symbolic link at path leads to. The
// link stays.
func WriteThrough(path string, mode fs.FileMode, write func(io.Writer) error) error {
	file, err := follow(path)
	if err == nil {
		err = replace(file, mode, write)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, plain(err))
	}
	return nil
}

// replace writes a file under another name, and gives it its own. The named result
// tells the deferred removal whether it has one, after a panic of write too.
func replace(path string, mode fs.FileMode, write func(io.Writer) error) (err error) {
	before, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		before = nil
	case err != nil:
		return err
	case before.Mode()&fs.ModeSymlink != 0:
		before = nil // what it leads to is not touched
	case !before.Mode().IsRegular():
		return errors.New("it is a folder or a device, not a regular file")
	}
	dir := filepath.Dir(path)
	temporary := filepath.Join(dir, ".gameday-"+rand.Text()+".tmp")
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // G304: beside the caller's file
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		if !renamed {
			_ = file.Close() // it may be closed; the first error is returned
			if removeErr := os.Remove(temporary); removeErr != nil {
				err = errors.Join(err, removeErr)
			}
		}
	}()
	if err := write(file); err != nil {
		return err
	}
	if err := errors.Join(keep(file, before), file.Sync()); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	renamed = true
	return SyncDir(dir)
}

// keep gives a file the permissions, and the owner, of the one that it replaces.
func keep(file *os.File, before fs.FileInfo) error {
	if before == nil {
		return nil
	}
	keepOwner(file, before)
	return file.Chmod(before.Mode().Perm())
}

// SyncDir puts the names in a folder on disk: a new file is not there after a power
// cut until that is done. A file system that cannot do it for folders is no error.
func SyncDir(dir string) error {
	folder, err := os.Open(dir) //nolint:gosec // G304: the caller's folder
	if err != nil {
		return fmt.Errorf("sync folder %s: %w", dir, plain(err))
	}
	defer folder.Close()
	err = folder.Sync()
	if err == nil || errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return fmt.Errorf("sync folder %s: %w", dir, plain(err))
}

// MkdirAll is [os.MkdirAll], and puts the names of the folders that it makes on disk.
func MkdirAll(dir string, mode fs.FileMode) error {
	var parents []string
	for d := filepath.Clean(dir); d != filepath.Dir(d); d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil {
			break
		}
		parents = append(parents, filepath.Dir(d))
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := SyncDir(parent); err != nil {
			return err
		}
	}
	return nil
}

// mostLinks is how many symbolic links are followed, as the kernel does.
const mostLinks = 40

// follow is the path that symbolic links lead to, which need not be there.
func follow(path string) (string, error) {
	for range mostLinks {
		to, err := os.Readlink(path)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EINVAL): // it is no link
			return path, nil
		case err != nil:
			return "", err
		case filepath.IsAbs(to):
			path = to
		default:
			// Not cleaned by hand: ".." of a folder that is a link itself is not what it
			// looks like.
			dir, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			path = filepath.Join(dir, to)
		}
	}
	return "", errors.New("too many symbolic links")
}

// plain is an error without the path that it names: that of the temporary file, or
// one that the error names already.
func plain(err error) error {
	switch err := err.(type) { //nolint:errorlint // only one that nothing is wrapped around
	case *fs.PathError:
		return err.Err
	case *os.LinkError:
		return err.Err
	}
	return err
}

// Create writes a new file of a person's, with its folder. A file that is there stays as it
// is: the error wraps [fs.ErrExist]. After another error there is no file.
func Create(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // G301: the user's own files, beside their code
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // G302, G304: as above
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path)) // half a file would be in the way of the next try
	}
	return nil
}
