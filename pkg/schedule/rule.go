package schedule

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// maxTimes is how many times of rules of a calendar are calculated: an hour that recurs for
// a hundred years, or a few hundred days of it for a few thousand events.
const maxTimes = 1_000_000

// rule is an RRULE. The library calculates its times on the wall clock; UNTIL and COUNT
// are counted here.
type rule struct {
	option rrule.ROption
	until  string // as it is written; "" if there is none
	count  int
}

// parseRule reads an RRULE.
func parseRule(p property) (r rule, err error) {
	text := strings.TrimSuffix(strings.ToUpper(p.value), ";")
	var parts []string
	for part := range strings.SplitSeq(text, ";") {
		switch key, value, _ := strings.Cut(part, "="); key {
		case "UNTIL":
			r.until = value
		case "DTSTART", "BYEASTER": // the library's own
			return r, p.errorf("found %s, which is no part of a rule", part)
		default:
			parts = append(parts, part)
		}
	}
	option, err := rrule.StrToROption(strings.Join(parts, ";"))
	if err != nil {
		return r, p.errorf("found %.80q: %w", p.value, err)
	}
	r.count, option.Count = option.Count, 0
	if strings.Contains(text, "COUNT=") && (r.count < 1 || r.count > maxTimes) {
		return r, p.errorf("found COUNT=%d, expected 1 to %d", r.count, maxTimes)
	}
	if strings.Contains(text, "INTERVAL=") && (option.Interval < 1 || option.Interval > maxTimes) {
		return r, p.errorf("found INTERVAL=%d, expected 1 to %d", option.Interval, maxTimes)
	}
	if option.Freq == rrule.SECONDLY {
		return r, p.errorf("found FREQ=%s, expected a longer one", option.Freq)
	}
	if option.Byweekday, err = weekdays(*option); err != nil {
		return r, p.errorf("%w", err)
	}
	r.option = *option
	return r, nil
}

// ofDays is a rule about whole days: times of day say nothing about them.
func (r rule) ofDays(p property) (rule, error) {
	if r.option.Freq > rrule.DAILY {
		return r, p.errorf("found FREQ=%s for whole days, expected a longer one", r.option.Freq)
	}
	r.option.Byhour, r.option.Byminute, r.option.Bysecond = nil, nil, nil
	return r, nil
}

// weekdays are the days of BYDAY as the library understands them. It takes a day with a
// number and one without for a condition that both must meet.
func weekdays(o rrule.ROption) (all []rrule.Weekday, err error) {
	most := 53
	if o.Freq == rrule.MONTHLY || len(o.Bymonth) > 0 {
		most = 5
	}
	numbered := false
	for _, d := range o.Byweekday {
		numbered = numbered || d.N() != 0
		if d.N() < -most || d.N() > most {
			return nil, fmt.Errorf("found BYDAY=%s, expected -%d to %d", d, most, most)
		}
	}
	for _, d := range o.Byweekday {
		if !numbered || d.N() != 0 || o.Freq > rrule.MONTHLY {
			all = append(all, d)
			continue
		}
		for n := range most {
			all = append(all, d.Nth(n+1))
		}
	}
	return all, nil
}

// errTooMany is a calendar whose rules have too many times.
var errTooMany = fmt.Errorf("its rules recur more than %d times: expected fewer, longer events", maxTimes)

// walk calls yield with the times of a rule from start on, on the wall clock, in order, up
// to a last one. left counts down over all rules of a calendar.
func (r rule) walk(start, until, last time.Time, left *int, yield func(time.Time)) error {
	option := r.option
	option.Dtstart = start
	option.Until = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC) // the library's own limit is 292 years after the start
	if !reachable(option) {
		return errors.New("the rule has no time: no hour and minute of the rule can be reached in its steps")
	}
	times, err := rrule.NewRRule(option)
	if err != nil {
		return err
	}
	next := times.Iterator()
	for n := 0; ; n++ {
		at, ok := next()
		switch {
		case !ok && n == 0:
			return errors.New("the rule has no time: no day meets all its parts")
		case !ok || at.After(last) || r.until != "" && at.After(until) || r.count > 0 && n >= r.count:
			return nil
		case *left <= 0:
			return errTooMany
		}
		*left--
		yield(at)
	}
}

// reachable reports whether a rule that steps by hours or minutes ever comes to a time that
// BYHOUR and BYMINUTE allow. The library would look for one for ever.
func reachable(o rrule.ROption) bool {
	if o.Freq < rrule.HOURLY {
		return true
	}
	step := cmp.Or(o.Interval, 1)
	start := o.Dtstart.Hour()*60 + o.Dtstart.Minute()
	if o.Freq == rrule.HOURLY {
		step = step % 24 * 60
	}
	for n := range 24 * 60 {
		minute := (start + n*step) % (24 * 60)
		if (len(o.Byhour) == 0 || slices.Contains(o.Byhour, minute/60)) &&
			(len(o.Byminute) == 0 || o.Freq == rrule.HOURLY || slices.Contains(o.Byminute, minute%60)) {
			return true
		}
	}
	return false
}
