package attach

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/gameday-dev/gameday/internal/atomicfile"
)

// file is a Markdown file. Each run has a section between two markers. The rest of the
// file stays as it is.
type file struct{ path string }

func begins(run string) string { return "<!-- gameday " + run + " -->" }
func ends(run string) string   { return "<!-- /gameday " + run + " -->" }

// Deliver implements [Destination].
func (f file) Deliver(_ context.Context, m Message) (string, error) {
	before, err := os.ReadFile(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("not delivered: %w", err)
	}
	after, err := section(before, m)
	if err != nil {
		return "", fmt.Errorf("%s: not delivered: %w", f.path, err)
	}
	// Replace the file atomically: people write in it too.
	if err := atomicfile.WriteThrough(f.path, 0o644, func(w io.Writer) error {
		_, err := w.Write(after)
		return err
	}); err != nil {
		return "", fmt.Errorf("not delivered: %w", err)
	}
	return f.path, nil
}

// section adds the message's section to a text, or replaces the section of the same run.
func section(before []byte, m Message) ([]byte, error) {
	begin, end := []byte(begins(m.Run)), []byte(ends(m.Run))
	text := append(append(append(append([]byte{}, begin...), "\n"...), m.Markdown...), end...)
	from := bytes.Index(before, begin)
	if from < 0 {
		gap := []byte("\n\n")
		switch {
		case len(before) == 0:
			gap = nil
		case bytes.HasSuffix(before, []byte("\n")):
			gap = []byte("\n")
		}
		return append(append(append(append([]byte{}, before...), gap...), text...), '\n'), nil
	}
	to := bytes.Index(before[from:], end)
	if to < 0 {
		return nil, fmt.Errorf("the section of run %s has no end marker: add %s after the section, or delete the section's start marker", m.Run, end)
	}
	rest := before[from+to+len(end):]
	return append(append(append([]byte{}, before[:from]...), text...), rest...), nil
}
