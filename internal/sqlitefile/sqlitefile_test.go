package sqlitefile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/gameday-dev/gameday/internal/sqlitefile"
)

// The file is the one that was named, and the pragmas count, whatever is in its name (L12).
func TestTheFileIsTheOneThatWasNamed(t *testing.T) { //nolint:paralleltest // it changes the working directory
	for _, name := range []string{"x.db", "b#c", "c%41", "%", "what?mode=memory", "a b&c=d", "ü", ":memory:", "file:x", "'"} {
		dir := t.TempDir()
		t.Chdir(dir)
		db, err := sqlitefile.Open(name, "journal_mode(WAL)", "busy_timeout(1234)")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var mode string
		var timeout int
		_, err = db.ExecContext(t.Context(), "CREATE TABLE t (x)")
		err = errors.Join(err, db.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode), db.QueryRowContext(t.Context(), "PRAGMA busy_timeout").Scan(&timeout))
		if err != nil || mode != "wal" || timeout != 1234 {
			t.Errorf("%s: %s, %d, %v", name, mode, timeout, err)
		}
		if files, err := os.ReadDir("."); err != nil || len(files) != 3 {
			t.Errorf("%s: found %v (%v), expected the file and two beside it", name, files, err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} { // (L13)
			if info, err := os.Stat(name + suffix); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: found %v (%v), expected mode 0600", name+suffix, info, err)
			}
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What cannot be a database is named, without an attempt to open it.
func TestWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir: "not a regular file", "/dev/null": "not a regular file", filepath.Join(dir, "missing", "x.db"): "no such file or directory",
	} {
		if _, err := sqlitefile.Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", path, err, want)
		}
	}
}

// Opening a file releases no lock that this process holds on it.
func TestOpeningAgainReleasesNoLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sqlitefile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (x)"); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	other, err := sqlitefile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	locks, err := os.ReadFile("/proc/locks")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("only Linux lists its locks")
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !strings.Contains(string(locks), fmt.Sprintf(":%d ", stat.Ino)) {
		t.Errorf("the lock is gone; of\n%s", locks)
	}
}
