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

// BenchmarkTick measures what a tick costs while nothing is due. There is one a second, so
// 10ms of CPU time are 1% of a core.
func BenchmarkTick(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d schedules", n), func(b *testing.B) {
			dir := b.TempDir()
			var text strings.Builder
			text.WriteString("version: 1\nenvironments: {}\nschedules:\n")
			for i := range n {
				fmt.Fprintf(&text, "  - {name: s%d, cron: \"0 0 1 1 *\", sweep: {}, environment: lab/checkout, blackout: [{ical: freezes.ics}]}\n", i)
			}
			const calendar = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20261101T000000Z\nDTSTART:20261201T100000Z\nDTEND:20261201T110000Z\nRRULE:FREQ=WEEKLY\nEND:VEVENT\nEND:VCALENDAR\n"
			for name, text := range map[string]string{"gameday.yaml": text.String(), "freezes.ics": calendar} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					b.Fatal(err)
				}
				if err := os.Chtimes(filepath.Join(dir, name), time.Now().Add(-time.Hour), time.Now().Add(-time.Hour)); err != nil {
					b.Fatal(err)
				}
			}
			s, err := store.Open(b.Context(), filepath.Join(dir, "serve.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
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
			if err := d.Prepare(b.Context()); err != nil {
				b.Fatal(err)
			}
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

// cpu is the CPU time of this process.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
