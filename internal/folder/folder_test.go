package folder_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gameday-dev/gameday/internal/folder"
)

// stranger is a folder whose links lead outside, and in which pipes stand for files.
func stranger(t *testing.T) string {
	t.Helper()
	dir, outside := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "victim")
	if err := errors.Join(
		os.WriteFile(outside, []byte("mine"), 0o600),
		os.MkdirAll(filepath.Join(dir, "logs"), 0o700),
		os.WriteFile(filepath.Join(dir, "run.json"), []byte("{}"), 0o600),
		os.WriteFile(filepath.Join(dir, "logs", "db.log"), []byte("said"), 0o600),
		os.Symlink(outside, filepath.Join(dir, "logs", "link.log")),
		os.Symlink(outside, filepath.Join(dir, "verdict.json")),
		os.Symlink(filepath.Dir(outside), filepath.Join(dir, "more")),
		os.Symlink("run.json", filepath.Join(dir, "inside.json")),
		unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Nothing outside is read, and nothing is waited for (L16).
func TestAStrangersFolder(t *testing.T) {
	t.Parallel()
	dir := stranger(t)
	linked := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, linked); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{dir, linked} {
		for name, want := range map[string]string{"run.json": "{}", "logs/db.log": "said", "inside.json": "{}"} {
			if data, err := folder.ReadFile(at, name); err != nil || string(data) != want {
				t.Errorf("%s: %q %v", name, data, err)
			}
		}
		for _, name := range []string{"verdict.json", "logs/link.log", "more/victim", "../run/run.json", "pipe", "logs"} {
			if data, err := folder.ReadFile(at, name); err == nil {
				t.Errorf("%s: read %q", name, data)
			}
		}
	}
	if _, err := folder.ReadFile(dir, "pipe"); !errors.Is(err, folder.ErrNotRegular) {
		t.Errorf("a pipe: %v", err)
	}
	if _, err := folder.ReadFile(dir, "none"); !errors.Is(err, fs.ErrNotExist) || err.Error() != "open "+filepath.Join(dir, "none")+": no such file or directory" {
		t.Errorf("no file: %v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	dir := stranger(t)
	if names, err := folder.Names(dir, "logs"); err != nil || !slices.Equal(names, []string{"db.log", "link.log"}) {
		t.Errorf("%v %v", names, err)
	}
	if names, err := folder.Names(dir, "none"); err != nil || names != nil {
		t.Errorf("%v %v", names, err)
	}
	for _, name := range []string{"more", "pipe", "run.json"} {
		if names, err := folder.Names(dir, name); err == nil {
			t.Errorf("%s: %v", name, names)
		}
	}
}
