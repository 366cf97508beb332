package steps_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/probe/steps"
	"github.com/gameday-dev/gameday/pkg/record"
)

const mib = 1 << 20

// outcome is what a step should come to.
type outcome struct {
	want     string        // the class of the error; "" for a good user
	within   time.Duration // the journey's timeout (default: 20s)
	presence string        // what a look-up finds, unless the step is held
}

// check sends a user along a journey of one step, and looks a write up with the step.
func check(t *testing.T, entry string, step probe.Step, o outcome) probe.Visit {
	t.Helper()
	if o.within == 0 {
		o.within = 20 * time.Second // on a busy machine
	}
	step.Name = "s"
	j := probe.Journey{Name: "j", Timeout: o.within, Steps: []probe.Step{step}}
	j.Check(func(path, format string, args ...any) { t.Errorf(path+": "+format, args...) })
	v := walk(t, entry, j)
	if found := strings.TrimPrefix(v.Sample.Error, "s: "); found != o.want || v.Sample.Failed() != (o.want != "") || v.Sample.Void {
		t.Errorf("found %q, expected %q: %+v", found, o.want, v.Sample)
	}
	if o.presence != "" {
		j.Confirm = &step
		acks := []record.Ack{{ID: "1"}}
		if err := wired(entry, j).Confirm(t.Context(), record.AckedOf(acks), nil); err != nil || acks[0].Presence != o.presence {
			t.Errorf("a look-up finds %q, %v, expected %q", acks[0].Presence, err, o.presence)
		}
	}
	return v
}

func wired(entry string, j probe.Journey) probe.Load {
	return probe.Load{Journey: j, Way: probe.Way{Entry: entry}, Rate: probe.Rate{Users: 20, Per: time.Second}, Seed: 1, Protocols: steps.All()}
}

// walk sends a user along a journey.
func walk(t *testing.T, entry string, j probe.Journey) probe.Visit {
	t.Helper()
	return firstUser(t, wired(entry, j))
}

// firstUser is the only user of a load: others would slow a busy machine down.
func firstUser(t *testing.T, l probe.Load) (first probe.Visit) {
	t.Helper()
	l.Journey.Users = &probe.Users{Columns: []string{"only"}, Rows: [][]string{{"one"}}, Order: "once"}
	if err := l.Run(t.Context(), func(v probe.Visit) { first = v }); err != nil || first.Sample.Journey == "" {
		t.Fatalf("no user came back: %v", err)
	}
	return first
}

// wireServer accepts connections and serves each, until the test ends.
func wireServer(t *testing.T, serve func(c net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed below
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(context.Background()) //nolint:forbidigo // until the test's cleanup
	var all sync.WaitGroup
	t.Cleanup(func() { end(); _ = l.Close(); all.Wait() })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ended, func() { _ = c.Close() })
			all.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	return l.Addr().String()
}

// proxy forwards connections to an address until cut is closed: then it is mute, and
// closes nothing.
func proxy(t *testing.T, to string, cut <-chan struct{}) (address string) {
	t.Helper()
	return wireServer(t, func(c net.Conn) {
		there, err := net.Dial("tcp", to) //nolint:noctx // closed below
		if err != nil {
			return
		}
		defer there.Close()
		forward := func(to, from net.Conn) {
			part := make([]byte, 4096)
			for {
				n, err := from.Read(part)
				if err != nil {
					_ = to.Close()
					return
				}
				select {
				case <-cut:
				default:
					_, _ = to.Write(part[:n])
				}
			}
		}
		var both sync.WaitGroup
		both.Go(func() { forward(there, c) })
		both.Go(func() { forward(c, there) })
		both.Wait()
	})
}

// silent reads, and says nothing.
func mute(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
