package bounded_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/internal/bounded/boundedtest"
)

func TestFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "x.yaml")
	if err := os.WriteFile(path, []byte("12345678"), 0o600); err != nil {
		t.Fatal(err)
	}
	for most, want := range map[int64]string{8: "12345678", 9: "12345678", 7: ""} {
		data, err := bounded.File(path, most)
		if string(data) != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, bounded.ErrTooLarge) {
			t.Errorf("at most %d: found %q, %v", most, data, err)
		}
	}
	if _, err := bounded.File(dir, 8); err == nil || err.Error() != "read "+dir+": found a folder, expected a file" {
		t.Errorf("a folder: %v", err)
	}
	if _, err := bounded.File(os.DevNull, 8); err == nil || !strings.Contains(err.Error(), "found a device, expected a file") {
		t.Errorf("a device: %v", err)
	}
	if _, err := bounded.File(filepath.Join(dir, "none"), 8); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// A file of a terabyte, of which nothing is on the disk, is refused by its size.
func TestASparseFileTakesNoMemory(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	path := filepath.Join(t.TempDir(), "sparse")
	boundedtest.Sparse(t, path, 1<<40)
	boundedtest.Allocates(t, 1<<20, func() {
		if _, err := bounded.File(path, bounded.MaxFile); !errors.Is(err, bounded.ErrTooLarge) {
			t.Errorf("%v", err)
		}
	})
}

func TestReader(t *testing.T) {
	t.Parallel()
	r := bounded.Reader{From: bytes.NewReader(make([]byte, 30)), Most: 10}
	for range 3 {
		if n, err := io.ReadFull(&r, make([]byte, 10)); n != 10 || err != nil {
			t.Fatalf("%d %v", n, err)
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, bounded.ErrTooLarge) {
			t.Fatalf("more than a part was read: %v", err)
		}
		r.Next()
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}
