package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gameday-dev/gameday/internal/atomicfile"
)

// PollsFile is where a run keeps what it asked outside while users walked. It is absent if
// the run asked nothing.
const PollsFile = "polls.jsonl"

// PollsSchema is the version of [PollsFile] that this code writes and reads.
const PollsSchema = "gameday/polls/v1"

// Poll is one question that was asked outside of gameday, with its answer. What it answers
// is true of some moment between Asked and Answered.
type Poll struct {
	Of       string    `json:"of"` // alert, condition or metric
	N        int       `json:"n"`  // its place in the scenario's expect_alerts, must or observe
	Asked    time.Time `json:"asked"`
	Answered time.Time `json:"answered"`
	Holds    *bool     `json:"holds,omitempty"` // the alert fires, the condition is met; absent if that is unknown
	Value    *float64  `json:"value,omitempty"` // of a metric; absent if there is none
	Why      string    `json:"why,omitempty"`   // it is unknown, or not met
	Schema   string    `json:"schema,omitempty"`
}

// What polls are of.
const (
	PollAlert     = "alert"
	PollCondition = "condition"
	PollMetric    = "metric"
)

// Poll appends a poll.
func (w *Writer) Poll(p Poll) error {
	p.Why = w.Clean(p.Why)
	return w.do(func() error {
		if w.polls == nil {
			if err := w.openPolls(); err != nil {
				return err
			}
		}
		return writeLine(w.polls, p)
	})
}

// openPolls makes the file of polls. Its name is on disk when it returns.
func (w *Writer) openPolls() (err error) {
	path := filepath.Join(w.dir, PollsFile)
	if w.polls, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640); err != nil { //nolint:gosec // G304: the run's own folder
		return err
	}
	return errors.Join(atomicfile.SyncDir(w.dir), writeLine(w.polls, map[string]string{"schema": PollsSchema}))
}

func writeLine(file *os.File, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return err
}

// closePolls puts the polls on disk.
func (w *Writer) closePolls() error {
	if w.polls == nil {
		return nil
	}
	return errors.Join(w.polls.Sync(), w.polls.Close())
}

// Polls reads the polls of a run's folder, in the order in which they were written; there
// are none if the run asked nothing. A torn last line is left out, and a newer file is a
// [SchemaError].
func Polls(dir string) ([]Poll, error) {
	heads, err := lines[json.RawMessage](dir, PollsFile, 1)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(heads) == 0 {
		return nil, nil
	}
	if err == nil {
		err = Decode(heads[0], PollsSchema, new(Poll))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, PollsFile), err)
	}
	all, err := lines[Poll](dir, PollsFile, math.MaxInt)
	if err != nil {
		return nil, err
	}
	return all[1:], nil
}
