package schedule

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"
)

// windowsZones are the zones of Windows with their names in the tz database.
//
//go:embed windowszones.txt
var windowsZones string

// zones are the time zones of a calendar.
type zones struct {
	floating *time.Location        // for times without a zone: the schedule's
	own      map[string]*component // the definitions in the calendar (VTIMEZONE)
	found    map[string]*time.Location
	last     time.Time // up to which definitions are calculated
	left     *int      // see [rule.walk]
}

// find is the zone of a TZID: of the tz database, else as the calendar defines it, else by
// its name in Windows. Others are an error: in another zone a blackout begins too late, or
// ends too early.
func (z *zones) find(id string) (*time.Location, error) {
	if zone, ok := z.found[id]; ok {
		return zone, nil
	}
	zone, err := z.look(id)
	if err == nil {
		z.found[id] = zone
	}
	return zone, err
}

func (z *zones) look(id string) (*time.Location, error) {
	// Package time takes "" for UTC, and Local for the machine's own zone.
	if id != "" && id != "Local" {
		if zone, err := time.LoadLocation(id); err == nil {
			return zone, nil
		}
	}
	if defined, ok := z.own[id]; ok {
		zone, err := z.defined(defined)
		if err != nil {
			return nil, fmt.Errorf("the time zone %q: %w", id, err)
		}
		return zone, nil
	}
	if name, ok := ofWindows(id); ok {
		return time.LoadLocation(name)
	}
	return nil, fmt.Errorf("found the time zone %q, expected one of the tz database, such as Europe/Berlin, one of Windows, or one that the calendar defines (VTIMEZONE)", id)
}

// ofWindows is the name in the tz database of a zone of Windows.
func ofWindows(id string) (string, bool) {
	for line := range strings.Lines(windowsZones) {
		if name, zone, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && strings.EqualFold(name, id) {
			return zone, true
		}
	}
	return "", false
}

// defined is the zone that a VTIMEZONE defines.
func (z *zones) defined(c *component) (*time.Location, error) {
	var all []transition
	for _, part := range c.children {
		if part.name != "STANDARD" && part.name != "DAYLIGHT" {
			continue
		}
		some, err := z.transitions(part)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return nil, errors.New("expected STANDARD or DAYLIGHT in its definition")
	}
	return location(c.one("TZID").value, all)
}

// transition is the moment from which on a zone has another offset.
type transition struct {
	at       time.Time
	from, to time.Duration // offsets, east of UTC
}

// transitions are those of one part of a definition.
func (z *zones) transitions(c *component) (all []transition, err error) {
	t := transition{}
	if t.from, err = offsetOf(c.one("TZOFFSETFROM")); err != nil {
		return nil, err
	}
	if t.to, err = offsetOf(c.one("TZOFFSETTO")); err != nil {
		return nil, err
	}
	add := func(wall time.Time) {
		t.at = wall.Add(-t.from)
		all = append(all, t)
	}
	floating := &zones{floating: time.UTC, found: map[string]*time.Location{}} // a definition has no zone yet
	start, err := floating.stamp(c.one("DTSTART"), c.one("DTSTART").value)
	if err != nil {
		return nil, err
	}
	add(start.wall)
	dates, err := floating.stamps(c, "RDATE")
	if err != nil {
		return nil, err
	}
	for _, date := range dates {
		add(date.wall)
	}
	for _, p := range c.all("RRULE") {
		r, err := parseRule(p)
		if err != nil {
			return nil, err
		}
		end, err := until(p, r.until, start)
		if err != nil {
			return nil, err
		}
		// UNTIL of a definition is in UTC.
		if err := r.walk(start.wall, end.Add(t.from), z.last, z.left, add); err != nil {
			return nil, p.errorf("%w", err)
		}
	}
	return all, nil
}
