package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/record/recordtest"
)

// whole is a record with samples, events and acknowledged writes, in a folder; and the
// readers of its files, each as lines of text.
func whole(t *testing.T) (dir string, readers map[string]func(dir string) ([]string, error)) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	write(t, dir, 12)
	var acks []record.Ack
	for i := range 5 {
		acks = append(acks, record.Ack{Journey: "checkout", ID: strconv.Itoa(i), At: at(i), Presence: "present"})
	}
	recordtest.WriteAcks(t, dir, acks)
	return dir, map[string]func(dir string) ([]string, error){
		record.SamplesFile: func(dir string) (all []string, _ error) {
			for s, err := range record.Samples(dir, record.SamplesFile) {
				if err != nil {
					return all, err
				}
				all = append(all, fmt.Sprint(s))
			}
			return all, nil
		},
		record.EventsFile: func(dir string) ([]string, error) {
			events, err := record.Events(dir)
			return texts(events), err
		},
		record.WritesFile: func(dir string) ([]string, error) {
			acks, err := recordtest.Acks(dir)
			return texts(acks), err
		},
	}
}

func texts[T any](all []T) (lines []string) {
	for _, one := range all {
		lines = append(lines, fmt.Sprint(one))
	}
	return lines
}

// with is a folder that holds one file.
func with(t *testing.T, name string, data []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A file that is cut off at any byte gives what was whole before the cut, in order and
// without an error. So does one whose end is zeros: that is how some file systems leave
// what was not on disk yet.
func TestAFileCutAnywhereGivesWhatIsWhole(t *testing.T) {
	t.Parallel()
	dir, readers := whole(t)
	for name, read := range readers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			want, err := read(dir)
			if err != nil || len(want) < 2 {
				t.Fatalf("%v %v", want, err)
			}
			before := 0
			for cut := range data {
				for end, tail := range map[string]int{"cut": 0, "zeros": 4096} {
					got, err := read(with(t, name, append(slices.Clone(data[:cut]), make([]byte, tail)...)))
					if err != nil {
						t.Fatalf("%s after %d of %d bytes: %v", end, cut, len(data), err)
					}
					if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) || len(got) < before {
						t.Fatalf("%s after %d of %d bytes, %d before:\n%s", end, cut, len(data), before, cmp.Diff(want, got))
					}
					if end == "cut" {
						before = len(got)
					}
				}
			}
			if before < len(want)-1 {
				t.Errorf("without its last byte it gives %d of %d", before, len(want))
			}
		})
	}
}

// What is broken in the middle is an error: a record that lacks a part must not be judged
// as if it had all.
func TestAFileBrokenInTheMiddleIsAnError(t *testing.T) {
	t.Parallel()
	dir, readers := whole(t)
	for name, read := range readers {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		middle := len(data) / 2
		for what, broken := range map[string][]byte{
			"garbage": slices.Concat(data[:middle], []byte("\xff}{\xfe rubbish"), data[middle:]),
			"zeros":   slices.Concat(data[:middle], make([]byte, 64), data[middle:]),
		} {
			got, err := read(with(t, name, broken))
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s, %s in the middle: %d read, %v", name, what, len(got), err)
			}
		}
	}
}

func TestEmptyAndMissingFiles(t *testing.T) {
	t.Parallel()
	_, readers := whole(t)
	for name, read := range readers {
		if got, err := read(with(t, name, nil)); err != nil || len(got) > 0 {
			t.Errorf("%s, empty: %v %v", name, got, err)
		}
		got, err := read(t.TempDir())
		if missing := errors.Is(err, os.ErrNotExist); missing == (name == record.WritesFile) || len(got) > 0 {
			t.Errorf("%s, missing: %v %v", name, got, err)
		}
	}
}

// Events stay in the order in which they were written, and the first mark of a name
// counts.
func TestOrder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.Redact = func(s string) string { return strings.ReplaceAll(s, "s3cret", "***") }
	for _, e := range []record.Event{
		{At: at(30), Kind: record.KindMark, Mark: record.MarkRevert},
		{At: at(10), Kind: record.KindNote, What: "the s3cret"},
		{At: at(20), Kind: record.KindMark, Mark: record.MarkRevert},
	} {
		if err := w.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	events, err := record.Events(dir)
	if err != nil || len(events) != 4 {
		t.Fatalf("%v %v", events, err)
	}
	if got := record.MarksOf(events); len(got) != 1 || !got[record.MarkRevert].Equal(at(30)) {
		t.Errorf("%v", got)
	}
	if events[2].What != "the ***" {
		t.Errorf("%q", events[2].What)
	}
	if data, err := os.ReadFile(filepath.Join(dir, record.EventsFile)); err != nil || bytes.Contains(data, []byte("s3cret")) {
		t.Errorf("%v %s", err, data)
	}
}

// A record that is closed takes nothing more, and says so.
func TestAClosedRecordTakesNothing(t *testing.T) {
	t.Parallel()
	w, err := record.Create(filepath.Join(t.TempDir(), "run"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"sample": w.Sample(record.Sample{Journey: "checkout"}), "step": w.Step(record.Sample{Journey: "checkout/order"}), "event": w.Event(record.Event{Kind: record.KindNote}),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.Sample(record.Sample{Void: true}); err != nil {
		t.Errorf("a void one is no sample: %v", err)
	}
}
