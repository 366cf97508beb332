package record_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/record/recordtest"
)

func at(ms int) time.Time { return time.UnixMilli(1_790_000_000_000 + int64(ms)).UTC() }

func write(t *testing.T, dir string, n int) []record.Sample {
	t.Helper()
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	var samples []record.Sample
	for i := range n {
		s := record.Sample{Journey: "checkout", Seq: uint64(i), Sent: at(20 * i), Latency: time.Millisecond, Code: 201, BytesIn: 12}
		if i%3 == 2 {
			s.Code, s.Error = 0, "order: timeout"
		}
		samples = append(samples, s)
		if err := w.Sample(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Sample(record.Sample{Void: true, Error: "too many open files"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Event(record.Event{At: at(7), Kind: record.KindMark, Mark: record.MarkFault}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatalf("closed twice: %v", err)
	}
	return samples
}

func read(t *testing.T, dir string) []record.Sample {
	t.Helper()
	var samples []record.Sample
	for s, err := range record.Samples(dir, record.SamplesFile) {
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, s)
	}
	return samples
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	want := write(t, dir, 50)
	if diff := cmp.Diff(want, read(t, dir)); diff != "" {
		t.Error(diff)
	}
	events, err := record.Events(dir)
	if err != nil || len(events) != 2 {
		t.Fatalf("%v %v", events, err)
	}
	if got := record.MarksOf(events)[record.MarkFault]; !got.Equal(at(7)) {
		t.Errorf("fault mark: %v", got)
	}
	if _, err := record.Create(dir); err == nil {
		t.Error("a run's folder was used twice")
	}
}

// A power cut leaves a part of the files: what is whole is read.
func TestATornTailIsLeftOut(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	want := write(t, dir, 50)
	for _, name := range []string{record.SamplesFile, record.EventsFile} {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data[:len(data)-5], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want[:49], read(t, dir)); diff != "" {
		t.Error(diff)
	}
	if events, err := record.Events(dir); err != nil || len(events) != 1 {
		t.Errorf("%v %v", events, err)
	}
}

func TestANewerRecordIsAClearError(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"kind":"note","schema":"gameday/record/v9"}`:                             "found schema gameday/record/v9, this gameday reads up to gameday/record/v1: use a newer gameday",
		`{"kind":{"of":"note"},"schema":"gameday/record/v10"}` + "\n" + `{"at":7}`: "found schema gameday/record/v10, this gameday reads up to gameday/record/v1: use a newer gameday",
		`{"kind":"note"}`: `found schema "", expected gameday/record/v1`,
		`{"kind":"note","schema":"gameday/record/v0"}`: `found schema "gameday/record/v0", expected gameday/record/v1`,
		`{"kind":"note","schema":"other/record/v9"}`:   `found schema "other/record/v9", expected gameday/record/v1`,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, record.EventsFile)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := record.Events(dir); err == nil || err.Error() != "read "+path+": "+want {
			t.Errorf("%s: %v, expected %q", text, err, want)
		}
	}
}

// What another gameday has written beside what is known is no error.
func TestUnknownEventsAndFieldsAreRead(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	write(t, dir, 1)
	for name, line := range map[string]string{
		record.EventsFile: `{"at":"2026-11-26T12:00:00Z","kind":"weather","mark":"tea-time","what":"it rains","wind":{"knots":3}}`,
		record.WritesFile: `{"journey":"checkout","id":"1","at":"2026-11-26T12:00:00Z","presence":"twice","shard":[7]}`,
	} {
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(line + "\n"); errors.Join(err, file.Close()) != nil {
			t.Fatal(err)
		}
	}
	events, err := record.Events(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := record.Event{At: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), Kind: "weather", Mark: "tea-time", What: "it rains"}
	if diff := cmp.Diff(want, events[len(events)-1]); diff != "" {
		t.Error(diff)
	}
	acks, err := recordtest.Acks(dir)
	if err != nil || len(acks) != 1 || acks[0].Presence != "twice" {
		t.Errorf("%+v %v", acks, err)
	}
}

// Steps of the wall clock do not move what is measured.
func TestClockIsMonotonic(t *testing.T) {
	t.Parallel()
	c := record.NewClock()
	began := time.Now()
	first, second := c.Steady(began), c.Steady(began.Add(time.Second))
	if d := second.Sub(first); d != time.Second {
		t.Errorf("a second is %v", d)
	}
	if first.Location() != time.UTC {
		t.Error("not UTC")
	}
}

// Secrets are taken out of all that is written: errors, the names of steps, and what
// happened to what (M5). The journey's name stays: readers find its steps by it.
func TestNothingIsWrittenWithSecrets(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.Redact = func(text string) string { return strings.ReplaceAll(text, "s3cret", "X") }
	for range 2 { // texts repeat
		if err := errors.Join(
			w.Sample(record.Sample{Journey: "shop", Error: "/a?k=s3cret: timeout", Sent: time.Now()}),
			w.Step(record.Sample{Journey: "shop//a?k=s3cret", Error: "s3cret", Sent: time.Now()}),
			w.Event(record.Event{Kind: record.KindNote, What: "s3cret", Component: "db-s3cret"}),
		); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{record.SamplesFile, record.StepsFile, record.EventsFile} {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || bytes.Contains(data, []byte("s3cret")) {
			t.Errorf("%s holds a secret: %q %v", name, data, err)
		}
	}
	for s, err := range record.Samples(dir, record.StepsFile) {
		if err != nil || s.Journey != "shop//a?k=X" {
			t.Errorf("%q %v", s.Journey, err)
		}
	}
}
