package schedule

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// stamp is a time or a day of a calendar.
type stamp struct {
	wall time.Time // on the wall clock of its zone
	zone *time.Location
	day  bool // a whole day
}

// moment is when it is, or begins.
func (s stamp) moment() time.Time { return momentOf(s.wall, s.zone) }

// stamp reads a value of a property: 20261224, 20261224T100000 or 20261224T100000Z. A time
// without a zone, and a day, are in the schedule's.
func (z *zones) stamp(p property, value string) (s stamp, err error) {
	s.zone = z.floating
	value = strings.ToUpper(strings.TrimSpace(value))
	if id, ok := p.params["TZID"]; ok && !strings.HasSuffix(value, "Z") {
		if s.zone, err = z.find(id); err != nil {
			return s, p.errorf("%w", err)
		}
	}
	layout := "20060102T150405"
	switch {
	case len(value) == len("20060102") && p.params["VALUE"] != "DATE-TIME":
		layout, s.day, s.zone = "20060102", true, z.floating
	case strings.HasSuffix(value, "Z"):
		layout, s.zone = layout+"Z", time.UTC
	}
	s.wall, err = time.Parse(layout, value)
	if err != nil || !s.day && p.params["VALUE"] == "DATE" {
		return s, p.errorf("found %.40q, expected a day such as 20261224, or a time such as 20261224T100000Z", value)
	}
	return s, nil
}

// stamps reads the values of all properties of a name, but periods.
func (z *zones) stamps(c *component, name string) (all []stamp, err error) {
	for _, p := range c.all(name) {
		if p.params["VALUE"] == "PERIOD" {
			continue
		}
		for value := range strings.SplitSeq(p.value, ",") {
			s, err := z.stamp(p, value)
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// length is how long something lasts: days on the wall clock, and then some time.
type length struct {
	days int
	time time.Duration
}

// after is the end of what begins at a wall-clock time in a zone.
func (l length) after(wall time.Time, zone *time.Location) time.Time {
	return momentOf(wall.AddDate(0, 0, l.days), zone).Add(l.time)
}

var lengths = regexp.MustCompile(`^\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?$`)

// length reads a DURATION: P1W, P1DT2H.
func (p property) length(value string) (l length, err error) {
	found := lengths.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(value)))
	if found == nil || len(value) < len("P1D") {
		return l, p.errorf("found %.40q, expected a duration such as P1D or PT2H", value)
	}
	n := func(i int) int {
		one, _ := strconv.Atoi(found[i]) // digits, or nothing
		return one
	}
	l.days = n(1)*7 + n(2)
	l.time = time.Duration(n(3))*time.Hour + time.Duration(n(4))*time.Minute + time.Duration(n(5))*time.Second
	return l, nil
}

// periods reads the periods of a property: a start, and an end or a length.
func (z *zones) periods(p property, why string) (all []span, err error) {
	for value := range strings.SplitSeq(p.value, ",") {
		first, second, _ := strings.Cut(value, "/")
		start, err := z.stamp(p, first)
		if err != nil {
			return nil, err
		}
		one := span{from: start.moment(), why: why}
		if strings.Contains(second, "P") || strings.Contains(second, "p") {
			l, err := p.length(second)
			if err != nil {
				return nil, err
			}
			one.to = l.after(start.wall, start.zone)
		} else {
			end, err := z.stamp(p, second)
			if err != nil {
				return nil, err
			}
			one.to = end.moment()
		}
		if one.to.Before(one.from) {
			return nil, p.errorf("found %.60q, which ends before it begins", value)
		}
		all = append(all, one)
	}
	return all, nil
}
