// Package schedule calculates when game days are due: by cron, in a time zone, inside
// windows and outside blackouts.
//
// At the start of daylight saving time, times in the skipped hour have no run. At its
// end, times in the repeated hour run once, the first time.
package schedule

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"
	_ "time/tzdata" // time zones, for machines that have none installed

	"github.com/robfig/cron/v3"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// Due is one time of the cron expression.
type Due struct {
	At      time.Time `json:"at"`                // in the schedule's time zone
	Refused string    `json:"refused,omitempty"` // why no run starts then
}

// maxDays is how many days ahead [Next] searches.
const maxDays = 5 * 366

// calendar is a schedule with its parsed parts.
type calendar struct {
	scenario.Schedule
	every cron.Schedule
	zone  *time.Location
	spans []span // the blackouts, sorted, without overlaps
}

// open parses a schedule, and its blackouts between two times. A calendar that cannot be
// read in full is an error: no run may start in a blackout that was not understood.
func open(s scenario.Schedule, from, to time.Time) (c calendar, err error) {
	c.Schedule = s
	if c.every, err = scenario.ParseCron(s.Cron); err != nil {
		return c, fmt.Errorf("schedule %s: cron: found %q, %w", s.Name, s.Cron, err)
	}
	if c.zone, err = time.LoadLocation(s.TimeZone); err != nil {
		return c, fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	for _, b := range s.Blackout {
		if b.ICal == "" {
			last := b.To.Time
			if last.IsZero() {
				last = b.From.Time
			}
			c.spans = append(c.spans, span{momentOf(b.From.Time, c.zone), momentOf(last.AddDate(0, 0, 1), c.zone), b.Why})
			continue
		}
		spans, err := spansOf(b, from, to, c.zone)
		if err != nil {
			return c, fmt.Errorf("schedule %s: calendar %s: %w", s.Name, b.ICal, err)
		}
		c.spans = append(c.spans, spans...)
	}
	c.spans = apart(c.spans)
	return c, nil
}

// Upcoming is the next n times after a time, including refused ones.
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
		at = c.next(at)
		if at.IsZero() {
			break // the cron expression has no time within five years
		}
		all = append(all, Due{at, c.refused(at)})
	}
	return all
}

// constant reports whether the schedule is an interval (@every), which does not depend on
// the wall clock.
func (c calendar) constant() bool {
	_, constant := c.every.(cron.ConstantDelaySchedule)
	return constant
}

// Next is the next time at which a run starts. ok is false if there is none within five
// years.
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

// Jitter is the delay of the run that is due at a time. It looks random, but it is the
// same on every instance.
func Jitter(s scenario.Schedule, at time.Time) time.Duration {
	if s.Jitter <= 0 {
		return 0
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d", s.Name, at.Unix())
	return time.Duration(h.Sum64() % uint64(s.Jitter)).Truncate(time.Second) //nolint:gosec // G115: it is below jitter
}

// refused is why no run starts at a time, or "".
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
	return "outside its windows"
}

// blackout is why a run that starts at a time would meet a blackout.
func (c calendar) blackout(at time.Time) (why string, dark bool) {
	last := at.Add(c.Lasts)
	// The spans are sorted and do not overlap: only the first one that has not ended counts,
	// and the one behind it if the first ends just then.
	i, _ := slices.BinarySearchFunc(c.spans, at, func(s span, at time.Time) int { return s.to.Compare(at) })
	for ; i < len(c.spans) && !c.spans[i].from.After(last); i++ {
		if s := c.spans[i]; at.Before(s.to) && last.After(s.from) || at.Equal(s.from) {
			return s.why, true
		}
	}
	return "", false
}

// within reports whether a time is inside a window. The end is not part of the window.
func within(w scenario.Window, at time.Time) bool {
	clock := scenario.ClockTime(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute)
	if w.From < w.To {
		return w.On(at.Weekday()) && clock >= w.From && clock < w.To
	}
	yesterday := (at.Weekday() + 6) % 7
	return w.On(at.Weekday()) && clock >= w.From || w.On(yesterday) && clock < w.To
}

// Refused is why no run may start at a time, or "".
func Refused(s scenario.Schedule, at time.Time) (string, error) {
	c, err := open(s, at.AddDate(0, 0, -1), at.AddDate(0, 0, 1))
	if err != nil {
		return "", err
	}
	return c.refused(at.In(c.zone)), nil
}
