package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// The terminal's rules: one screen; the verdict first, then its evidence; colour
// only repeats what a word says; foreign texts go through plaintext.

// Terminal writes the report for a terminal, in colour if w and NO_COLOR allow it.
func Terminal(w io.Writer, r Report) error {
	renderer := lipgloss.NewRenderer(w)
	badge := renderer.NewStyle().Bold(true).Padding(0, 1).Reverse(true).Foreground(Colour(r.Outcome))
	name := renderer.NewStyle().Faint(true).Width(labelWidth)
	bold := renderer.NewStyle().Bold(true)

	var b strings.Builder
	fmt.Fprintf(&b, "\n%s %s", badge.Render(word(r.Outcome)), bold.Render(plaintext.Line(r.Scenario)))
	if s := stateOf(r.Verdict); s != "" {
		fmt.Fprintf(&b, " (%s)", s)
	}
	fmt.Fprintf(&b, "\n\n%s\n\n", wrap(plaintext.Line(Headline(r)), 96))
	for _, f := range facts(r) {
		fmt.Fprintf(&b, "%s%s\n", name.Render(f.name), plaintext.Line(f.text))
	}
	for _, l := range r.Load {
		fmt.Fprintf(&b, "\n%s\n", figuresTable(l))
		listed, more := l.shortened(5)
		for _, c := range listed {
			fmt.Fprintf(&b, "  %7s × %s\n", thousands(c.N), plaintext.Line(c.Error))
		}
		if more != nil {
			fmt.Fprintf(&b, "  %7s × … %s\n", thousands(more.N), more.Text())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// labelWidth is the width of a label and the space after it.
const labelWidth = 12

// wrap breaks a text between words.
func wrap(text string, width int) string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	return strings.Join(append(lines, line), "\n")
}

// Colour is the colour of a verdict.
func Colour(o verdict.Outcome) lipgloss.TerminalColor {
	switch o {
	case verdict.Disproved:
		return lipgloss.Color("2")
	case verdict.Proven:
		return lipgloss.Color("1")
	case verdict.Degraded, verdict.Inconclusive, verdict.Aborted:
	}
	return lipgloss.Color("3")
}

func figuresTable(l Load) string {
	rows := [][]string{{plaintext.Line(l.Journey), "users", "bad", "p50", "p95", "p99", "max"}}
	for _, f := range append(append([]Figures{}, l.Phases...), l.Steps...) {
		rows = append(rows, []string{
			"  " + plaintext.Line(f.Name), thousands(f.N), thousands(f.Bad), short(&f.P50), short(&f.P95), short(&f.P99), short(&f.Max),
		})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], lipgloss.Width(cell))
		}
	}
	var lines []string
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-lipgloss.Width(cell))
			if i == 0 {
				line.WriteString(cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return strings.Join(lines, "\n")
}

var _ Format = Terminal
