// Package schedule tells when game days come: by cron, in a time zone, within
// windows, and not on days of blackout.
//
// An hour that a change to summer time skips has no run; of one that the change
// back doubles, the first counts.
package schedule

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// Due is one moment that cron names.
type Due struct {
	At      time.Time `json:"at"`                // in the schedule's time zone
	Refused string    `json:"refused,omitempty"` // why nothing begins then
}

// maxDays is how far ahead is looked for a moment that is not refused.
const maxDays = 5 * 366

// Upcoming are the next n moments after a moment, refused ones among them.
func Upcoming(s scenario.Schedule, after time.Time, n int) ([]Due, error) {
	every, err := cron.ParseStandard(s.Cron)
	if err != nil {
		return nil, fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	var all []Due
	for at := after.In(zone); len(all) < n; {
		next := every.Next(at)
		if next.IsZero() {
			break // cron names no moment within five years
		}
		// The second of a doubled hour was there already.
		if !doubled(next) {
			all = append(all, Due{next, refused(s, next)})
		}
		at = next
	}
	return all, nil
}

// Next is the next moment at which something begins; ok is false where none is
// within five years.
func Next(s scenario.Schedule, after time.Time) (at time.Time, ok bool, err error) {
	for from := after; from.Before(after.AddDate(0, 0, maxDays)); {
		due, err := Upcoming(s, from, 100)
		if err != nil || len(due) == 0 {
			return time.Time{}, false, err
		}
		for _, d := range due {
			if d.Refused == "" {
				return d.At, true, nil
			}
		}
		from = due[len(due)-1].At
	}
	return time.Time{}, false, nil
}

// doubled tells whether the clock on the wall has shown this time before, because it
// was put back since.
func doubled(t time.Time) bool {
	// Clocks are put back by an hour, or by half of one in places.
	for _, by := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour} {
		before := t.Add(-by)
		if before.Hour() == t.Hour() && before.Minute() == t.Minute() && before.Day() == t.Day() {
			return true
		}
	}
	return false
}

// refused says why nothing begins at a moment, or "".
func refused(s scenario.Schedule, at time.Time) string {
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	for _, b := range s.Blackout {
		last := b.To.Time
		if last.IsZero() {
			last = b.From.Time
		}
		if !day.Before(b.From.Time) && !day.After(last) {
			if b.Why != "" {
				return "blackout: " + b.Why
			}
			return "blackout"
		}
	}
	if len(s.Windows) == 0 {
		return ""
	}
	for _, w := range s.Windows {
		if within(w, at) && within(w, at.Add(s.Lasts)) && s.Lasts < 24*time.Hour {
			return ""
		}
	}
	return "outside of its windows"
}

// within tells whether a moment lies in a window, whose end is not in it.
func within(w scenario.Window, at time.Time) bool {
	clock := scenario.ClockTime(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute)
	if w.From < w.To {
		return w.On(at.Weekday()) && clock >= w.From && clock < w.To
	}
	yesterday := (at.Weekday() + 6) % 7
	return w.On(at.Weekday()) && clock >= w.From || w.On(yesterday) && clock < w.To
}

// Refused says why nothing may begin at a moment, or "".
func Refused(s scenario.Schedule, at time.Time) (string, error) {
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return "", fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	return refused(s, at.In(zone)), nil
}
