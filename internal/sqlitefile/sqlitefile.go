// Package sqlitefile opens SQLite files that only their owner can read, whatever their
// path contains.
package sqlitefile

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the driver
)

// Open opens the SQLite file at a path, and creates it if it is missing. Pragmas are
// as busy_timeout(5000). Writers wait for each other; use one connection.
func Open(path string, pragmas ...string) (*sql.DB, error) {
	path, err := filepath.Abs(path) // else :memory: and //host would mean something else
	if err != nil {
		return nil, err
	}
	if err := private(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", uri(path, pragmas))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // more fail with "database is locked"
	return db, nil
}

// uri is the URI of a file. It ends at a ? or #, and % begins an escape.
func uri(path string, pragmas []string) string {
	var b strings.Builder
	b.WriteString("file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + "?_txlock=immediate")
	for _, p := range pragmas {
		b.WriteString("&_pragma=" + p)
	}
	return b.String()
}

// private keeps others from a file and from those that SQLite makes beside it. SQLite
// gives these the mode of the file, so a new file has it from the start.
//
// A file that is there is not opened: closing it would release the locks that SQLite
// holds on it for other connections of this process.
func private(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // G304: what the user names
	if err == nil {
		return file.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, fmt.Errorf("%s is a folder or a device, not a regular file", path))
	}
	if err := unix.Access(path, unix.R_OK|unix.W_OK); err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := hide(path + suffix); err != nil {
			return err
		}
	}
	return nil
}

// hide takes the permissions of others from a file. A file that is missing, or of another
// owner, stays as it is.
func hide(path string) error {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
		return nil //nolint:nilerr // SQLite reports what it cannot open
	}
	if err := os.Chmod(path, info.Mode().Perm()&0o700); err != nil && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("keep others from %s: %w", path, err)
	}
	return nil
}
