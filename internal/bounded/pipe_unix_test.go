//go:build unix

package bounded_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gameday-dev/gameday/internal/bounded"
)

// A pipe with a name is refused: nobody may ever write to it. What a shell hands over is
// read to its end.
func TestPipes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bounded.File(path, 8); err == nil || !strings.Contains(err.Error(), "found a pipe, expected a file") {
		t.Errorf("%v", err)
	}
	open, err := os.OpenFile(path, os.O_RDWR, 0) // does not wait for another end
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if _, err := bounded.Opened(open, 8); err == nil || !strings.Contains(err.Error(), "found a pipe, expected a file") {
		t.Errorf("%v", err)
	}
	for most, want := range map[int64]string{5: "12345", 4: ""} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteString("12345"); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		data, err := bounded.File(fmt.Sprintf("/dev/fd/%d", r.Fd()), most)
		if string(data) != want || (err == nil) != (want != "") {
			t.Errorf("at most %d: found %q, %v", most, data, err)
		}
		_ = r.Close()
	}
}
