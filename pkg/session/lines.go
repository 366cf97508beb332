package session

import (
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
)

// Recently is the span over which a view shows how users are served.
const Recently = 5 * time.Second

// Line is an update as a line of a log or a terminal, or "" if it is not worth one.
func Line(u run.Update) string {
	now := time.Now().Format("15:04:05")
	switch {
	case u.Event != nil:
		return EventLine(*u.Event)
	case u.Phase == run.Done, u.Minor:
		return ""
	case u.Phase == run.Repair:
		return fmt.Sprintf("%s %s, at most %v", now, u.Phase, u.For)
	case u.Phase != "" && u.For > 0:
		return fmt.Sprintf("%s %s, %v", now, u.Phase, u.For)
	case u.Phase != "":
		return now + " " + string(u.Phase)
	}
	return now + " " + plaintext.Line(u.Text)
}

// EventLine is an event as a line, or "" for a mark: phases and faults say the same.
func EventLine(e record.Event) string {
	if e.Kind == record.KindMark {
		return ""
	}
	text := e.What
	if e.Component != "" {
		text = e.Component + ": " + text
	}
	from := e.Kind
	if e.By != "" {
		from = e.By
	}
	return e.At.Local().Format("15:04:05") + " " + plaintext.Line(from+": "+text)
}
