package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/internal/redact"
)

// Foreign texts act on a terminal, and may hold secrets of the user: all of them go
// through these two, through plaintext itself, or through the format of a report.

// table writes rows under a head in columns.
func table(w io.Writer, head []string, rows [][]string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(head) > 0 {
		fmt.Fprintln(tw, strings.ToUpper(row(head)))
	}
	for _, cells := range rows {
		fmt.Fprintln(tw, row(cells))
	}
	return tw.Flush()
}

func row(cells []string) string {
	lines := make([]string, len(cells))
	for i, cell := range cells {
		lines[i] = plaintext.Line(cell)
	}
	return strings.Join(lines, "\t")
}

// shown is a message as a terminal may show it.
func shown(message string) string { return plaintext.Text(redact.Common().Text(message)) }
