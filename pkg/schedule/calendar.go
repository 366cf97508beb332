package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// span is a time in which no run may start. Its end is not part of it.
type span struct {
	from, to time.Time
	why      string
}

// spansOf are the blackouts of a calendar between two times: its events, and the busy times
// of its VFREEBUSY. Whatever it cannot read is an error.
//
// An event blocks whether it is shown as busy or as free (TRANSP): calendar programs show
// whole-day events as free unless told otherwise, and freezes are such events. Only
// STATUS:CANCELLED unblocks. A library that panics is an error of the calendar too.
func spansOf(b scenario.Blackout, from, to time.Time, zone *time.Location) (spans []span, err error) {
	defer func() {
		if p := recover(); p != nil {
			spans, err = nil, fmt.Errorf("the parser panicked: %v", p)
		}
	}()
	all, err := components(b.Calendar)
	if err != nil {
		return nil, err
	}
	r := &reader{
		zones: zones{floating: zone, own: map[string]*component{}, found: map[string]*time.Location{}, last: to.AddDate(1, 0, 0), left: new(maxTimes)},
		from:  from, to: to, why: b.Why, moved: map[string][]stamp{},
	}
	if err := r.prepare(all); err != nil {
		return nil, err
	}
	for _, c := range all {
		switch c.name {
		case "VEVENT":
			err = r.event(c)
		case "VFREEBUSY":
			err = r.freeBusy(c)
		case "VCALENDAR":
			err = fmt.Errorf("line %d: found a calendar within another one, expected it after its end", c.line)
		}
		if err != nil {
			return nil, err
		}
	}
	return r.spans, nil
}

// reader reads the components of a calendar.
type reader struct {
	zones
	from, to time.Time
	why      string             // for events that do not say
	moved    map[string][]stamp // the times of single instances that have an event of their own, by UID
	spans    []span
}

// prepare collects what events refer to, wherever it stands: zones, and single instances
// that were moved or cancelled (RECURRENCE-ID).
func (r *reader) prepare(all []*component) error {
	for _, c := range all {
		if id := c.one("TZID").value; c.name == "VTIMEZONE" && id != "" {
			r.own[id] = c
		}
	}
	for _, c := range all {
		if c.name != "VEVENT" {
			continue
		}
		for _, p := range c.all("RECURRENCE-ID") {
			if p.params["RANGE"] != "" {
				return p.errorf("found RANGE=%s, expected single instances: end the event there, and add another one", p.params["RANGE"])
			}
			s, err := r.stamp(p, p.value)
			if err != nil {
				return err
			}
			uid := c.one("UID").value
			r.moved[uid] = append(r.moved[uid], s)
		}
	}
	return nil
}

// add adds a span, if it has to do with the times that are asked for.
func (r *reader) add(s span) {
	if !s.to.Before(r.from) && !s.from.After(r.to) {
		s.why = cmp.Or(s.why, r.why)
		r.spans = append(r.spans, s)
	}
}

// freeBusy adds the busy times of a calendar that was published without its events.
func (r *reader) freeBusy(c *component) error {
	for _, p := range c.all("FREEBUSY") {
		if strings.EqualFold(p.params["FBTYPE"], "FREE") {
			continue
		}
		all, err := r.periods(p, "")
		if err != nil {
			return err
		}
		for _, s := range all {
			r.add(s)
		}
	}
	return nil
}

// apart sorts spans, and cuts them so that none overlaps another.
func apart(all []span) (cut []span) {
	slices.SortStableFunc(all, func(a, b span) int { return a.from.Compare(b.from) })
	for _, s := range all {
		if n := len(cut); n > 0 && s.from.Before(cut[n-1].to) {
			if !s.to.After(cut[n-1].to) {
				continue
			}
			s.from = cut[n-1].to
		}
		cut = append(cut, s)
	}
	return cut
}
