package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Why is the first error lines that a component logged after the fault, if its log was kept.
type Why struct {
	Component string    `json:"component"`
	Lines     []LogLine `json:"lines"`
	More      int       `json:"more_lines,omitempty"` // error lines that are not listed, or say the same
	// From is when the kept log begins, if that is after the fault: earlier lines may be
	// missing.
	From *verdict.Seconds `json:"log_from_s,omitempty"`
}

// LogLine is a line of a log, with the time that the environment gave to it.
type LogLine struct {
	At   verdict.Seconds `json:"at_s"` // since the fault, by the environment's clock
	Text string          `json:"text"`
}

// The bounds of what is shown of logs.
const (
	mostErrorLines = 5
	mostOfLine     = 300    // bytes
	mostOfLog      = 20_000 // bytes of a log on a page
	mostOfAllLogs  = 200_000
)

// isError matches a line with an error, in the words that most programs use.
var isError = regexp.MustCompile(`(?i)\b(error|err|fatal|panic|exception|failed|failure|fail|refused|timeout|timed out|unavailable|unreachable|denied|critical|crit|emerg|alert|down|abort(ed)?|reset by peer|no route|terminat(ed|ing)|shutting down|out of memory|no space)\b`)

// varies is what differs between lines that say the same: numbers and times.
var varies = regexp.MustCompile(`[0-9]+`)

// findWhy finds the first error lines after the fault in the logs that were kept. Of lines
// that say the same the first one counts.
func (r *Report) findWhy() {
	if r.FaultAt == nil {
		return
	}
	for _, log := range r.logs {
		if w := whyOf(log, *r.FaultAt); len(w.Lines) > 0 {
			r.Why = append(r.Why, w)
		}
	}
	slices.SortStableFunc(r.Why, func(a, b Why) int { return cmp.Compare(a.Lines[0].At, b.Lines[0].At) })
}

// whyOf is what a log says after the fault.
func whyOf(log Log, fault time.Time) Why {
	w, said := Why{Component: log.Component}, map[string]bool{}
	begun := false
	for line := range strings.Lines(log.Text) {
		stamp, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil {
			continue // without a time it is not known to come after the fault
		}
		after := verdict.Seconds(at.Sub(fault))
		if !begun && after > 0 {
			w.From = &after
		}
		begun = true
		if after < 0 || !isError.MatchString(text) {
			continue
		}
		if same := varies.ReplaceAllString(text, ""); said[same] || len(w.Lines) == mostErrorLines {
			w.More++
		} else {
			said[same] = true
			w.Lines = append(w.Lines, LogLine{after, plaintext.OneLine(text, mostOfLine)})
		}
	}
	return w
}

// rest says what the lines of a component do not show, or "".
func (w Why) rest() string {
	var parts []string
	switch {
	case w.More == 1:
		parts = append(parts, "1 more line with an error")
	case w.More > 1:
		parts = append(parts, thousands(w.More)+" more lines with errors")
	}
	if w.From != nil {
		parts = append(parts, "the kept log begins "+short(w.From)+" after injection")
	}
	return strings.Join(parts, "; ")
}

// shownLogs are the logs as a page has them: the end of each, and none beyond a size. What
// is left out is said.
func (r Report) shownLogs() []Log {
	var shown []Log
	left := mostOfAllLogs
	for _, log := range r.logs {
		if room := min(mostOfLog, left); len(log.Text) > room {
			cut := log.Text[len(log.Text)-room:]
			if i := strings.IndexByte(cut, '\n'); i >= 0 {
				cut = cut[i+1:]
			}
			log.Text = fmt.Sprintf("… the last %s of %s bytes; all of it is in logs/ of the run's folder\n%s", thousands(len(cut)), thousands(len(log.Text)), cut)
		}
		left -= min(len(log.Text), left)
		shown = append(shown, log)
	}
	return shown
}
