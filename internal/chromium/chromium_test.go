package chromium_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/chromium"
)

func TestWithoutABrowser(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := chromium.PDF(t.Context(), []byte("<p>page</p>"))
	if !errors.Is(err, chromium.ErrMissing) || !strings.Contains(err.Error(), "install chromium, or open report.html in any browser and print it") {
		t.Error(err)
	}
}

// A browser that fails is an error with what it said, and nothing is left.
func TestABrowserThatFails(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho 'no usable sandbox' >&2\nexit 7\n"
	if err := os.WriteFile(filepath.Join(dir, "chromium"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Setenv("PATH", dir)
	_, err := chromium.PDF(t.Context(), []byte("<p>page</p>"))
	if err == nil || !strings.Contains(err.Error(), "exit code 7, and no PDF: no usable sandbox") {
		t.Error(err)
	}
	if left, _ := os.ReadDir(temporary); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestPDF(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	pdf, err := chromium.PDF(t.Context(), []byte("<!doctype html><title>page</title><p>A page.</p>"))
	if errors.Is(err, chromium.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) || !bytes.Contains(pdf, []byte("%%EOF")) {
		t.Errorf("%d bytes: %v", len(pdf), err)
	}
}
