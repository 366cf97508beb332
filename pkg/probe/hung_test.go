package probe_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
)

// hung is a worker that answers a number of pings and reads one more order, and then
// neither reads nor writes. Its stream ends only when it is closed.
func hung(pings int) func(context.Context) (io.ReadWriteCloser, error) {
	return func(context.Context) (io.ReadWriteCloser, error) {
		hisIn, ourOut := io.Pipe()
		ourIn, hisOut := io.Pipe()
		go func() {
			in := json.NewDecoder(hisIn)
			_, _ = io.WriteString(hisOut, `{"version":6}`)
			for n := 1; n <= pings; n++ {
				var order map[string]any
				if in.Decode(&order) != nil {
					return
				}
				_, _ = fmt.Fprintf(hisOut, `{"pong":%d,"now":1}`, n)
			}
			var last map[string]any
			_ = in.Decode(&last)
		}()
		return &pipes{ourIn, ourOut}, nil
	}
}

// A worker that hangs holds neither the load nor the lookups when they are to end (H4).
func TestAWorkerThatHangs(t *testing.T) {
	t.Parallel()
	const all = 9
	for name, c := range map[string]struct {
		pings int
		do    func(ctx context.Context, r probe.Remote) error
		most  time.Duration // after the end of ctx
		want  error
		says  string
	}{
		"before the load": {0, func(ctx context.Context, r probe.Remote) error { return r.Run(ctx, nil) }, 10 * time.Second, nil, "did not answer within 10s"},
		"in the pings":    {all - 1, func(ctx context.Context, r probe.Remote) error { return r.Run(ctx, nil) }, 10 * time.Second, nil, "did not answer within 10s"},
		"in the load":     {all, func(ctx context.Context, r probe.Remote) error { return r.Run(ctx, nil) }, 5300 * time.Millisecond, probe.ErrWorker, ""},
		"in the lookups": {all, func(ctx context.Context, r probe.Remote) error {
			return r.Confirm(ctx, record.AckedOf([]record.Ack{{ID: "1"}}), nil)
		}, 0, context.DeadlineExceeded, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				r := probe.Remote{Load: probe.Load{Journey: journey(), Way: probe.Way{Entry: "http://x"}, Rate: probe.Rate{Users: 1, Per: time.Second}}, Start: hung(c.pings)}
				began := time.Now()
				err := c.do(ctx, r)
				if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("found %v, expected %v %q", err, c.want, c.says)
				}
				if took := time.Since(began); took > time.Minute+c.most {
					t.Errorf("it ended after %v", took)
				}
			})
		})
	}
}
