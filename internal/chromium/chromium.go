// Package chromium prints pages with a headless Chromium, if this machine has one.
package chromium

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/internal/hostcmd"
	"github.com/gameday-dev/gameday/internal/plaintext"
)

// ErrMissing is the error if no browser is found.
var ErrMissing = errors.New("no Chromium or Chrome is installed")

// names are the programs that can print, in the order in which they are looked for.
func names() []string {
	return []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "chrome-headless-shell", "microsoft-edge"}
}

const (
	within  = 90 * time.Second
	mostPDF = 64 << 20 // bytes
	mostLog = 4 << 10  // bytes of what the browser says
)

// PDF prints a page that loads nothing. The browser runs in a profile of its own, which is
// removed, and ends with gameday.
func PDF(ctx context.Context, page []byte) (_ []byte, err error) {
	program := find()
	if program == "" {
		return nil, fmt.Errorf("%w (looked for %s): install chromium, or open report.html in any browser and print it", ErrMissing, strings.Join(names(), ", "))
	}
	dir, err := os.MkdirTemp("", "gameday-pdf-")
	if err != nil {
		return nil, fmt.Errorf("print the report: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	from, to := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.pdf")
	if err := os.WriteFile(from, page, 0o600); err != nil {
		return nil, fmt.Errorf("print the report: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	command := []string{
		program, "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--user-data-dir=" + filepath.Join(dir, "profile"), "--no-pdf-header-footer", "--print-to-pdf=" + to,
	}
	if os.Geteuid() == 0 { // Chromium's sandbox refuses root; the page is gameday's own and has no script
		command = append(command, "--no-sandbox")
	}
	code, said, err := hostcmd.Output(ctx, append(command, "file://"+filepath.ToSlash(from)), mostLog)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("print the report with %s: not within %v: %w", program, within, ctx.Err())
	case err != nil:
		return nil, fmt.Errorf("print the report with %s: %w", program, err)
	}
	data, err := bounded.File(to, mostPDF)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("print the report with %s: exit code %d, and no PDF: %s", program, code, plaintext.OneLine(said, 300))
	}
	if err != nil {
		return nil, fmt.Errorf("print the report: %w", err)
	}
	return data, nil
}

// find is the first browser that is there, or "".
func find() string {
	for _, name := range names() {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
