package report_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
)

// The page shows every text of a record as text, never as HTML.
func TestThePageEscapes(t *testing.T) {
	t.Parallel()
	const evil = `<script>alert("x")</script>`
	dir := fixed(t, time.Minute, func(m *run.Meta) { m.Environment, m.Again = evil, "gameday run "+evil })
	if err := os.MkdirAll(filepath.Join(dir, run.LogsDir), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, run.LogsDir, "db.log"), []byte(evil), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := report.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := report.HTML(&page, r); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(page.Bytes(), []byte("<script")); n > 0 || bytes.Count(page.Bytes(), []byte("&lt;script&gt;")) < 3 {
		t.Errorf("%d scripts", n)
	}
}

// A report of a game day of an hour at 1,000 users/s with three steps, ten notes and two
// metrics: its time, its memory and its size.
func BenchmarkReportOfAnHour(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "run")
	if err := hour(dir, 1000, time.Hour, 7); err != nil {
		b.Fatal(err)
	}
	var polls []record.Poll
	for at := time.Duration(0); at < time.Hour; at += time.Second {
		for n := range 2 {
			asked := origin.Add(at)
			polls = append(polls, record.Poll{Of: record.PollMetric, N: n, Asked: asked, Answered: asked.Add(time.Millisecond), Value: new(float64(int(at.Seconds()) * 7 % 60))})
		}
	}
	withPolls(b, dir, "", polls)
	declare(b, dir, "observe: [{name: queue, prometheus: {url: http://p:9090, query: q}}, {name: errors, prometheus: {url: http://p:9090, query: e}, unit: per s}]\n")
	debug.FreeOSMemory() // the memory that writing the record used
	var peak, size uint64
	before := cpu()
	for b.Loop() {
		r, err := report.Build(dir)
		if err != nil {
			b.Fatal(err)
		}
		var page bytes.Buffer
		if err := report.HTML(&page, r); err != nil {
			b.Fatal(err)
		}
		peak, size = max(peak, resident()), uint64(page.Len())
	}
	b.ReportMetric((cpu()-before).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(peak)/(1<<20), "MiB-of-memory")
	b.ReportMetric(float64(size)/(1<<10), "KiB-of-page")
	if r, err := report.Build(dir); err != nil || len(r.Metrics) != 2 {
		b.Errorf("%d metrics, %v", len(r.Metrics), err)
	}
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the memory of this process, in bytes; 0 where the system does not say.
func resident() uint64 {
	var size, pages uint64
	data, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(data), &size, &pages)
	}
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}

// hour records a run at a rate. All users fail for a tenth of its time, in a number of
// ways.
func hour(dir string, rate int, lasts time.Duration, kinds int) error {
	w, err := record.Create(dir)
	if err != nil {
		return err
	}
	mark := func(name record.MarkName, at time.Duration) error {
		return w.Event(record.Event{At: origin.Add(at), Kind: record.KindMark, Mark: name})
	}
	if err := mark(record.MarkBaseline, 0); err != nil {
		return err
	}
	fault, revert := lasts/10, lasts/5
	gap := time.Second / time.Duration(rate)
	for i := range int(lasts / gap) {
		at := time.Duration(i) * gap
		s := record.Sample{Journey: "checkout", Seq: uint64(i), Sent: origin.Add(at), Latency: time.Duration(5+i%40) * time.Millisecond, Code: 200}
		if at >= fault && at < revert {
			s.Code, s.Error = 503, fmt.Sprintf("order: status 503, expected 201 (%d)", i%kinds)
		}
		if err := w.Sample(s); err != nil {
			return err
		}
		for _, step := range []string{"login", "browse", "order"} {
			s.Journey = "checkout/" + step
			if err := w.Step(s); err != nil {
				return err
			}
		}
	}
	for i := range 10 {
		at := origin.Add(time.Duration(i) * lasts / 10)
		if err := w.Event(record.Event{At: at, Kind: record.KindPerson, By: "Ann", What: "the pager rang once more"}); err != nil {
			return err
		}
	}
	for name, at := range map[record.MarkName]time.Duration{record.MarkFault: fault, record.MarkRevert: revert, record.MarkEnd: lasts} {
		if err := mark(name, at); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return save(dir, run.Meta{ID: "hour", Environment: "test", Started: origin, Finished: origin.Add(lasts)})
}
