// Package schedule tells when game days come: by cron, in a time zone, within
// windows, and not on days of blackout.
//
// An hour that a change to summer time skips has no run; of one that the change
// back doubles, the first counts.
package schedule

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/fnv"
	"time"
	_ "time/tzdata" // the names of time zones, where the machine has none

	"github.com/apognu/gocal"
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

// calendar is a schedule made ready to be asked.
type calendar struct {
	scenario.Schedule
	every cron.Schedule
	zone  *time.Location
	spans []span // of calendars, in which nothing begins
}

// span is an event of a calendar.
type span struct {
	from, to time.Time
	why      string
}

// open reads a schedule, and what its calendars hold between two moments.
func open(s scenario.Schedule, from, to time.Time) (c calendar, err error) {
	c.Schedule = s
	if c.every, err = cron.ParseStandard(s.Cron); err != nil {
		return c, fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	if c.zone, err = time.LoadLocation(s.TimeZone); err != nil {
		return c, fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	for _, b := range s.Blackout {
		if b.ICal == "" {
			continue
		}
		events := gocal.NewParser(bytes.NewReader(b.Calendar))
		events.Start, events.End, events.AllDayEventsTZ = &from, &to, c.zone
		if err := events.Parse(); err != nil {
			return c, fmt.Errorf("schedule %s: calendar %s: %w", s.Name, b.ICal, err)
		}
		for _, e := range events.Events {
			if e.Start != nil && e.End != nil {
				c.spans = append(c.spans, span{*e.Start, *e.End, cmp.Or(e.Summary, b.Why)})
			}
		}
	}
	return c, nil
}

// Upcoming are the next n moments after a moment, refused ones among them.
func Upcoming(s scenario.Schedule, after time.Time, n int) ([]Due, error) {
	c, err := open(s, after.AddDate(0, 0, -1), after.AddDate(0, 0, maxDays))
	if err != nil {
		return nil, err
	}
	return c.upcoming(after, n), nil
}

func (c calendar) upcoming(after time.Time, n int) []Due {
	var all []Due
	for at := after.In(c.zone); len(all) < n; {
		next := c.every.Next(at)
		if next.IsZero() {
			break // cron names no moment within five years
		}
		// The second of a doubled hour was there already. What comes so many seconds
		// after what was before has no hours.
		if _, delay := c.every.(cron.ConstantDelaySchedule); delay || !doubled(next) {
			all = append(all, Due{next, c.refused(next)})
		}
		at = next
	}
	return all
}

// Next is the next moment at which something begins; ok is false where none is
// within five years.
func Next(s scenario.Schedule, after time.Time) (at time.Time, ok bool, err error) {
	last := after.AddDate(0, 0, maxDays)
	c, err := open(s, after.AddDate(0, 0, -1), last)
	if err != nil {
		return time.Time{}, false, err
	}
	for from := after; from.Before(last); {
		due := c.upcoming(from, 100)
		for _, d := range due {
			if d.Refused == "" {
				return d.At, true, nil
			}
		}
		if len(due) == 0 {
			break
		}
		from = due[len(due)-1].At
	}
	return time.Time{}, false, nil
}

// Jitter is how much later than a moment the run of that moment begins: by chance, and
// the same whoever asks.
func Jitter(s scenario.Schedule, at time.Time) time.Duration {
	if s.Jitter <= 0 {
		return 0
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", s.Name, at.Unix())
	return time.Duration(h.Sum64() % uint64(s.Jitter)).Truncate(time.Second) //nolint:gosec // G115: it is below jitter
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
func (c calendar) refused(at time.Time) string {
	if why, dark := c.blackout(at); dark {
		if why != "" {
			return "blackout: " + why
		}
		return "blackout"
	}
	if len(c.Windows) == 0 {
		return ""
	}
	for _, w := range c.Windows {
		if within(w, at) && within(w, at.Add(c.Lasts)) && c.Lasts < 24*time.Hour {
			return ""
		}
	}
	return "outside of its windows"
}

func (c calendar) blackout(at time.Time) (why string, dark bool) {
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	for _, b := range c.Blackout {
		last := b.To.Time
		if last.IsZero() {
			last = b.From.Time
		}
		if b.ICal == "" && !day.Before(b.From.Time) && !day.After(last) {
			return b.Why, true
		}
	}
	for _, s := range c.spans {
		if at.Before(s.to) && at.Add(c.Lasts).After(s.from) || at.Equal(s.from) {
			return s.why, true
		}
	}
	return "", false
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
	c, err := open(s, at.AddDate(0, 0, -1), at.AddDate(0, 0, 1))
	if err != nil {
		return "", err
	}
	return c.refused(at.In(c.zone)), nil
}
