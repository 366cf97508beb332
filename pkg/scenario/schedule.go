package scenario

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

// Schedule is a game day that comes again and again.
type Schedule struct {
	Name        string        `yaml:"name" jsonschema:"required" jsonschema_description:"Its name: small letters, digits and hyphens."`
	Cron        string        `yaml:"cron" jsonschema:"required" jsonschema_description:"When: minute, hour, day of the month, month, day of the week; or @daily and its like."`
	TimeZone    string        `yaml:"time_zone,omitempty" jsonschema_description:"Of cron, windows and blackout: Europe/Berlin; UTC where it is not set."`
	Scenario    string        `yaml:"scenario" jsonschema:"required" jsonschema_description:"The scenario, as gameday run takes it."`
	Environment string        `yaml:"environment,omitempty" jsonschema_description:"Where, instead of the scenario's own environment."`
	Windows     []Window      `yaml:"windows,omitempty" jsonschema_description:"When it may begin; at any time where none is set."`
	Blackout    []Blackout    `yaml:"blackout,omitempty" jsonschema_description:"Days on which it must not."`
	Lasts       time.Duration `yaml:"lasts,omitempty" jsonschema_description:"How much of a window must be left when it begins; nothing where it is not set."`
}

// Window is a span of the day on some days of the week. One that ends before it
// begins ends on the next day.
type Window struct {
	Days []string  `yaml:"days,omitempty" jsonschema_description:"mon, tue, wed, thu, fri, sat, sun; all of them where none is set."`
	From ClockTime `yaml:"from" jsonschema:"required" jsonschema_description:"From this time of day on: 09:00."`
	To   ClockTime `yaml:"to" jsonschema:"required" jsonschema_description:"Until this one: 17:00."`
}

// Blackout is a span of days.
type Blackout struct {
	From Day    `yaml:"from" jsonschema:"required" jsonschema_description:"The first day: 2026-12-24."`
	To   Day    `yaml:"to,omitempty" jsonschema_description:"The last one; the first where it is not set."`
	Why  string `yaml:"why,omitempty" jsonschema_description:"Why."`
}

// ClockTime is a time of day, since midnight by the clock on the wall.
type ClockTime time.Duration

// UnmarshalText reads a time of day.
func (c *ClockTime) UnmarshalText(text []byte) error {
	t, err := time.Parse("15:04", string(text))
	if err != nil {
		return errors.New("expected a time of day such as 09:00")
	}
	*c = ClockTime(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
	return nil
}

// MarshalText writes a time of day.
func (c ClockTime) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String is the time of day as it is written.
func (c ClockTime) String() string {
	d := time.Duration(c)
	return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
}

// Day is a day of the calendar.
type Day struct{ time.Time }

// UnmarshalText reads a day.
func (d *Day) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return errors.New("expected a day such as 2026-12-24")
	}
	d.Time = t
	return nil
}

// MarshalText writes a day.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.Format(time.DateOnly)), nil }

// weekdays are the days of the week as they are written, in the order of package
// time.
func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// On tells whether the window is about a day of the week.
func (w Window) On(day time.Weekday) bool {
	if len(w.Days) == 0 {
		return true
	}
	for _, d := range w.Days {
		if weekdays()[day] == d {
			return true
		}
	}
	return false
}

// checkSchedules reports what the fields alone do not show to be wrong.
func (e Environments) checkSchedules(doc *strictyaml.Document) {
	seen := map[string]bool{}
	for i, s := range e.Schedules {
		at := index("schedules", i)
		if !names.MatchString(s.Name) && s.Name != "" {
			doc.Problem(at+".name", "%s.name: found %q, expected small letters, digits and hyphens", at, s.Name)
		}
		if seen[s.Name] {
			doc.Problem(at+".name", "%s.name: %s stands here a second time", at, s.Name)
		}
		seen[s.Name] = true
		if _, err := cron.ParseStandard(s.Cron); err != nil && s.Cron != "" {
			doc.Problem(at+".cron", "%s.cron: found %q, expected five fields such as 0 10 * * 2 (%v)", at, s.Cron, err)
		}
		if strings.Contains(s.Cron, "TZ=") {
			doc.Problem(at+".cron", "%s.cron: the time zone stands in time_zone:", at)
		}
		if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "Local" {
			doc.Problem(at+".time_zone", "%s.time_zone: found %q, expected one such as Europe/Berlin or UTC", at, s.TimeZone)
		}
		if _, known := e.Environments[s.Environment]; s.Environment != "" && !known && !strings.HasPrefix(s.Environment, LabPrefix) {
			doc.Problem(at+".environment", "%s.environment: there is no %q here", at, s.Environment)
		}
		s.checkTimes(doc, at)
	}
}

func (s Schedule) checkTimes(doc *strictyaml.Document, at string) {
	for k, w := range s.Windows {
		path := index(at+".windows", k)
		for _, d := range w.Days {
			if !strings.Contains(strings.Join(weekdays(), " "), d) || len(d) != len("mon") {
				doc.Problem(path+".days", "%s.days: found %q, expected mon, tue, wed, thu, fri, sat or sun", path, d)
			}
		}
		if w.From == w.To {
			doc.Problem(path, "%s: it ends when it begins", path)
		}
	}
	for k, b := range s.Blackout {
		if path := index(at+".blackout", k); !b.To.IsZero() && b.To.Before(b.From.Time) {
			doc.Problem(path, "%s: it ends before it begins", path)
		}
	}
	if s.Lasts < 0 {
		doc.Problem(at+".lasts", "%s.lasts: found %v, expected 0 or more", at, s.Lasts)
	}
}
