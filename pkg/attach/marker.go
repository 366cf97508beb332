package attach

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

// A message replaces the one of the same run, which is found by a marker. The marker is
// made of the run's ID. In the message itself no marker can stand, whatever the run met.

// runID is what the ID of a run, or what stands for it, looks like. It contains no part of
// a marker.
var runID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,254}$`)

func checkRun(id string) error {
	if !runID.MatchString(id) {
		return fmt.Errorf("found the run ID %q, expected up to 255 letters, digits, spaces and . _ + -", plaintext.OneLine(id, maxExcerpt))
	}
	return nil
}

const marks = "<!-- gameday " // how the first marker of any run begins

func begins(run string) string { return marks + run + " -->" }
func ends(run string) string   { return "<!-- /gameday " + run + " -->" }

// text is a message in Markdown, without comments of HTML.
func (m Message) text() string {
	text := cmp.Or(m.Markdown, plaintext.Markdown(m.Line)+"\n")
	text = strings.ReplaceAll(text, "<!--", "&lt;!--")
	return strings.TrimRight(text, "\n") + "\n"
}

// firstLine reports whether a text begins with a line, and not only with a part of it.
func firstLine(text, line string) bool {
	first, _, _ := strings.Cut(text, "\n")
	return strings.TrimRight(first, " \r") == line
}

var errNoEnd = errors.New("it has no end marker")

// find is where the section of a run is in a text. from is negative if it is not there.
// A marker counts only at the beginning of a line.
func find(text []byte, run string) (from, to int, err error) {
	from, at := -1, 0
	for line := range bytes.Lines(text) {
		switch trimmed := bytes.TrimLeft(line, " \t"); {
		case from < 0 && bytes.HasPrefix(trimmed, []byte(begins(run))):
			from = at + len(line) - len(trimmed)
		case from >= 0 && bytes.HasPrefix(trimmed, []byte(ends(run))):
			return from, at + len(line) - len(trimmed) + len(ends(run)), nil
		case from >= 0 && bytes.HasPrefix(trimmed, []byte(marks)):
			return from, 0, errNoEnd // the section of another run must not be replaced
		}
		at += len(line)
	}
	if from >= 0 {
		err = errNoEnd
	}
	return from, 0, err
}
