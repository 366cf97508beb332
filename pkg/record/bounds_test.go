package record_test

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/internal/bounded/boundedtest"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/record/recordtest"
)

// Files of a terabyte, of which little is on the disk, are errors in little memory (M14).
func TestSparseRecordsTakeLittleMemory(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	_, readers := whole(t)
	for name, read := range readers {
		dir, _ := whole(t)
		boundedtest.Sparse(t, filepath.Join(dir, name), 1<<40)
		boundedtest.Allocates(t, 4<<20, func() {
			if _, err := read(dir); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// forever is a stream of one byte.
type forever byte

func (f forever) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(f)
	}
	return len(p), nil
}

// A sample, an event or a write of more than 16 MiB is an error; how much memory it would
// take does not matter.
func TestOneValueIsBounded(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	_, readers := whole(t)
	heads := map[string][]byte{
		// A message of 1 GB minus 1, as gob announces it.
		record.SamplesFile: append([]byte{0xfc}, binary.BigEndian.AppendUint32(nil, 1<<30-1)...),
		record.EventsFile:  []byte(`{"schema":"gameday/record/v1"}` + "\n" + `{"what":"`),
		record.WritesFile:  []byte(`{"id":"`),
	}
	for name, head := range heads {
		var data bytes.Buffer
		data.Write(head)
		if _, err := data.ReadFrom(&bounded.Reader{From: forever('x'), Most: 20 << 20}); !errors.Is(err, bounded.ErrTooLarge) {
			t.Fatal(err)
		}
		dir := with(t, name, data.Bytes())
		boundedtest.Allocates(t, 200<<20, func() {
			if _, err := readers[name](dir); !errors.Is(err, bounded.ErrTooLarge) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// FuzzRead reads any bytes as each file of a record. It ends with values that are the same
// when they are written and read again, or with an error that names the file.
func FuzzRead(f *testing.F) {
	var samples bytes.Buffer
	encoder := gob.NewEncoder(&samples)
	for i := range 3 {
		if err := encoder.Encode(record.Result{Attack: "checkout", Seq: uint64(i), Code: 200, Timestamp: at(i), Latency: 7}); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(samples.Bytes())
	f.Add(append(samples.Bytes(), make([]byte, 100)...))
	f.Add([]byte(`{"at":"2026-11-26T12:00:00Z","kind":"note","schema":"gameday/record/v1"}` + "\n" + `{"at":"2026-11-26T12:00:01Z","kind":"mark","mark":"fault"}`))
	f.Add([]byte(`{"journey":"checkout","id":"1","at":"2026-11-26T12:00:00Z","presence":"present"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		for _, name := range []string{record.SamplesFile, record.EventsFile, record.WritesFile} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		named := func(name string, err error) {
			if err != nil && !strings.Contains(err.Error(), filepath.Join(dir, name)) {
				t.Errorf("an error without its file %s: %v", name, err)
			}
		}
		var all []record.Sample
		for s, err := range record.Samples(dir, record.SamplesFile) {
			if named(record.SamplesFile, err); err != nil {
				break
			}
			all = append(all, s)
		}
		events, err := record.Events(dir)
		named(record.EventsFile, err)
		acks, ofAcks := recordtest.Acks(dir)
		named(record.WritesFile, ofAcks)
		if len(all) > len(data) || len(events) > len(data) || len(acks) > len(data) {
			t.Errorf("%d samples, %d events and %d writes of %d bytes", len(all), len(events), len(acks), len(data))
		}
		readAgain(t, all, acks)
	})
}

// readAgain writes samples and writes, and expects to read the same.
func readAgain(t *testing.T, samples []record.Sample, acks []record.Ack) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	// Of a last sample that ends in zeros it is not known whether a power cut made them.
	samples = append(samples, record.Sample{Journey: "checkout", Sent: at(0), Error: "timeout"})
	for _, s := range samples {
		if err := w.Sample(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	same := cmp.Comparer(func(a, b record.Sample) bool {
		sent := a.Sent.Equal(b.Sent)
		a.Sent = b.Sent
		return sent && a == b
	})
	if diff := cmp.Diff(samples, read(t, dir), same); diff != "" {
		t.Error(diff)
	}
	acks = slices.DeleteFunc(acks, func(a record.Ack) bool { _, err := a.At.MarshalJSON(); return err != nil })
	recordtest.WriteAcks(t, dir, acks)
	if again, err := recordtest.Acks(dir); err != nil || len(again) != len(acks) {
		t.Errorf("%d writes, read again %d: %v", len(acks), len(again), err)
	}
}
