package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/internal/folder"
)

// The files about the load generator itself. A folder of a gameday that had no control load
// has neither.
const (
	// InstrumentFile has the samples of the control load and of the calibration, in the
	// format of SamplesFile.
	InstrumentFile = "instrument.bin"
	// TruthFile has what is known of the calibrations, whatever was measured.
	TruthFile = "instrument.json"
)

// Truth is what is known of one calibration: when the way of its users was closed, and whom
// the server at its end has served.
type Truth struct {
	Journey string    `json:"journey"` // of the users beside whom it ran
	Samples string    `json:"samples"` // the journey of its own users
	Began   time.Time `json:"began"`
	Closed  time.Time `json:"closed"`
	Opened  time.Time `json:"opened"`
	Ended   time.Time `json:"ended"`
	Rate    float64   `json:"rate_per_s"`
	Served  []Served  `json:"served"`
}

// Served is one user of a calibration whom the server saw.
type Served struct {
	Seq   uint64    `json:"seq"`
	At    time.Time `json:"at"`    // when the server had read the request
	Until time.Time `json:"until"` // when it answered
}

// Move replaces each time. A nil truth has none.
func (t *Truth) Move(to func(time.Time) time.Time) {
	if t == nil {
		return
	}
	for _, at := range []*time.Time{&t.Began, &t.Closed, &t.Opened, &t.Ended} {
		*at = to(*at)
	}
	for i := range t.Served {
		t.Served[i].At, t.Served[i].Until = to(t.Served[i].At), to(t.Served[i].Until)
	}
}

// truthSchema is the version of TruthFile that this code writes and reads.
const truthSchema = "gameday/instrument/v1"

type truths struct {
	Schema       string  `json:"schema"`
	Calibrations []Truth `json:"calibrations"`
}

// WriteTruths stores what is known of the calibrations of a run.
func WriteTruths(dir string, all []Truth) error {
	data, err := json.Marshal(truths{truthSchema, all})
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(dir, TruthFile), 0o640, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("store the calibration: %w", err)
	}
	return nil
}

// Truths reads what is known of the calibrations of a run. There are none in a folder of a
// gameday that did not calibrate.
func Truths(dir string) ([]Truth, error) {
	data, err := folder.ReadFile(dir, TruthFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var t truths
	if err == nil {
		err = Decode(data, truthSchema, &t)
	}
	if err != nil {
		return nil, fmt.Errorf("read the calibration: %s: %w", TruthFile, err)
	}
	return t.Calibrations, nil
}
