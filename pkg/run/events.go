package run

import (
	"context"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/target"
)

// follow records what the environment says happens to its components.
func (r *conduct) follow(ctx context.Context, watcher target.Watcher) {
	err := watcher.Watch(ctx, func(e target.Event) {
		what := e.Action
		if e.Detail != "" {
			what += ", " + e.Detail
		}
		r.tell(record.Event{At: e.At, Kind: record.KindEngine, Component: e.Component, What: what})
	})
	if err != nil {
		r.note(err.Error())
	}
}

// listen shows what people write into the record while the run goes on.
func (r *conduct) listen(ctx context.Context) {
	ear := r.Record.Ear()
	for sleep(ctx, beat) {
		for _, e := range ear.Heard() {
			r.Observe(Update{Event: &e})
			if e.Kind == record.KindRecovered {
				r.hand.recovered(e)
			}
		}
	}
}

func (r *conduct) mark(name record.MarkName, at time.Time, component string) error {
	if name == record.MarkBaseline {
		r.baselineAt = at
	}
	e := record.Event{At: at, Kind: record.KindMark, Mark: name, Component: component}
	r.Observe(Update{Event: &e})
	return r.Record.Event(e)
}

func (r *conduct) event(kind, component, what string) {
	r.tell(record.Event{At: r.Clock.Now(), Kind: kind, Component: component, What: what})
}

func (r *conduct) note(what string) { r.event(record.KindNote, "", what) }

func (r *conduct) tell(e record.Event) {
	e.What, e.Component, e.By = r.Record.Clean(e.What), r.Record.Clean(e.Component), r.Record.Clean(e.By) // an event is shown, too
	r.Observe(Update{Event: &e})
	_ = r.Record.Event(e) // an error is kept, and told when the record is closed
}

// sleep waits, and reports whether it waited to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
