package main_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gameday-dev/gameday/internal/browsertest"
)

func (l *labTest) file(v verdict, name string) string {
	return filepath.Join(l.dir, "gameday-runs", v.Run, name)
}

// page looks at the report of a real run in a real browser.
func (l *labTest) page(v verdict) {
	b := browsertest.New(l.t)
	address := "file://" + l.file(v, "report.html")
	b.Open(l.t, address)
	// A run of some 30 s in spans of half a second: a bar for each, of one colour or
	// more, and as many points on each line of latency.
	bars := b.Number(l.t, `document.querySelectorAll('svg path[style*="#2F9E6E"], svg path[style*="#D3364B"], svg path[style*="#E8A317"]').length`)
	lines := b.Number(l.t, `[...document.querySelectorAll('svg path')].filter(p => (p.getAttribute('d').match(/L/g) || []).length > 40).length`)
	if bars < 50 || bars > 200 || lines != 3 {
		l.t.Errorf("%d bars and %d lines", bars, lines)
	}
	if rows := b.Number(l.t, `document.querySelectorAll('main section table tr').length`); rows < 20 {
		l.t.Errorf("%d rows", rows)
	}
	for _, c := range []struct {
		width  int64
		scheme string
	}{{1200, "light"}, {1200, "dark"}, {390, "light"}} {
		picture := b.Screenshot(l.t, c.width, c.scheme)
		if wide := b.Number(l.t, `document.documentElement.scrollWidth`); int64(wide) > c.width {
			l.t.Errorf("at a width of %d the page is %d wide", c.width, wide)
		}
		if dir := os.Getenv("GAMEDAY_SCREENSHOTS"); dir != "" { // for people who want to look
			name := filepath.Join(dir, strings.Join([]string{"report", c.scheme, strconv.FormatInt(c.width, 10)}, "-")+".png")
			if err := os.WriteFile(name, picture, 0o600); err != nil {
				l.t.Error(err)
			}
		}
	}
	if said, left := b.Said(), b.Left("file://"+l.dir); len(said) > 0 || len(left) > 0 {
		l.t.Errorf("said %v, asked for %v", said, left)
	}
}

// reportAgain makes the reports from the record alone: they are the same, byte for
// byte.
func (l *labTest) reportAgain(v verdict) {
	to := l.t.TempDir()
	if out := l.gameday("report", "last", "--to", to); out.code != 0 {
		l.t.Error(out)
	}
	for _, name := range []string{"verdict.json", "report.md", "report.html", "report.png", "junit.xml", "github.txt"} {
		before, err := os.ReadFile(l.file(v, name))
		after, again := os.ReadFile(filepath.Join(to, name))
		if err := errors.Join(err, again); err != nil || !bytes.Equal(before, after) {
			l.t.Errorf("%s is another one: %v", name, err)
		}
	}
	out := l.gameday("history", "--verdict", "proven")
	if out.code != 0 || !strings.Contains(out.stdout, v.Run) {
		l.t.Error(out)
	}
	post := filepath.Join(l.dir, "post-mortem.md")
	for range 2 {
		if out := l.gameday("attach", v.Run, "--to", post); out.code != 0 {
			l.t.Error(out)
		}
	}
	if data, err := os.ReadFile(post); err != nil || strings.Count(string(data), "<!-- gameday "+v.Run) != 1 {
		l.t.Errorf("%v\n%s", err, data)
	}
}

// vegetaAgrees holds our figures against those of vegeta's own report.
func (l *labTest) vegetaAgrees(v verdict) {
	file, err := os.Open(l.file(v, "samples.bin"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer file.Close()
	var ours struct {
		Events []struct {
			At   time.Time
			Mark string
		}
		Load []struct {
			Phases []struct {
				Samples, Bad int
				P50          float64 `json:"p50_s"`
				P95          float64 `json:"p95_s"`
				P99          float64 `json:"p99_s"`
			}
			Void   *struct{ Users int }
			Errors []struct{ Samples int }
		}
	}
	l.decode(l.file(v, "verdict.json"), &ours)
	var baselineAt time.Time // users of before it are warm-up
	for _, e := range ours.Events {
		if e.Mark == "baseline" {
			baselineAt = e.At
		}
	}
	var m, before vegeta.Metrics
	var latencies []float64 // of the baseline, in seconds
	decode := vegeta.NewDecoder(file)
	for {
		var r vegeta.Result
		if err := decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			l.t.Fatal(err)
		}
		if !r.End().After(baselineAt) {
			continue
		}
		m.Add(&r)
		if !r.End().After(v.FaultAt) {
			before.Add(&r)
			latencies = append(latencies, r.Latency.Seconds())
		}
	}
	m.Close()
	before.Close()
	var n, failed int
	for _, p := range ours.Load[0].Phases {
		n += p.Samples
	}
	for _, e := range ours.Load[0].Errors {
		failed += e.Samples
	}
	if void := ours.Load[0].Void; void != nil {
		// Who is not judged, because this machine was busy, is in vegeta's figures.
		if uint64(n+void.Users) != m.Requests {
			l.t.Errorf("ours: %d users, and %d who are not judged; vegeta's: %d", n, void.Users, m.Requests)
		}
		return
	}
	success := 1 - float64(failed)/float64(n)
	if uint64(n) != m.Requests || math.Abs(success-m.Success) > 1e-9 {
		l.t.Errorf("ours: %d users, %.6f of them well; vegeta's: %d, %.6f", n, success, m.Requests, m.Success)
	}
	// Percentiles of the baseline: ours to three digits, vegeta's by a digest that
	// interpolates between samples. Both are those of a rank within a hundredth.
	slices.Sort(latencies)
	at := func(q float64) float64 { return latencies[min(int(q*float64(len(latencies))), len(latencies)-1)] }
	baseline := ours.Load[0].Phases[0]
	if uint64(baseline.Samples) != before.Requests {
		l.t.Errorf("ours: %d users before the fault; vegeta's: %d", baseline.Samples, before.Requests)
	}
	for q, two := range map[float64][2]float64{
		0.50: {baseline.P50, before.Latencies.P50.Seconds()}, 0.95: {baseline.P95, before.Latencies.P95.Seconds()}, 0.99: {baseline.P99, before.Latencies.P99.Seconds()},
	} {
		least, most := at(q-0.01)*0.998, at(q+0.01)*1.002
		if two[0] < least || two[0] > most || two[1] < least || two[1] > most {
			l.t.Errorf("percentile %v: ours %.6f s, vegeta's %.6f s, expected from %.6f to %.6f s", q, two[0], two[1], least, most)
		}
	}
}
