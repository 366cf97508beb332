package schedule

import (
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// event is an event of a calendar.
type event struct {
	component *component
	start     stamp
	ends      func(wall time.Time) time.Time // the end of the instance that begins at a wall-clock time
	why       string
	longest   time.Duration      // about how long an instance lasts
	skip      map[int64]bool     // instances that are excluded or moved, by their moment
	skipDays  map[time.Time]bool // the same, by their day on the wall clock
	seen      map[int64]bool     // instances that were added
}

// event adds the instances of an event.
func (r *reader) event(c *component) error {
	if strings.EqualFold(c.one("STATUS").value, "CANCELLED") {
		return nil
	}
	e := event{
		component: c, why: unescaped(c.one("SUMMARY").value),
		skip: map[int64]bool{}, skipDays: map[time.Time]bool{}, seen: map[int64]bool{},
	}
	var err error
	if e.start, err = r.stamp(c.one("DTSTART"), c.one("DTSTART").value); err != nil {
		return err
	}
	if e.ends, err = r.endOf(c, e.start); err != nil {
		return err
	}
	e.longest = e.ends(e.start.wall).Sub(e.start.moment())
	if err := r.exclude(&e); err != nil {
		return err
	}
	// The first instance counts even if it does not meet the rule.
	r.instance(e, e.start.wall)
	if err := r.dates(e); err != nil {
		return err
	}
	return r.recur(e)
}

// unescaped is a text without its escapes.
func unescaped(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";").Replace(text)
}

// endOf is how the end of an instance follows from its start.
func (r *reader) endOf(c *component, start stamp) (func(time.Time) time.Time, error) {
	l := length{}
	end, duration := c.one("DTEND"), c.one("DURATION")
	switch {
	case end.value != "":
		last, err := r.stamp(end, end.value)
		if err != nil {
			return nil, err
		}
		exact, wall := last.moment().Sub(start.moment()), last.wall.Sub(start.wall)
		if exact < 0 {
			return nil, end.errorf("found %.40q, which is before DTSTART", end.value)
		}
		if !start.day || !last.day {
			// RFC 5545 has instances of equal length, most programs show equal times of day.
			// When clocks change, these differ: the later end counts.
			return func(at time.Time) time.Time {
				ends := momentOf(at, start.zone).Add(exact)
				if shown := momentOf(at.Add(wall), start.zone); shown.After(ends) && last.zone == start.zone {
					ends = shown
				}
				return ends
			}, nil
		}
		l.days = max(1, int(wall/day)) // some programs repeat the day
	case duration.value != "":
		var err error
		if l, err = duration.length(duration.value); err != nil {
			return nil, err
		}
	case start.day:
		l.days = 1
	}
	return func(at time.Time) time.Time { return l.after(at, start.zone) }, nil
}

// exclude notes the instances that do not take place, or not at their time: those of
// EXDATE, and those that have an event of their own. A day alone stands for all of it.
func (r *reader) exclude(e *event) error {
	all, err := r.stamps(e.component, "EXDATE")
	if err != nil {
		return err
	}
	if e.component.one("RECURRENCE-ID").value == "" {
		all = append(all, r.moved[e.component.one("UID").value]...)
	}
	for _, s := range all {
		if s.day {
			e.skipDays[s.wall] = true
		} else {
			e.skip[s.moment().Unix()] = true
		}
	}
	return nil
}

// instance adds the instance that begins when clocks first show a time.
func (r *reader) instance(e event, wall time.Time) {
	if wall.Add(e.longest + 2*day).Before(r.from) { // by far: zones do not matter
		return
	}
	at := momentOf(wall, e.start.zone)
	r.span(e, wall, span{at, e.ends(wall), e.why})
}

// twice is instance for an event that recurs within a day: in a repeated hour, it comes
// once more.
func (r *reader) twice(e event, wall time.Time) {
	r.instance(e, wall)
	if all, _ := moments(wall, e.start.zone); len(all) > 1 {
		second := all[len(all)-1]
		r.span(e, wall, span{second, e.ends(wall).Add(second.Sub(all[0])), e.why})
	}
}

// span adds the span of an instance, unless it is excluded, or was added before.
func (r *reader) span(e event, wall time.Time, s span) {
	at := s.from.Unix()
	if e.seen[at] || e.skip[at] || e.skipDays[wall.Truncate(day)] || s.to.Before(r.from) || s.from.After(r.to) {
		return
	}
	e.seen[at] = true
	r.add(s)
}

// dates adds the instances of RDATE.
func (r *reader) dates(e event) error {
	all, err := r.stamps(e.component, "RDATE")
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.day == e.start.day && s.zone != e.start.zone {
			s.wall = wallClock(s.moment(), e.start.zone)
		}
		r.instance(e, s.wall)
	}
	for _, p := range e.component.all("RDATE") {
		if p.params["VALUE"] != "PERIOD" {
			continue
		}
		periods, err := r.periods(p, e.why)
		if err != nil {
			return err
		}
		for _, s := range periods {
			if !e.skip[s.from.Unix()] {
				r.add(s)
			}
		}
	}
	return nil
}

// recur adds the instances of RRULE.
func (r *reader) recur(e event) error {
	last := wallClock(r.to, e.start.zone).Add(day)
	rules := e.component.all("RRULE")
	if len(rules) > 0 && e.component.one("RECURRENCE-ID").value != "" {
		return rules[0].errorf("found it in a single instance (RECURRENCE-ID), expected it in the event")
	}
	for _, p := range rules {
		rule, err := parseRule(p)
		if err == nil && e.start.day {
			rule, err = rule.ofDays(p)
		}
		if err != nil {
			return err
		}
		end, err := until(p, rule.until, e.start)
		if err != nil {
			return err
		}
		add := r.instance
		if rule.option.Freq > rrule.DAILY {
			add = r.twice
		}
		if err := rule.walk(e.start.wall, end, last, r.left, func(wall time.Time) { add(e, wall) }); err != nil {
			return p.errorf("%w", err)
		}
	}
	return nil
}

// until is the end of a rule on the wall clock of its event. An end without a time of day
// includes that day.
func until(p property, text string, start stamp) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	end, err := (&zones{floating: start.zone}).stamp(property{line: p.line, name: "RRULE: UNTIL"}, text)
	if err != nil {
		return time.Time{}, err
	}
	wall := wallClock(end.moment(), start.zone)
	if end.day {
		wall = end.wall.Add(day - time.Second)
	} else if start.day {
		wall = wall.Truncate(day).Add(day - time.Second) // days count as a whole
	}
	return wall, nil
}
