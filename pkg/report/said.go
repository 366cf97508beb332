package report

import (
	"fmt"
	"strings"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/record"
)

// said is what a person said about the run, or did, as timelines show it: "note by ann: the
// pager rang". ok is false for other events.
func said(e record.Event) (text string, ok bool) {
	switch e.Kind {
	case record.KindPerson:
		return fmt.Sprintf("note by %s: %s", e.By, e.What), true
	case record.KindConfirmed:
		return fmt.Sprintf("confirmed by %s: %s", e.By, e.What), true
	case record.KindRecovered:
		return strings.TrimSuffix(fmt.Sprintf("recovered, says %s: %s", e.By, e.What), ": "), true
	}
	return "", false
}

// notes are what people said about the run, for formats without a timeline.
func (r Report) notes() (all []happening) {
	for _, h := range r.happened() {
		if h.Said {
			all = append(all, h)
		}
	}
	return all
}

// notes writes what people said, in the order in which it was.
func (l *lines) notes(r Report) {
	for i, h := range r.notes() {
		if i == 0 {
			l.blank()
		}
		l.hang(fmt.Sprintf("%10s  ", h.At), plaintext.Line(h.What), "            ", l.columns)
	}
}
