package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// Notify sends a message to the receivers of its event. A message that
// could not be sent changes nothing about a run, and is a warning.
func (s Session) Notify(ctx context.Context, to []scenario.Notice, m attach.Message) {
	for _, n := range to {
		if n.Tracks() || !wants(n, m) {
			continue // findings go to trackers; see track
		}
		if _, err := attach.Deliver(context.WithoutCancel(ctx), n.To, m); err != nil {
			s.Warn(fmt.Errorf("could not send the %s notification: %w", m.Event, err))
		}
	}
}

// wants reports whether a receiver wants a message.
func wants(n scenario.Notice, m attach.Message) bool {
	if len(n.On) == 0 || slices.Contains(n.On, m.Event) {
		return true
	}
	return m.Report != nil && slices.Contains(n.On, scenario.FindingEvent) &&
		slices.ContainsFunc(report.FindingsOf(*m.Report), func(f report.Finding) bool { return !f.Disproved })
}

// annotateWithin is how long the last mark on a dashboard may take once a run is done.
const annotateWithin = 5 * time.Second

// marker sets marks on the dashboards of a Grafana, one after the other.
type marker struct {
	queue   chan func(context.Context) error
	region  *attach.Region // that of the fault in force
	dropped func()
}

// annotated is the observer of a request, beside which faults are marked on the
// dashboards of the environment's Grafana. Marks are set by a goroutine of their own:
// a run does not wait for them. done waits until they are set, for a while, and ends
// those that are not.
func (s Session) annotated(ctx context.Context, r Request) (observe func(run.Update), done func()) {
	if r.Environment.Grafana == "" {
		return r.Observe, func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	m := marker{queue: make(chan func(context.Context) error, 64), dropped: func() {
		s.Warn(errors.New("a Grafana annotation was dropped: Grafana is too slow"))
	}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for set := range m.queue {
			if err := set(ctx); err != nil {
				s.Warn(fmt.Errorf("annotate the Grafana dashboards: %w", err))
			}
		}
	}()
	var mu sync.Mutex // updates come from several goroutines
	observe = func(u run.Update) {
		r.Observe(u)
		mu.Lock()
		defer mu.Unlock()
		m.follow(r.Input, u)
	}
	return observe, func() {
		mu.Lock()
		close(m.queue)
		mu.Unlock()
		late := time.AfterFunc(annotateWithin, cancel)
		defer late.Stop()
		<-ended
		cancel()
	}
}

// follow orders the marks that an update asks for.
func (m *marker) follow(in Input, u run.Update) {
	switch {
	case u.Event != nil && u.Event.Mark == record.MarkFault:
		region, at := &attach.Region{URL: in.Environment.Grafana}, u.Event.At
		m.region = region
		m.put(func(ctx context.Context) error {
			return region.Begin(ctx, at, "gameday: "+in.Scenario.Name+" in "+in.Environment.Name, []string{"gameday", in.Scenario.Name, in.Environment.Name})
		})
	case u.Event != nil && u.Event.Mark == record.MarkRevert:
		m.end(u.Event.At)
	case u.Phase == run.Done: // a fault that ended by itself had nothing to revert
		m.end(time.Now())
	}
}

// end ends the region of the fault in force, if there is one.
func (m *marker) end(at time.Time) {
	if region := m.region; region != nil {
		m.region = nil
		m.put(func(ctx context.Context) error { return region.End(ctx, at) })
	}
}

// put orders a mark. A run does not wait for a Grafana that is slow.
func (m *marker) put(set func(context.Context) error) {
	select {
	case m.queue <- set:
	default:
		m.dropped()
	}
}
