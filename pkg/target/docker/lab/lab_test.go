package lab_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/gameday-dev/gameday/pkg/target/docker/lab"
)

// A lab's files are laid out once for each content, and mended if they were changed.
func TestLayOut(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	files := fstest.MapFS{"shop/compose.yaml": {Data: []byte("services: {}\n")}, "shop/db/Dockerfile": {Data: []byte("FROM base\n")}}
	lay := func() string {
		t.Helper()
		dir, err := lab.Extract(files, "shop")
		if err != nil {
			t.Fatal(err)
		}
		for name, file := range files {
			path := filepath.Join(dir, name[len("shop/"):])
			if data, err := os.ReadFile(path); err != nil || string(data) != string(file.Data) {
				t.Errorf("%s: %q, %v", path, data, err)
			}
		}
		return dir
	}
	first := lay()
	if again := lay(); again != first {
		t.Errorf("laid out in %s, and in %s", first, again)
	}
	for _, change := range []func(string) error{
		func(dir string) error { return os.WriteFile(filepath.Join(dir, "compose.yaml"), nil, 0o600) },
		func(dir string) error { return os.Remove(filepath.Join(dir, "db", "Dockerfile")) },
		func(dir string) error { return os.WriteFile(filepath.Join(dir, "more.yaml"), nil, 0o600) },
	} {
		if err := change(first); err != nil {
			t.Fatal(err)
		}
		if again := lay(); again != first {
			t.Errorf("mended in %s, expected %s", again, first)
		}
		if _, err := os.Stat(filepath.Join(first, "more.yaml")); err == nil {
			t.Error("what does not belong there is still there")
		}
	}
	files["shop/compose.yaml"] = &fstest.MapFile{Data: []byte("services: {db: {}}\n")}
	if other := lay(); other == first {
		t.Error("another content is in the same folder")
	}
}
