package report

import (
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/term"
)

// The columns of a terminal that a report is written for.
const (
	unlimited    = 0   // what is no terminal has no width: each line stays whole, for grep and for CI
	mostOfProse  = 96  // sentences are harder to read in longer lines
	leastColumns = 20  // of a terminal
	leastBeside  = 50  // in fewer columns, texts are below their labels
	labelWidth   = 12  // of a label and the space after it
	mostColumns  = 200 // of a terminal; longer lines are hard to follow
)

// columnsOf is the width of a terminal, or unlimited if w is no terminal.
func columnsOf(w io.Writer) int {
	file, ok := w.(interface{ Fd() uintptr })
	if !ok {
		return unlimited
	}
	columns, _, err := term.GetSize(file.Fd())
	if err != nil || columns <= 0 {
		return unlimited
	}
	return columns
}

// lines breaks texts between words, for a width in columns.
type lines struct {
	out     strings.Builder
	columns int // or unlimited
}

func newLines(columns int) *lines {
	if columns != unlimited {
		columns = min(max(columns, leastColumns), mostColumns)
	}
	return &lines{columns: columns}
}

// blank writes an empty line.
func (l *lines) blank() { l.out.WriteString("\n") }

// prose writes a sentence or more.
func (l *lines) prose(text string) {
	columns := mostOfProse
	if l.columns != unlimited {
		columns = min(l.columns, mostOfProse)
	}
	l.hang("", text, "", columns)
}

// labelled writes a text beside its label, or below it if there is no room.
func (l *lines) labelled(style lipgloss.Style, name, text string) {
	if l.columns != unlimited && l.columns < leastBeside {
		l.hang("", style.UnsetWidth().Render(name), "", l.columns)
		l.hang("  ", text, "  ", l.columns)
		return
	}
	l.hang(style.Width(labelWidth).Render(name), text, strings.Repeat(" ", labelWidth), l.columns)
}

// hang writes a text after its head. The lines after the first one begin with indent.
func (l *lines) hang(head, text, indent string, columns int) {
	if columns == unlimited {
		l.out.WriteString(head + text + "\n")
		return
	}
	line, begun := head, false
	for word := range strings.FieldsSeq(text) {
		for word != "" {
			gap := ""
			if begun {
				gap = " "
			}
			if lipgloss.Width(line+gap+word) <= columns {
				line, begun, word = line+gap+word, true, ""
				continue
			}
			if !begun { // the word is longer than a line
				fits, rest := cutAt(word, columns-lipgloss.Width(line))
				line, word = line+fits, rest
			}
			l.out.WriteString(line + "\n")
			line, begun = indent, false
		}
	}
	l.out.WriteString(strings.TrimRight(line, " ") + "\n")
}

// cutAt cuts a word after a number of columns, and after one character at least.
func cutAt(word string, columns int) (fits, rest string) {
	for i := range word {
		if i > 0 && lipgloss.Width(word[:i]) >= columns {
			return word[:i], word[i:]
		}
	}
	return word, ""
}

// table writes rows of which all but the first cell are figures, in columns. A row of one
// cell is a heading. If there is
// no room for them, each row is a text with the names of its figures.
func (l *lines) table(rows [][]string) {
	widths, whole := make([]int, len(rows[0])), -2
	for i := range widths {
		for _, row := range rows {
			if len(row) > 1 {
				widths[i] = max(widths[i], lipgloss.Width(row[i]))
			}
		}
		whole += widths[i] + 2
	}
	if l.columns != unlimited && whole > l.columns {
		l.narrowTable(rows)
		return
	}
	for _, row := range rows {
		var line strings.Builder
		if len(row) == 1 {
			l.hang("", row[0], "", l.columns)
			continue
		}
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-lipgloss.Width(cell))
			if i == 0 {
				line.WriteString(cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		l.out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

func (l *lines) narrowTable(rows [][]string) {
	names := rows[0]
	l.hang("", names[0], "  ", l.columns)
	for _, row := range rows[1:] {
		if len(row) == 1 {
			l.hang("", row[0], "  ", l.columns)
			continue
		}
		var figures []string
		for i, cell := range row[1:] {
			figures = append(figures, names[i+1]+" "+cell)
		}
		l.hang("  ", strings.TrimSpace(row[0])+": "+strings.Join(figures, ", "), "    ", l.columns)
	}
}
