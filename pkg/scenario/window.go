package scenario

import (
	"errors"
	"fmt"
	"time"

	"github.com/invopop/jsonschema"
)

// Window is a span of the day on some days of the week. One that ends before it
// begins ends on the next day.
type Window struct {
	Days []string  `yaml:"days,omitempty" jsonschema_description:"mon, tue, wed, thu, fri, sat, sun (default: all of them)."`
	From ClockTime `yaml:"from" jsonschema:"required" jsonschema_description:"From this time of day on: 09:00."`
	To   ClockTime `yaml:"to" jsonschema:"required" jsonschema_description:"Until this one: 17:00."`
}

// Blackout is a span of days, or a calendar of spans.
type Blackout struct {
	From Day    `yaml:"from,omitempty" jsonschema_description:"The first day: 2026-12-24."`
	To   Day    `yaml:"to,omitempty" jsonschema_description:"The last one (default: the first)."`
	ICal string `yaml:"ical,omitempty" jsonschema_description:"A calendar (.ics) beside gameday.yaml, instead of from and to: no run starts during its events."`
	Why  string `yaml:"why,omitempty" jsonschema_description:"Why."`

	Calendar []byte `yaml:"-"` // what ical: names, as it was read
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

// JSONSchema is how a time of day is written.
func (ClockTime) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^([01]?[0-9]|2[0-3]):[0-5][0-9]$`, Examples: []any{"09:00"}}
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

// JSONSchema is how a day is written.
func (Day) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, Examples: []any{"2026-12-24"}}
}

// weekdays are the days of the week as they are written, in the order of package
// time.
func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// On reports whether the window is about a day of the week.
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
