package schedule_test

import (
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
)

// A calendar that would never be read to its end, or only in part, is refused: the daemon
// must not hang, and no blackout may be missing.
func TestCalendarsWithoutEnd(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		"RRULE:FREQ=DAILY;INTERVAL=0":                                                "found RRULE with INTERVAL=0, expected 1 to",
		"RRULE:FREQ=DAILY;INTERVAL=-1":                                               "INTERVAL=-1",
		"RRULE:FREQ=DAILY;INTER\r\n VAL=0":                                           "INTERVAL=0",
		"RRULE:FREQ=WEEKLY;INTERVAL=9223372036854775807":                             "expected 1 to",
		"RRULE:FREQ=DAILY;COUNT=9223372036854775807":                                 "expected 1 to",
		"RRULE:FREQ=WEEKLY;BYDAY=XX;COUNT=3":                                         "expected days such as MO,TU",
		"RRULE:FREQ=YEARLY;BYMONTH=2;COUNT=3":                                        "expected a month in which the event recurs",
		"RRULE:FREQ=MONTHLY;INTERVAL=4;BYMONTH=11;COUNT=3":                           "expected a month in which the event recurs",
		"DESCRIPTION:" + strings.Repeat("x", 70_000):                                 "found 70013 bytes in line 7",
		"RRULE:FREQ=YEARLY;BYMONTH=12;COUNT=3":                                       "",
		"RRULE:FREQ=MONTHLY;INTERVAL=4;BYMONTH=4;COUNT=3":                            "",
		"RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=3":                                         "",
		"RRULE:FREQ=WEEKLY;BYMONTH=2;COUNT=3":                                        "",
		"RRULE:FREQ=DAILY;COUNT=10000":                                               "",
		"RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20270101T000000Z":                         "",
		"DESCRIPTION:" + strings.Repeat(strings.Repeat("x", 70)+"\r\n ", 1000) + "x": "",
	} {
		s := scenario.Schedule{Name: "s", Cron: "0 10 * * *", Blackout: []scenario.Blackout{{ICal: "x.ics", Calendar: []byte(event + rule + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")}}}
		_, err := schedule.Upcoming(s, from(), 1)
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "schedule s: calendar x.ics")):
			t.Errorf("%.80s: %v, expected %q", rule, err, want)
		}
	}
}
