package scenario

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

// The shortest and the longest interval of @every in a gameday.yaml. A game day takes more
// than the first, and moments must stay in years that can be written.
const (
	minEvery = 5 * time.Second
	maxEvery = 366 * 24 * time.Hour
)

// ParseCron reads when a schedule is due: five fields, or @daily and its like. Use it
// instead of the library's parser, which panics on a time zone that nothing follows.
func ParseCron(text string) (cron.Schedule, error) {
	if strings.Contains(text, "TZ=") {
		return nil, errors.New("expected no time zone: set time_zone: instead")
	}
	const expected = "expected five fields such as 0 10 * * 2"
	all, err := cron.ParseStandard(text)
	if err != nil {
		return nil, fmt.Errorf(expected+" (%w)", err)
	}
	// A field of commas alone is no error for the parser, and no moment.
	if f, ok := all.(*cron.SpecSchedule); ok && (f.Minute == 0 || f.Hour == 0 || f.Dom == 0 || f.Month == 0 || f.Dow == 0) {
		return nil, errors.New(expected + " (a field is empty)")
	}
	return all, nil
}

// checkCron reports what is wrong with when a schedule is due.
func (s Schedule) checkCron(doc *strictyaml.Document, at string) {
	at += ".cron"
	if !doc.Has(at) {
		return // that it is missing is reported already
	}
	all, err := ParseCron(s.Cron)
	if err != nil {
		doc.Problem(at, "%s: found %q, %v", at, s.Cron, err)
		return
	}
	if every, ok := all.(cron.ConstantDelaySchedule); ok && (every.Delay < minEvery || every.Delay > maxEvery) {
		doc.Problem(at, "%s: found %q, expected an interval from %v to %.0fh", at, s.Cron, minEvery, maxEvery.Hours())
	}
}
