package schedule

import "time"

// day is longer than any offset of a time zone.
const day = 24 * time.Hour

// wallClock is what the clocks of a zone show at a moment. A wall-clock time has no zone:
// it is written as if it were in UTC, where no hour is skipped or repeated.
func wallClock(at time.Time, zone *time.Location) time.Time {
	at = at.In(zone)
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
}

// moments are all moments at which the clocks of a zone show a wall-clock time, in order:
// two in an hour that is repeated, none in one that is skipped. instead is the moment that
// RFC 5545, section 3.3.5, takes for a time in a skipped hour: by the offset before the gap.
//
// [time.Date] answers one of the two, and does not say which: it depends on the sign of
// the offset.
func moments(wall time.Time, zone *time.Location) (all []time.Time, instead time.Time) {
	for at := wall.Add(-day).In(zone); ; {
		start, end := at.ZoneBounds() // zero if there is none
		_, offset := at.Zone()
		moment := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		switch {
		case !end.IsZero() && !moment.Before(end):
			instead = moment
		case start.IsZero() || !moment.Before(start):
			all = append(all, moment)
		}
		if end.IsZero() || end.After(wall.Add(day)) {
			return all, instead
		}
		at = end
	}
}

// momentOf is the first moment at which the clocks of a zone show a wall-clock time.
func momentOf(wall time.Time, zone *time.Location) time.Time {
	all, instead := moments(wall, zone)
	if len(all) == 0 {
		return instead
	}
	return all[0]
}

// next is the first time of the cron expression after a moment; zero if there is none
// within [maxDays].
//
// The library looks on the wall clock, as if it were UTC, because its own walk through a
// zone loses the days that begin with a skipped hour.
func (c calendar) next(after time.Time) time.Time {
	if c.constant() {
		return c.every.Next(after)
	}
	last := after.AddDate(0, 0, maxDays)
	for wall := wallClock(after, c.zone); ; {
		wall = c.every.Next(wall)
		if wall.IsZero() || wall.After(last.Add(day)) {
			return time.Time{}
		}
		if all, _ := moments(wall, c.zone); len(all) > 0 && all[0].After(after) {
			return all[0]
		}
	}
}
