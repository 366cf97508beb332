package record

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/internal/atomicfile"
)

// result is a sample as vegeta's gob decoder expects it: gob matches fields by
// name, so the two types need not know each other, and vegeta skips the fields that it
// does not have. A test in pkg/probe holds them together.
type result struct {
	Attack    string
	Seq       uint64
	Code      uint16
	Timestamp time.Time
	Latency   time.Duration
	BytesOut  uint64
	BytesIn   uint64
	Error     string

	// What vegeta does not know.
	Late    time.Duration
	Retries int
}

// Writer appends to a run's folder. It is safe for concurrent use. The first
// error is kept and returned by everything after it.
type Writer struct {
	// Redact, if not nil, takes secrets out of what is written: out of errors, of the
	// names of steps, which may be paths, and of what happened to what.
	Redact func(string) string

	dir     string
	mu      sync.Mutex
	cleaned map[string]string // what Redact has made of the last texts: errors repeat
	samples stream
	steps   stream
	control stream // of the load generator itself
	events  *os.File
	polls   *os.File  // nil until the first poll
	acks    *ackFiles // nil unless acknowledged writes are kept
	err     error
}

// stream is one file of gob-encoded results.
type stream struct {
	file   *os.File
	buffer *bufio.Writer
	gob    *gob.Encoder
}

// Create makes the folder with its parents, and the files in it. All their names are
// on disk when it returns.
func Create(dir string) (*Writer, error) {
	if err := atomicfile.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("create the run's folder: %w", err)
	}
	w := Writer{dir: dir}
	files := make([]*os.File, 0, 4)
	for _, name := range []string{SamplesFile, StepsFile, InstrumentFile, EventsFile} {
		// Other processes append notes to the events while the run goes on.
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o640) //nolint:gosec // G304: the run's own folder
		if err != nil {
			for _, f := range files {
				err = errors.Join(err, f.Close())
			}
			return nil, fmt.Errorf("create the run's record: %w", err)
		}
		files = append(files, file)
	}
	w.samples, w.steps, w.control, w.events = newStream(files[0]), newStream(files[1]), newStream(files[2]), files[3]
	if err := atomicfile.SyncDir(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("create the run's record: %w", err), w.Close())
	}
	return &w, w.Event(Event{At: time.Now().UTC(), Kind: KindNote, What: "record opened", Schema: Schema})
}

func newStream(file *os.File) stream {
	buffer := bufio.NewWriterSize(file, 64<<10)
	return stream{file, buffer, gob.NewEncoder(buffer)}
}

func (s stream) write(sample Sample) error {
	return s.gob.Encode(result{
		Attack: sample.Journey, Seq: sample.Seq, Code: sample.Code, Timestamp: sample.Sent,
		Latency: sample.Latency, BytesOut: sample.BytesOut, BytesIn: sample.BytesIn, Error: sample.Error,
		Late: sample.Late, Retries: sample.Retries,
	})
}

func (s stream) close() error { return errors.Join(s.buffer.Flush(), s.file.Sync(), s.file.Close()) }

// Sample appends a journey's sample. A void one is not a sample and is left out.
func (w *Writer) Sample(s Sample) error {
	if s.Void {
		return nil
	}
	s.Error = w.Clean(s.Error)
	return w.do(func() error { return w.samples.write(s) })
}

// Instrument appends a sample of the control load or of a calibration.
func (w *Writer) Instrument(s Sample) error {
	return w.do(func() error { return w.control.write(s) })
}

// Step appends a step's sample.
func (w *Writer) Step(s Sample) error {
	if s.Void {
		return nil
	}
	s.Error = w.Clean(s.Error)
	// The journey's own name is a plain word, by which readers find its steps.
	if journey, step, ok := strings.Cut(s.Journey, "/"); ok {
		s.Journey = journey + "/" + w.Clean(step)
	}
	return w.do(func() error { return w.steps.write(s) })
}

// Event appends an event. A mark is on disk when Event returns; the samples before it
// have been handed to the operating system, and are on disk once the record is closed.
func (w *Writer) Event(e Event) error {
	e.What, e.Component, e.By = w.Clean(e.What), w.Clean(e.Component), w.Clean(e.By)
	return w.do(func() error {
		if err := writeLine(w.events, e); err != nil || e.Mark == "" {
			return err
		}
		err := errors.Join(w.samples.buffer.Flush(), w.steps.buffer.Flush(), w.control.buffer.Flush())
		if w.acks != nil {
			err = errors.Join(err, w.acks.flush())
		}
		return errors.Join(err, w.events.Sync())
	})
}

// Clean is a text without what [Writer.Redact] takes out.
func (w *Writer) Clean(text string) string {
	if w.Redact == nil || text == "" {
		return text
	}
	w.mu.Lock()
	known, ok := w.cleaned[text]
	w.mu.Unlock()
	if ok {
		return known
	}
	known = w.Redact(text)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cleaned == nil || len(w.cleaned) >= mostCleaned {
		w.cleaned = map[string]string{}
	}
	w.cleaned[text] = known
	return known
}

// mostCleaned is how many texts are known without their secrets.
const mostCleaned = 1000

func (w *Writer) do(write func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		if err := write(); err != nil {
			w.err = fmt.Errorf("write the run's record: %w", err)
		}
	}
	return w.err
}

// Close puts everything on disk. Closing twice is harmless.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(w.err, os.ErrClosed) {
		return nil
	}
	err := errors.Join(w.err, w.samples.close(), w.steps.close(), w.control.close(), w.events.Sync(), w.events.Close(), w.closePolls())
	if w.acks != nil {
		err = errors.Join(err, w.acks.close())
	}
	w.err = os.ErrClosed
	return err
}

// KeepAcks prepares for acknowledged writes. A run keeps them if it will look them up.
func (w *Writer) KeepAcks() error {
	return w.do(func() (err error) {
		w.acks, err = newAckFiles(w.dir)
		return err
	})
}

// Ack appends an acknowledged write, if they are kept.
func (w *Writer) Ack(ack Ack) error {
	return w.do(func() error {
		if w.acks == nil {
			return nil
		}
		return w.acks.add(ack, w.Redact)
	})
}

// Confirm has the acknowledged writes looked up, and stores what look has found: of all of
// them, or of none. No more may come meanwhile. What look did not find is unconfirmed.
func (w *Writer) Confirm(look func(*Acked)) error {
	if err := w.do(func() error { return w.acks.flush() }); err != nil {
		return err
	}
	look(w.acks.acked)
	return w.do(func() error { return w.acks.store() })
}
