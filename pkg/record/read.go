package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/internal/folder"
)

// Samples reads the samples of a file in a run's folder ([SamplesFile] or
// [StepsFile]), one at a time. A torn last one is left out without an error.
func Samples(dir, name string) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		file, err := folder.Open(dir, name)
		if err != nil {
			yield(Sample{}, fmt.Errorf("read samples: %w", err))
			return
		}
		defer file.Close()
		content, _, err := written(file, 1) // gob ends a value with a zero
		if err != nil {
			yield(Sample{}, fmt.Errorf("read samples of %s: %w", file.Name(), err))
			return
		}
		bounded := &bounded.Reader{From: content, Most: mostOfOne}
		decoder := NewDecoder(bounded)
		for {
			var s Sample
			err := decoder.Next(&s)
			bounded.Next()
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return
			}
			if err != nil {
				yield(Sample{}, fmt.Errorf("read samples of %s: %w", file.Name(), err))
				return
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
	// The first event tells the schema, on which the form of all of them depends.
	heads, err := lines[json.RawMessage](dir, EventsFile, 1)
	if err != nil {
		return nil, err
	}
	if len(heads) > 0 {
		if err := Decode(heads[0], Schema, new(Event)); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, EventsFile), err)
		}
	}
	return lines[Event](dir, EventsFile, math.MaxInt)
}

// Acks reads the acknowledged writes of a run's folder, one at a time; there are none where
// the run did not keep them. A torn last one is left out.
func Acks(dir string) iter.Seq2[Ack, error] {
	return func(yield func(Ack, error) bool) {
		n := 0
		for ack, err := range each[Ack](dir, WritesFile, math.MaxInt64) {
			if errors.Is(err, os.ErrNotExist) {
				return
			}
			if n++; n > mostAcks {
				err = fmt.Errorf("read %s: found more than %d lines", filepath.Join(dir, WritesFile), mostAcks)
			}
			if !yield(ack, err) || err != nil {
				return
			}
		}
	}
}

// The bounds of what is read. Samples and writes are streamed, so that only the size of one
// matters, and their number; events are held in memory.
const (
	mostOfOne   = 16 << 20  // bytes of a sample, an event or a write
	mostOfLines = 512 << 20 // bytes of a file of events
	mostLines   = 5_000_000
	mostAcks    = 10_000_000 // as many as samples
)

// lines reads the first JSON objects of a file; most is their maximum number.
func lines[T any](dir, name string, most int) (all []T, err error) {
	for one, err := range each[T](dir, name, mostOfLines) {
		if err == nil && len(all) == mostLines {
			err = fmt.Errorf("read %s: found more than %d lines", filepath.Join(dir, name), mostLines)
		}
		if err != nil {
			return nil, err
		}
		if all = append(all, one); len(all) == most {
			break
		}
	}
	return all, nil
}

// each reads the JSON objects of a file of at most some bytes, one at a time. A torn last one
// is left out.
func each[T any](dir, name string, most int64) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		file, err := folder.Open(dir, name)
		if err != nil {
			yield(none, fmt.Errorf("read the record: %w", err))
			return
		}
		defer file.Close()
		content, size, err := written(file, 0)
		if err == nil && size > most {
			err = fmt.Errorf("found %d MiB, expected at most %d", size>>20, most>>20)
		}
		if err != nil {
			yield(none, fmt.Errorf("read %s: %w", file.Name(), err))
			return
		}
		bounded := &bounded.Reader{From: content, Most: mostOfOne}
		decoder := json.NewDecoder(bufio.NewReader(bounded))
		for {
			var one T
			err := decoder.Decode(&one)
			bounded.Next()
			switch {
			case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
				return
			case err != nil:
				yield(none, fmt.Errorf("read %s: %w", file.Name(), err))
				return
			case !yield(one, nil):
				return
			}
		}
	}
}

// mostZeros is how many zeros at the end of a file are taken for the work of a power cut:
// more than a system writes in half a minute of a run.
const mostZeros = 64 << 20

// Written is the size of a record's file without the zeros that a power cut has left at its
// end, in bytes.
func Written(file *os.File) (size int64, err error) {
	_, size, err = written(file, 0)
	return size, err
}

// written is a file with only the first of the zeros at its end, as many as zeros says;
// and its size without them. After a power cut some file systems give zeros for what was
// not on disk yet.
func written(file *os.File, zeros int64) (content io.Reader, size int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	size = info.Size()
	block := make([]byte, 64<<10)
	for size > max(info.Size()-mostZeros, 0) {
		from := max(size-int64(len(block)), 0)
		part := block[:size-from]
		if _, err := file.ReadAt(part, from); err != nil {
			return nil, 0, err
		}
		kept := len(bytes.TrimRight(part, "\x00"))
		if size = from + int64(kept); kept > 0 {
			break
		}
	}
	return io.LimitReader(file, size+zeros), size, nil
}

// Marks are the moments that a run has reached.
type Marks map[MarkName]time.Time

// MarksOf picks the marks out of events; the first of each name counts, and the last
// [MarkBaseline] before the fault.
func MarksOf(events []Event) Marks {
	marks := Marks{}
	for _, e := range events {
		_, known := marks[e.Mark]
		_, struck := marks[MarkFault]
		if e.Mark != "" && !known || e.Mark == MarkBaseline && !struck {
			marks[e.Mark] = e.At
		}
	}
	return marks
}
