package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table writes rows under a head in columns.
func table(w io.Writer, head []string, rows [][]string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(head) > 0 {
		fmt.Fprintln(tw, strings.ToUpper(strings.Join(head, "\t")))
	}
	for _, row := range rows {
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	return tw.Flush()
}
