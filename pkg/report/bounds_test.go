package report_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/bounded/boundedtest"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/record/recordtest"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// foreign is the folder of a run with samples, steps and writes of others, and marks at
// 0, 10, 50 and 60 seconds but for those that are moved.
func foreign(t *testing.T, samples, steps []record.Sample, acks []record.Ack, moved map[record.MarkName]time.Time) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		s := record.Sample{Journey: "checkout", Seq: uint64(i), Sent: origin.Add(time.Duration(i) * 20 * time.Millisecond), Latency: time.Millisecond, Code: 200}
		err = errors.Join(err, w.Sample(s))
	}
	for _, s := range samples {
		err = errors.Join(err, w.Sample(s))
	}
	for _, s := range steps {
		err = errors.Join(err, w.Step(s))
	}
	for name, after := range map[record.MarkName]time.Duration{
		record.MarkBaseline: 0, record.MarkFault: 10 * time.Second, record.MarkRevert: 50 * time.Second, record.MarkEnd: time.Minute,
	} {
		at, ok := moved[name]
		if !ok {
			at = origin.Add(after)
		}
		err = errors.Join(err, w.Event(record.Event{At: at, Kind: record.KindMark, Mark: name}))
	}
	recordtest.WriteAcks(t, dir, acks)
	if err := errors.Join(err, w.Close(), save(dir, run.Meta{ID: "run", Started: origin, Confirmed: true})); err != nil {
		t.Fatal(err)
	}
	return dir
}

func date(year int) time.Time { return time.Date(year, 1, 2, 3, 4, 5, 0, time.UTC) }

// Samples, marks and writes of another millennium are an error that says what they are,
// not a panic and not a series without end (M14).
func TestForeignRecords(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	sample := func(sent time.Time, latency time.Duration) []record.Sample {
		return []record.Sample{{Journey: "checkout", Seq: 9000, Sent: sent, Latency: latency, Code: 200}}
	}
	usual := origin.Add(time.Second)
	for name, c := range map[string]struct {
		samples, steps []record.Sample
		acks           []record.Ack
		marks          map[record.MarkName]time.Time
		want           string
	}{
		"usual":          {samples: sample(usual, time.Second), steps: sample(usual, time.Second), acks: []record.Ack{{ID: "1", At: origin.Add(9900 * time.Millisecond), Presence: "present"}}},
		"first year":     {samples: sample(date(1), 0), want: "user 9000 of journey checkout, who arrived at 0001-01-02T03:04:05Z: more than 366 days from the start"},
		"last year":      {samples: sample(date(9999), 0), want: "who arrived at 9999-01-02T03:04:05Z: more than 366 days from the start"},
		"both":           {samples: append(sample(date(1750), 0), sample(date(2300), 0)...), want: "who arrived at 1750-01-02T03:04:05Z"},
		"never answered": {samples: sample(usual, math.MaxInt64), want: "found 2562047h47m16.854775807s, expected a latency between 0 and 366 days"},
		"early answer":   {samples: sample(usual, -time.Second), want: "found -1s, expected a latency"},
		"steps":          {steps: sample(usual, math.MinInt64), want: "read step checkout of user 9000: found -2562047h47m16.854775808s, expected a latency"},
		"writes":         {acks: []record.Ack{{ID: "77", At: date(1), Presence: "absent"}}, want: "writes.jsonl: write 77 was acknowledged at 0001-01-02T03:04:05Z: more than 366 days"},
		"fault":          {marks: map[record.MarkName]time.Time{record.MarkFault: date(9999)}, want: "events.jsonl: the fault is more than 366 days from the start"},
		"revert":         {marks: map[record.MarkName]time.Time{record.MarkRevert: date(1)}, want: "events.jsonl: the revert is more than 366 days from the start"},
	} {
		dir := foreign(t, c.samples, c.steps, c.acks, c.marks)
		boundedtest.Allocates(t, 64<<20, func() {
			r, err := report.Build(dir)
			switch {
			case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%s: found %v, expected %q", name, err, c.want)
			case c.want == "" && r.Outcome != verdict.Disproved:
				t.Errorf("%s: %+v", name, r.Verdict)
			}
		})
	}
}

