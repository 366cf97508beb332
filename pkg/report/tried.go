package report

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// maxTriedBody is how much of a body is shown, in bytes.
const maxTriedBody = 1000

// Tried writes the steps of one user of a journey for a person who writes it: what was
// asked, what came back, what was captured, and which assertion failed.
func Tried(w io.Writer, t probe.Tried) error {
	var b strings.Builder
	for _, s := range t.Steps {
		triedStep(&b, s)
	}
	if t.Look != nil {
		triedStep(&b, *t.Look)
	}
	outcome := "served"
	if t.Failed() {
		outcome = "not served"
	}
	fmt.Fprintf(&b, "The user was %s, in %s.\n", outcome, latency(t.Latency))
	_, err := io.WriteString(w, b.String())
	return err
}

func triedStep(b *strings.Builder, s probe.TriedStep) {
	mark := "✓"
	if s.Error != "" {
		mark = "✗"
	}
	fmt.Fprintf(b, "%s %s  %s", mark, plaintext.Line(s.Name), latency(s.Latency))
	if s.Attempts > 1 {
		fmt.Fprintf(b, " in %d attempts", s.Attempts)
	}
	b.WriteByte('\n')
	if s.Asked != nil {
		triedMessage(b, "→", s.Asked.Line, s.Asked.Header, s.Asked.Body)
	}
	for _, hop := range s.Hops {
		triedMessage(b, "←", triedCode(hop.Code), http.Header{"Location": {hop.Location}}, "")
		triedMessage(b, "→", hop.Line, nil, "")
	}
	if status := strings.TrimSpace(fmt.Sprintf("%s %s", triedCode(s.Code), s.Status)); status != "" || len(s.Body) > 0 {
		triedMessage(b, "←", fmt.Sprintf("%s, %d bytes", status, s.Size), s.Header, s.Body)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Captured)) {
		fmt.Fprintf(b, "    captured %s = %s\n", name, plaintext.OneLine(s.Captured[name], 100))
	}
	if s.Acknowledged != "" {
		fmt.Fprintf(b, "    acknowledged %s\n", plaintext.OneLine(s.Acknowledged, 100))
	}
	if s.Error != "" {
		fmt.Fprintf(b, "    failed: %s\n", plaintext.Line(s.Error))
	}
	if s.Found != "" {
		fmt.Fprintf(b, "    found:  %s\n", plaintext.Line(s.Found))
	}
	b.WriteByte('\n')
}

func triedCode(code int) string {
	if code == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", code, http.StatusText(code))
}

// triedMessage shows a request or a response, indented.
func triedMessage(b *strings.Builder, arrow, line string, header http.Header, body string) {
	fmt.Fprintf(b, "  %s %s\n", arrow, plaintext.Line(line))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			fmt.Fprintf(b, "    %s: %s\n", plaintext.Line(name), plaintext.Line(value))
		}
	}
	if len(body) == 0 {
		return
	}
	text := plaintext.Text(plaintext.Cut(body, maxTriedBody))
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(b, "    %s\n", line)
	}
}

// latency is a duration for a person.
func latency(d time.Duration) string {
	if d < time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

// TriedTable are the rows of a table of several users: how each step went, and how long
// the whole journey took, by which users are judged.
func TriedTable(all []probe.Tried) (head []string, rows [][]string) {
	head = []string{"step", "users", "failed", "median", "slowest", "errors"}
	var names []string
	steps := map[string][]probe.TriedStep{}
	for _, t := range all {
		each := t.Steps
		if t.Look != nil {
			each = append(slices.Clip(each), *t.Look)
		}
		for _, s := range each {
			if steps[s.Name] == nil {
				names = append(names, s.Name)
			}
			steps[s.Name] = append(steps[s.Name], s)
		}
	}
	for _, name := range names {
		rows = append(rows, triedRow(name, steps[name]))
	}
	whole := make([]probe.TriedStep, len(all))
	for i, t := range all {
		whole[i].Latency = t.Latency
		if t.Failed() {
			whole[i].Error = "see the steps"
		}
	}
	if len(all) > 0 {
		row := triedRow("whole journey", whole)
		rows = append(rows, append(row[:len(row)-1], ""))
	}
	return head, rows
}

func triedRow(name string, met []probe.TriedStep) []string {
	took := make([]time.Duration, len(met))
	failed, classes := 0, map[string]int{}
	for i, s := range met {
		took[i] = s.Latency
		if s.Error != "" {
			failed++
			classes[s.Error]++
		}
	}
	slices.Sort(took)
	var errors []string
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		errors = append(errors, fmt.Sprintf("%d× %s", classes[class], class))
	}
	return []string{
		name, strconv.Itoa(len(met)), strconv.Itoa(failed), latency(took[len(took)/2]), latency(took[len(took)-1]), strings.Join(errors, "; "),
	}
}
