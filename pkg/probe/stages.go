package probe

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/ramp"
)

// Stage is a part of a load that follows the fault: users arrive at another rate.
type Stage struct {
	To   Rate          `yaml:"to,omitzero" json:"to,omitzero" jsonschema_description:"The new arrival rate: 200/s."`
	Over time.Duration `yaml:"over,omitempty" json:"over,omitempty" jsonschema_description:"How long the rate takes to change, evenly (default: 0s, a step)."`
	Hold time.Duration `yaml:"hold,omitempty" json:"hold,omitempty" jsonschema_description:"How long the rate then holds. A stage without to holds the rate before it."`
}

// Check reports what is wrong with a stage.
func (s Stage) Check() error {
	switch {
	case s.Over < 0 || s.Hold < 0:
		return fmt.Errorf("found over %v and hold %v, expected durations of 0s or more", s.Over, s.Hold)
	case s.To.Users == 0 && s.Over > 0:
		return fmt.Errorf("found over: %v without a rate: add to: RATE", s.Over)
	case s.To.Users == 0 && s.Hold == 0:
		return errors.New("expected a change such as {to: 200/s, over: 30s}, or {hold: 2m}")
	}
	return nil
}

// The ways in which users arrive.
const (
	Constant = "constant"
	Poisson  = "poisson"
)

// Curve is the arrival rate of a load from the fault on.
func Curve(rate Rate, stages []Stage) ramp.Curve {
	return ramp.New(rate.PerSecond(), Ramp(rate, stages))
}

// Ramp are stages as pkg/verdict takes them: each has a rate.
func Ramp(rate Rate, stages []Stage) []ramp.Stage {
	all := make([]ramp.Stage, 0, len(stages))
	at := rate.PerSecond()
	for _, s := range stages {
		if s.To.Users > 0 {
			at = s.To.PerSecond()
		}
		all = append(all, ramp.Stage{To: at, Over: s.Over, Hold: s.Hold})
	}
	return all
}

// Describe is an arrival rate in a line: 50/s, from the fault on 200/s within 30s, hold 2m.
func Describe(rate Rate, stages []Stage, arrivals string) string {
	text := rate.String()
	if arrivals == Poisson {
		text += " (Poisson arrivals)"
	}
	var parts []string
	for _, s := range stages {
		var words []string
		if s.To.Users > 0 {
			words = append(words, "to "+s.To.String())
			if s.Over > 0 {
				words = append(words, "over "+s.Over.String())
			}
		}
		if s.Hold > 0 {
			words = append(words, "hold "+s.Hold.String())
		}
		parts = append(parts, strings.Join(words, " "))
	}
	if len(parts) > 0 {
		text += ", from the fault on " + strings.Join(parts, ", ")
	}
	return text
}

// Part is a share of a rate. If it is no whole number of users a second or a minute, it is
// rounded to whole users an hour.
func (r Rate) Part(weight, of int) Rate {
	for _, per := range []time.Duration{time.Second, time.Minute, time.Hour} {
		if n := r.Users * weight * int(per/r.Per); per >= r.Per && n%of == 0 {
			return Rate{n / of, per}
		}
	}
	n := r.PerSecond() * time.Hour.Seconds() * float64(weight) / float64(of)
	return Rate{max(int(math.Round(n)), 1), time.Hour}
}
