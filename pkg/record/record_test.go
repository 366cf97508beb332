package record_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/record"
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

// Writes that cannot be stored leave those that were.
func TestAcksAreStoredWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := []record.Ack{{Journey: "checkout", ID: "1", At: at(0), Presence: "present"}, {Journey: "checkout", ID: "2", At: at(20)}}
	if err := record.WriteAcks(dir, want); err != nil {
		t.Fatal(err)
	}
	tooLate := record.Ack{ID: "3", At: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)} // no RFC 3339
	if err := record.WriteAcks(dir, []record.Ack{{ID: "4"}, tooLate}); err == nil || !strings.Contains(err.Error(), "store acknowledged writes") {
		t.Errorf("the error is %v", err)
	}
	got, err := record.Acks(dir)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestANewerRecordIsAClearError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, record.EventsFile), []byte(`{"kind":"note","schema":"gameday/record/v9"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := record.Events(dir); err == nil {
		t.Error("a newer record was read")
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
