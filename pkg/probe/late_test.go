package probe_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// holding performs steps that are held open.
type holding time.Duration

func (h holding) Open(probe.Step, probe.Opening) (probe.Action, error) { return h, nil }

func (h holding) Do(context.Context, *probe.User) (probe.Answer, error) {
	<-time.After(time.Duration(h))
	return probe.Answer{Held: time.Duration(h)}, nil
}

func (holding) Close() error { return nil }

// A user who holds a step open, or pauses before it, was not sent late.
func TestHoldingIsNotLateness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const hold = 3 * time.Second
		for _, pause := range []time.Duration{0, time.Second} {
			step := probe.Step{Name: "s", GRPC: &probe.GRPC{Method: "a.B/C", Stream: &probe.Stream{Hold: hold}}, Pause: pause}
			l := probe.Load{
				Journey: probe.Journey{Name: "j", Timeout: time.Second, Steps: []probe.Step{step}}, Way: probe.Way{Entry: "http://192.0.2.1"},
				Rate: perSecond(10), Protocols: probe.Protocols{"grpc": holding(hold)},
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			users := 0
			err := l.Run(ctx, func(v probe.Visit) {
				users++
				if v.Sample.Late > time.Millisecond || v.Sample.Error != "" {
					t.Errorf("%+v", v.Sample)
				}
			})
			cancel()
			if err != nil || users < 15 {
				t.Errorf("%d users: %v", users, err)
			}
		}
	})
}
