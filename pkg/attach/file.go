package attach

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/internal/bounded"
)

// file is a Markdown file. Each run has a section between two markers. The rest of the
// file stays as it is.
type file struct{ path string }

// Deliver implements [Destination].
func (f file) Deliver(_ context.Context, m Message) (string, error) {
	before, err := f.read()
	if err != nil {
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

// maxFile is the maximum size of a file that a section is added to, in bytes.
const maxFile = 64 << 20

// read is what the file holds; nothing if it is not there.
func (f file) read() ([]byte, error) {
	data, err := bounded.File(f.path, maxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w: name a regular file", err)
	}
	return data, nil
}

// section adds the message's section to a text, or replaces the section of the same run.
func section(before []byte, m Message) ([]byte, error) {
	if err := checkRun(m.Run); err != nil {
		return nil, err
	}
	text := begins(m.Run) + "\n" + m.text() + ends(m.Run)
	from, to, err := find(before, m.Run)
	if err != nil {
		return nil, fmt.Errorf("the section of run %s: %w: add %s on a line of its own after the section, or delete the section's start marker", m.Run, err, ends(m.Run))
	}
	if from < 0 {
		gap := "\n\n"
		switch {
		case len(before) == 0:
			gap = ""
		case bytes.HasSuffix(before, []byte("\n")):
			gap = "\n"
		}
		return slices.Concat(before, []byte(gap+text+"\n")), nil
	}
	return slices.Concat(before[:from], []byte(text), before[to:]), nil
}
