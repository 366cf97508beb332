package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/store"
)

// idle is a runner of nothing.
type idle struct{}

func (idle) Run(context.Context, store.Job, func(Live)) Result { return Result{} }

func (idle) Steady(context.Context, store.Job, time.Duration) error             { return nil }
func (idle) Tell(context.Context, store.Job, []scenario.Notice, string, string) {}

// resting is a daemon with schedules that are not due.
func resting(tb testing.TB, n int) *Daemon {
	tb.Helper()
	dir := tb.TempDir()
	var text strings.Builder
	text.WriteString("version: 1\nenvironments: {}\nschedules:\n")
	for i := range n {
		fmt.Fprintf(&text, "  - {name: s%d, cron: \"0 0 1 1 *\", sweep: {}, environment: lab/checkout, blackout: [{ical: freezes.ics}]}\n", i)
	}
	const calendar = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20261101T000000Z\nDTSTART:20261201T100000Z\nDTEND:20261201T110000Z\nRRULE:FREQ=WEEKLY\nEND:VEVENT\nEND:VCALENDAR\n"
	for name, text := range map[string]string{"gameday.yaml": text.String(), "freezes.ics": calendar} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, name), time.Now().Add(-time.Hour), time.Now().Add(-time.Hour)); err != nil {
			tb.Fatal(err)
		}
	}
	s, err := store.Open(tb.Context(), filepath.Join(dir, "serve.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	l := scenario.Library{Dir: dir}
	reading := &scenario.Reading{}
	d := &Daemon{
		Store: s, Runner: idle{}, Instance: "i", Spool: filepath.Join(dir, "outcomes"), Log: slog.New(slog.DiscardHandler), Now: time.Now, Hub: &Hub{},
		Schedules: func() ([]scenario.Schedule, error) {
			reading = &scenario.Reading{}
			once := l
			once.Reading = reading
			return once.Schedules()
		},
		Changed: func() bool { return reading.Changed() },
	}
	if err := d.Prepare(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return d
}

// BenchmarkTick measures what a tick costs while nothing is due. There is one a second, so
// 10ms of CPU time are 1% of a core.
func BenchmarkTick(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d schedules", n), func(b *testing.B) {
			d := resting(b, n)
			d.tick(b.Context())
			before := cpu(b)
			for b.Loop() {
				d.tick(b.Context())
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
			if trouble := d.Trouble(); len(trouble) > 0 {
				b.Error(trouble)
			}
		})
	}
}

// What a daemon with its queue takes in a minute in which nothing is due.
func TestAtRestAMinuteTakesLittle(t *testing.T) { //nolint:paralleltest // it measures the CPU time of its process
	if os.Getenv("GAMEDAY_LONG_TESTS") == "" {
		t.Skip("it takes minutes: a long test")
	}
	for n, most := range map[int]float64{1: 0.5, 1000: 1} {
		d := resting(t, n)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		<-time.After(10 * time.Second) // until it has read all and is the leader of its queue
		before := cpu(t)
		<-time.After(time.Minute)
		percent := float64(cpu(t)-before) / float64(time.Minute) * 100
		t.Logf("%d schedules: %.2f%% of a core", n, percent)
		if percent > most {
			t.Errorf("%d schedules take %.2f%% of a core at rest, expected at most %v%%", n, percent, most)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// cpu is the CPU time of this process.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
