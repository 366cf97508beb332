package report_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
)

// On a terminal of any width no line is longer, and a word stays whole unless it is longer
// than a line. No word is lost, and the narrowest shows the same figures as the widest.
func TestLinesFitTheTerminal(t *testing.T) {
	t.Parallel()
	var runs []report.Report
	for _, dir := range []string{fixed(t, 45*time.Second, nil), fixed(t, 0, func(m *run.Meta) { m.Left = "the disk of gameday-checkout_db_1 is still full" })} {
		r, err := report.Build(dir)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	runs = append(runs, hostile(t))
	shows := map[string]func(columns int) func(io.Writer) error{
		"proven":     func(columns int) func(io.Writer) error { return terminalOf(columns, runs[0]) },
		"not undone": func(columns int) func(io.Writer) error { return terminalOf(columns, runs[1]) },
		"hostile":    func(columns int) func(io.Writer) error { return terminalOf(columns, runs[2]) },
		"trials": func(columns int) func(io.Writer) error {
			return func(w io.Writer) error { return report.TrialsTerminalOf(columns)(w, report.TrialsOf(runs)) }
		},
	}
	for name, show := range shows {
		whole := written(t, show(0))
		for columns := 20; columns <= 200; columns++ {
			text := written(t, show(columns))
			for line := range strings.Lines(text) {
				if width := lipgloss.Width(strings.TrimSuffix(line, "\n")); width > columns {
					t.Fatalf("%s in %d columns has a line of %d: %q", name, columns, width, line)
				}
			}
			for word := range strings.FieldsSeq(whole) {
				if lipgloss.Width(word) <= columns-12 && !strings.Contains(text, word) {
					t.Fatalf("%s in %d columns breaks or lacks %q:\n%s", name, columns, word, text)
				}
			}
			if bare(text) != bare(whole) && columns >= 100 && name != "hostile" {
				t.Fatalf("%s in %d columns has other words:\n%s", name, columns, text)
			}
		}
	}
	golden(t, "proven.60.txt", written(t, terminalOf(60, runs[0])))
	golden(t, "proven.20.txt", written(t, terminalOf(20, runs[0])))
}

func terminalOf(columns int, r report.Report) func(io.Writer) error {
	return func(w io.Writer) error { return report.TerminalOf(columns)(w, r) }
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// bare is a text without its spaces and lines.
func bare(text string) string { return strings.Join(strings.Fields(text), "") }
