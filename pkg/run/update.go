package run

import (
	"context"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Progress shows what is prepared as updates.
func Progress(observe func(Update)) target.Progress {
	return target.Progress{
		Step:   func(text string) { observe(Update{Text: text}) },
		Detail: func(text string) { observe(Update{Text: text, Minor: true}) },
	}
}

// Phase is where a run stands.
type Phase string

// The phases, in their order.
const (
	Baseline Phase = "baseline"
	Inject   Phase = "inject"
	Watch    Phase = "watch"
	UndoIt   Phase = "undo"
	Repair   Phase = "repair"
	Confirm  Phase = "confirm"
	Done     Phase = "done"
)

// Update tells a view what has changed: a phase began, or something happened.
type Update struct {
	Phase Phase
	For   time.Duration // how long the phase lasts, at most
	Event *record.Event
	Text  string // progress of whatever takes its time
	Minor bool   // that it is not worth a line of a log
	Run   string // the ID of the run that begins: its folder is there
}

// Traffic is users walking a journey until ctx ends.
type Traffic interface {
	Run(ctx context.Context, on func(probe.Visit)) error
}
