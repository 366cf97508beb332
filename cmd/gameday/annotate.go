package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
)

// annotateWithin is how long the last mark on a dashboard may take once a run is done.
const annotateWithin = 5 * time.Second

// annotated marks faults on the dashboards of the environment's Grafana, beside what
// observes. Marks are set one after the other by a goroutine of their own: nothing waits
// for them but the end of the run, and that not for long.
func annotated(ctx context.Context, in input, observe func(run.Update)) func(run.Update) {
	if in.environment.Grafana == "" {
		return observe
	}
	ctx = context.WithoutCancel(ctx)
	var region *attach.Region
	var marks sync.Mutex // they are set in their order
	var last chan struct{}
	then := func(do func() error) {
		before, done := last, make(chan struct{})
		last = done
		go func() {
			defer close(done)
			if before != nil {
				<-before
			}
			if err := do(); err != nil {
				slog.Warn("a mark on a dashboard was not set", "err", err)
			}
		}()
	}
	return func(u run.Update) {
		observe(u)
		marks.Lock()
		defer marks.Unlock()
		switch {
		case u.Event != nil && u.Event.Mark == record.MarkFault:
			r, at := &attach.Region{URL: in.environment.Grafana}, u.Event.At
			region = r
			then(func() error {
				return r.Begin(ctx, at, "gameday: "+in.scenario.Name+" in "+in.environment.Name, []string{"gameday", in.scenario.Name, in.environment.Name})
			})
		case u.Event != nil && u.Event.Mark == record.MarkRevert && region != nil:
			r, at := region, u.Event.At
			then(func() error { return r.End(ctx, at) })
			region = nil
		case u.Phase == run.Done && last != nil:
			if r, at := region, time.Now(); r != nil { // it ended by itself: there was nothing to undo
				then(func() error { return r.End(ctx, at) })
			}
			select {
			case <-last:
			case <-time.After(annotateWithin):
			}
			region, last = nil, nil
		}
	}
}
