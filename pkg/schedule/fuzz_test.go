package schedule_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
)

func from() time.Time { return time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) }

// calculated calculates all that gameday does of a schedule. Errors are allowed.
func calculated(t *testing.T, s scenario.Schedule) {
	t.Helper()
	all, err := schedule.Upcoming(s, from(), 50)
	last := from()
	for _, d := range all {
		if !d.At.After(last) || d.At.Year() > 9999 {
			t.Errorf("%v follows %v", d.At, last)
		}
		last = d.At
	}
	_, _, nextErr := schedule.Next(s, from())
	_, refusedErr := schedule.Refused(s, from())
	if (err == nil) != (nextErr == nil) {
		t.Errorf("%v, and %v; %v", err, nextErr, refusedErr)
	}
	for _, to := range schedule.Exports() {
		_ = schedule.Export(&bytes.Buffer{}, s, to, from()) // some cannot be exported
	}
}

// Whatever schedules a gameday.yaml has: it is refused, or their times can be calculated.
// Nothing panics, or goes on for ever (H5).
func FuzzSchedules(f *testing.F) {
	for _, schedule := range []string{
		`cron: "TZ=UTC"`, `cron: "CRON_TZ="`, `cron: ", * * * *"`, `cron: "@every 90m"`, `cron: "@every -5m"`, `cron: "0 0 30 2 *"`, `cron: "*/7 1-3 1,15 feb mon-fri"`,
		`cron: "@daily", time_zone: Europe/Berlin, jitter: 10m, lasts: 15m, windows: [{days: [mon], from: "22:00", to: "06:00"}], blackout: [{from: 2026-12-24, to: 2027-01-06, why: x}]`,
	} {
		f.Add([]byte("version: 1\nenvironments: {}\nschedules:\n  - {name: s, scenario: x, " + schedule + "}\n"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := scenario.LoadEnvironments("gameday.yaml", data, nil)
		if err != nil {
			return
		}
		for _, s := range e.Schedules {
			calculated(t, s)
		}
	})
}

const event = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261201T100000Z\r\nDTEND:20261201T110000Z\r\n"

// Whatever a calendar of blackouts contains: it is refused, or the times can be calculated.
func FuzzCalendar(f *testing.F) {
	for _, rule := range []string{
		"", "RRULE:FREQ=DAILY;INTERVAL=0\r\n", "RRULE:FREQ=WEEKLY;BYDAY=XX;COUNT=3\r\n", "RRULE:FREQ=YEARLY;BYMONTH=2;COUNT=3\r\n",
		"RRULE:FREQ=MONTHLY;BYMONTH=11;INTERVAL=4;COUNT=3\r\n", "RRULE:FREQ=DAILY;UNTIL=20270101T000000Z\r\nEXDATE:20261202T100000Z\r\n", "RECURRENCE-ID:x\r\n", "DURATION:PT1H\r\n",
	} {
		f.Add([]byte(event + rule + "END:VEVENT\r\nEND:VCALENDAR\r\n"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		calculated(t, scenario.Schedule{Name: "s", Cron: "0 10 * * *", Scenario: "x", Blackout: []scenario.Blackout{{ICal: "x.ics", Calendar: data}}})
	})
}
