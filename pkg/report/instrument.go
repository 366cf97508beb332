package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Instrument is what a run has shown about its own load generator.
type Instrument struct {
	Calibration  string           `json:"calibration"` // on, or off if the scenario turned it off
	Calibrations []run.Calibrated `json:"calibrations,omitempty"`
	Wrong        string           `json:"wrong,omitempty"` // why it was not calibrated
}

// Void are the users of a journey who are not judged, because the load generator itself was
// late or bad.
type Void struct {
	Users int             `json:"users"`
	Spans int             `json:"spans"`
	Total verdict.Seconds `json:"total_s"` // of the spans
}

// instrumentOf is nil for a run of a gameday that did not calibrate.
func instrumentOf(f run.Folder) *Instrument {
	if f.Meta.Calibrate == "" {
		return nil
	}
	return &Instrument{f.Meta.Calibrate, f.Calibrations(), f.Meta.NotCalibrated}
}

func voidOf(c run.Case) *Void {
	if c.Void == 0 {
		return nil
	}
	v := Void{Users: c.Void, Spans: len(c.VoidSpans)}
	for _, s := range c.VoidSpans {
		v.Total += verdict.Seconds(s.To - s.From)
	}
	return &v
}

// facts are the lines about the load generator.
func (i *Instrument) facts(add func(name, format string, args ...any)) {
	switch {
	case i == nil:
	case i.Calibration == scenario.Off:
		add("Instrument", "not calibrated: the scenario has calibrate: off")
	case len(i.Calibrations) == 0 && i.Wrong == "":
		add("Instrument", "not calibrated: the run ended before the calibration did")
	case len(i.Calibrations) == 0:
		add("Instrument", "NOT CALIBRATED: %s", plainWrong(i.Wrong))
	}
	if i == nil {
		return
	}
	for _, c := range i.Calibrations {
		add("Instrument", "%s", calibrated(c))
	}
}

// calibrated is what one calibration has shown.
func calibrated(c run.Calibrated) string {
	if c.Wrong != "" {
		return fmt.Sprintf("NOT CALIBRATED, beside journey %s: %s", c.Journey, plainWrong(c.Wrong))
	}
	return fmt.Sprintf("%s … %s ms on a known second, no false alarm in %.0f s (beside journey %s)",
		signed(c.Lo), signed(c.Hi), c.Null.Duration().Seconds(), c.Journey)
}

// plainWrong has what a record says about a calibration, without codes of verdicts.
func plainWrong(text string) string {
	const control = "the control load, which has no outage, is "
	return strings.NewReplacer(
		"was measured as: inconclusive "+string(verdict.BaselineNotSteady), "could not be measured: requests to gameday's own server were slow or failed before it",
		control+string(verdict.BaselineNotSteady), "more requests to gameday's own server were slow or failed than the objective allows, and that server had no outage",
		control+string(verdict.BaselineTooShort), "too few requests were sent to gameday's own server to judge them",
	).Replace(text)
}

// signed is a difference in milliseconds, rounded away from zero: it must not look smaller.
func signed(s verdict.Seconds) string {
	ms := float64(s) / float64(time.Millisecond)
	if ms < 0 {
		return fmt.Sprintf("−%.0f", math.Ceil(-ms))
	}
	return fmt.Sprintf("+%.0f", math.Ceil(ms))
}