// Marks that are missing are an error, or are as if the run had not got there.
func TestMissingMarks(t *testing.T) {
	t.Parallel()
	for mark, want := range map[record.MarkName]string{record.MarkBaseline: `found no mark "baseline"`, record.MarkEnd: ""} {
		dir := foreign(t, nil, nil, nil, nil)
		path := filepath.Join(dir, record.EventsFile)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(data), `"mark":"`+string(mark)+`"`, `"mark":"other"`)
		if mark == record.MarkEnd { // and so is the fault
			text = strings.ReplaceAll(text, `"mark":"fault"`, `"mark":"other"`)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := report.Build(dir)
		if want == "" && (err != nil || r.Reason != verdict.TooFewSamples) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("without %s: %v, %v", mark, r.Verdict, err)
		}
	}
}

// A record with as many steps as samples gives figures of the first ones.
func TestStepsAreBounded(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	steps := make([]record.Sample, 20_000)
	for i := range steps {
		steps[i] = record.Sample{Journey: "checkout/step " + strconv.Itoa(i), Sent: origin.Add(time.Second), Code: 200}
	}
	dir := foreign(t, nil, steps, nil, nil)
	boundedtest.Allocates(t, 200<<20, func() {
		r, err := report.Build(dir)
		if err != nil || len(r.Load) != 1 || len(r.Load[0].Steps) != 500 || r.Load[0].Steps[1].Name != "step 1" {
			t.Errorf("%d journeys, %v", len(r.Load), err)
		}
	})
}

// FuzzBuild reports folders whose files have any content. It ends with a report whose
// figures are within bounds, or with an error that says which run or file it is.
func FuzzBuild(f *testing.F) {
	const stored = "../run/testdata/stored/v1/run"
	names := []string{run.MetaFile, run.ScenarioFile, record.EventsFile, record.SamplesFile, record.StepsFile, record.WritesFile, record.PollsFile}
	var seed [7][]byte
	for i, name := range names[:6] {
		data, err := os.ReadFile(filepath.Join(stored, name))
		if err != nil {
			f.Fatal(err)
		}
		seed[i] = data[:min(len(data), 8<<10)]
	}
	const short = "objective: {rto: 1s}\nload: [{journey: checkout, rate: 50/s, critical: true}]\n"
	const polls = `{"schema":"gameday/polls/v1"}` + "\n" +
		`{"of":"metric","n":0,"asked":"2026-11-26T23:46:20Z","answered":"2026-11-26T23:46:21Z","value":3}` + "\n" +
		`{"of":"metric","n":0,"asked":"2026-11-26T23:46:22Z","answered":"2026-11-26T23:46:23Z","why":"no answer"}` + "\n"
	f.Add(seed[0], seed[1], seed[2], seed[3], seed[4], seed[5], []byte(nil))
	f.Add(seed[0], []byte(short), seed[2], seed[3], seed[4], []byte(nil), []byte(nil))
	f.Add(seed[0], []byte(short+"observe: [{name: queue, prometheus: up}]"), seed[2], seed[3], seed[4], []byte(nil), []byte(polls))
	f.Fuzz(func(t *testing.T, meta, scenario, events, samples, steps, writes, polls []byte) {
		dir := filepath.Join(t.TempDir(), "the-run")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for i, data := range [][]byte{meta, scenario, events, samples, steps, writes, polls} {
			if err := os.WriteFile(filepath.Join(dir, names[i]), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := report.Build(dir)
		if err != nil {
			if !strings.Contains(err.Error(), "the-run") && !strings.HasPrefix(err.Error(), "read step ") {
				t.Errorf("an error that names neither the run nor its file: %v", err)
			}
			return
		}
		if report.Bins(r) > 250*len(r.Load) || r.Samples > len(samples) || r.Bad > r.Samples {
			t.Errorf("%d bins, %d samples, %d bad", report.Bins(r), r.Samples, r.Bad)
		}
		for name, format := range formats() {
			if err := format(&strings.Builder{}, r); err != nil && name != "json" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
