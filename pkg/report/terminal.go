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

// Terminal writes the report for a terminal, in its width, and in colour if w and NO_COLOR
// allow it. For what is no terminal, such as a pipe, only sentences are broken into lines.
func Terminal(w io.Writer, r Report) error { return TerminalOf(columnsOf(w))(w, r) }

// TerminalOf writes the report for a terminal with a number of columns, from 20 to 200.
func TerminalOf(columns int) Format {
	return func(w io.Writer, r Report) error {
		renderer := lipgloss.NewRenderer(w)
		name, bold := renderer.NewStyle().Faint(true), renderer.NewStyle().Bold(true)
		b := newLines(columns)
		b.blank()
		b.heading(renderer, r.Outcome, bold, plaintext.Line(r.Scenario), stateOf(r.Verdict))
		b.blank()
		b.prose(plaintext.Line(Headline(r)))
		b.blank()
		for _, f := range facts(r) {
			b.labelled(name, f.name, plaintext.Line(f.text))
		}
		if r.Anatomy != nil {
			b.labelled(name, "Anatomy", plaintext.Line(r.Anatomy.text()))
		}
		for _, l := range r.Load {
			b.blank()
			b.table(figuresOf(l))
			b.errors(l)
		}
		b.notes(r)
		b.why(name, r.Why)
		for _, a := range r.Advice {
			b.blank()
			for _, f := range a.facts() {
				b.labelled(name, f.name, plaintext.Line(f.text))
			}
		}
		_, err := io.WriteString(w, b.out.String())
		return err
	}
}

// heading writes the verdict, what it is about, and its state.
func (l *lines) heading(renderer *lipgloss.Renderer, o verdict.Outcome, style lipgloss.Style, about, state string) {
	badge := renderer.NewStyle().Bold(true).Padding(0, 1).Reverse(true).Foreground(Colour(o)).Render(word(o))
	var words []string
	for word := range strings.FieldsSeq(about) {
		for l.columns != unlimited && lipgloss.Width(word) > l.columns {
			fits, rest := cutAt(word, l.columns)
			words, word = append(words, style.Render(fits)), rest
		}
		words = append(words, style.Render(word))
	}
	if state != "" {
		words = append(words, "("+state+")")
	}
	if len(words) > 0 && l.columns != unlimited && lipgloss.Width(badge+" "+words[0]) > l.columns {
		l.out.WriteString(badge + "\n")
		badge = ""
	} else {
		badge += " "
	}
	l.hang(badge, strings.Join(words, " "), "", l.columns)
}

// errors writes the most frequent errors of a journey.
func (l *lines) errors(load Load) {
	listed, more := load.shortened(5)
	for _, c := range listed {
		l.hang(fmt.Sprintf("  %7s × ", thousands(c.N)), plaintext.Line(c.Error), "    ", l.columns)
	}
	if more != nil {
		l.hang(fmt.Sprintf("  %7s × ", thousands(more.N)), more.Text(), "    ", l.columns)
	}
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

// why writes the first error line of each component.
func (l *lines) why(style lipgloss.Style, all []Why) {
	if len(all) > 0 {
		l.blank()
	}
	for _, w := range all[:min(len(all), mostErrorLines)] {
		l.labelled(style, "First error", plaintext.Line(fmt.Sprintf("%s, %s after injection: %s", w.Component, short(&w.Lines[0].At), w.Lines[0].Text)))
	}
}

// ofSteps is the heading of the figures of steps.
const ofSteps = "steps, in all phases"

// figuresOf are the rows of a table of a journey's figures.
func figuresOf(l Load) [][]string {
	rows := [][]string{{plaintext.Line(l.Journey), "users", "bad", "p50", "p95", "p99", "max"}}
	add := func(all []Figures) {
		for _, f := range all {
			rows = append(rows, []string{
				"  " + plaintext.Line(f.Name), thousands(f.N), thousands(f.Bad), short(&f.P50), short(&f.P95), short(&f.P99), short(&f.Max),
			})
		}
	}
	add(l.Phases)
	if len(l.Steps) > 0 {
		rows = append(rows, []string{ofSteps})
		add(l.Steps)
	}
	return rows
}

var _ Format = Terminal
