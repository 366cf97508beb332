package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/store"
)

// An address of another kind is refused, and nothing of it but its scheme is repeated (L14).
func TestAnAddressThatIsNoStore(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for where, want := range map[string]string{
		"mysql://u:hunter2@h/x":                       "found mysql:…, expected postgres://",
		"MySQL://u:hunter2@h/x":                       "found MySQL:…, expected postgres://",
		"postgre://u:hunter2@h/x":                     "found postgre:…, expected postgres://",
		"postgres:u:hunter2@h/x":                      "expected postgres://",
		"postgres:/u:hunter2@h/x":                     "expected postgres://",
		"user:hunter2@h/x":                            "found user:…",
		"host=h user=u password=hunter2":              "found settings of a connection",
		"POSTGRES://u:hunter2@127.0.0.1:1/x":          "connection refused",
		"PostgreSQL://u:hunter2@127.0.0.1:1/x":        "connection refused",
		"postgres://u:hunter2@127.0.0.1:no/x":         "expected postgres://",
		"postgres://u@127.0.0.1:1/x?password=hunter2": "connection refused",
	} {
		_, err := store.Open(t.Context(), where)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, expected %q without the password", where, err, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("files were made: %v %v", left, err)
	}
}

// The file of a store is the one that was named, whatever its name, and has its journal
// beside it (L12). Only its owner can read them, and those of an earlier gameday (L13).
func TestTheFileOfAStore(t *testing.T) { //nolint:paralleltest // it changes the working directory
	for _, name := range []string{"serve.db", "b#c", "c%41", "what?mode=memory", "a b&c=d", "ü", ":memory:", "./with:colon"} {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		s, err := store.Open(t.Context(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		private(t, dir, name, name+"-wal", name+"-shm")
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, f := range []string{name, name + "-wal"} { // as an earlier gameday, or a crash, has left them
			if err := touch(f); err != nil {
				t.Fatal(err)
			}
		}
		if s, err = store.Open(t.Context(), name); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		private(t, dir, name, name+"-wal", name+"-shm")
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// touch makes a file, if it is missing, and lets others read it.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(f.Close(), os.Chmod(path, 0o644))
	}
	return err
}

// private expects some files in a folder, and no others, and that only their owner can
// read them.
func private(t *testing.T, dir string, names ...string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != len(names) {
		t.Errorf("found %v (%v), expected %v", files, err, names)
	}
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: expected mode 0600 (%v)", name, err)
		}
	}
}

// A store of an earlier gameday gets what it lacks: an ID, and a log that is append-only
// against INSERT OR REPLACE too (L10).
func TestAnEarlierStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "serve.db")
	s := openAt(t, path)
	for _, statement := range []string{"DROP TABLE gameday_identity", "DROP TRIGGER gameday_audit_no_replace"} {
		if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path)
	if s.ID() == "" {
		t.Error("it has no ID")
	}
	auditIsAppendOnly(t, s)
}
