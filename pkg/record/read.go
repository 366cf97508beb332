package record

import (
	"bufio"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"time"
)

// Samples reads the samples of a file in a run's folder ([SamplesFile] or
// [StepsFile]), one at a time. A torn last one is left out without an error.
func Samples(dir, name string) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		file, err := os.Open(filepath.Join(dir, name)) //nolint:gosec // G304: the run's own folder
		if err != nil {
			yield(Sample{}, fmt.Errorf("read samples: %w", err))
			return
		}
		defer file.Close()
		decoder := gob.NewDecoder(bufio.NewReaderSize(file, 256<<10))
		for {
			var r result
			switch err := decoder.Decode(&r); {
			case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
				return
			case err != nil:
				yield(Sample{}, fmt.Errorf("read samples of %s: %w", file.Name(), err))
				return
			}
			s := Sample{
				Journey: r.Attack, Seq: r.Seq, Code: r.Code, Sent: r.Timestamp,
				Latency: r.Latency, BytesOut: r.BytesOut, BytesIn: r.BytesIn, Error: r.Error,
			}
			if !yield(s, nil) {
				return
			}
		}
	}
}

// Events reads the marks and events of a run's folder, in the order in which
// they were written. A torn last line is left out. Kinds, marks and fields that are not
// known are no error; a newer record is a [SchemaError].
func Events(dir string) ([]Event, error) {
	path := filepath.Join(dir, EventsFile)
	// The first event tells the schema, on which the form of all of them depends.
	heads, err := lines[json.RawMessage](path, 1)
	if err == nil && len(heads) > 0 {
		err = Decode(heads[0], Schema, new(Event))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return lines[Event](path, math.MaxInt)
}

// Acks reads the acknowledged writes of a run's folder; there are none where
// the run did not look for them.
func Acks(dir string) ([]Ack, error) {
	acks, err := lines[Ack](filepath.Join(dir, WritesFile), math.MaxInt)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return acks, err
}

// lines reads the JSON objects of a file, at most so many of them.
func lines[T any](path string, most int) ([]T, error) {
	file, err := os.Open(path) //nolint:gosec // G304: the run's own folder
	if err != nil {
		return nil, fmt.Errorf("read the record: %w", err)
	}
	defer file.Close()
	var all []T
	decoder := json.NewDecoder(bufio.NewReader(file))
	for len(all) < most {
		var one T
		switch err := decoder.Decode(&one); {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// Marks are the moments of a run, each where it was reached.
type Marks map[MarkName]time.Time

// MarksOf picks the marks out of events; the first of each name counts.
func MarksOf(events []Event) Marks {
	marks := Marks{}
	for _, e := range events {
		if _, known := marks[e.Mark]; e.Mark != "" && !known {
			marks[e.Mark] = e.At
		}
	}
	return marks
}
