package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
)

// The largest calendars that are read, and rules without an end, cost seconds at most: the
// daemon looks at them again and again. The limit is far above what is measured (1 s), for
// slow machines.
func TestLargeCalendars(t *testing.T) {
	t.Parallel()
	const atMost = 20 * time.Second
	many := func(event func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < bounded.MaxFile-1000; i++ {
			fmt.Fprintf(&b, "BEGIN:VEVENT\n%s\nEND:VEVENT\n", event(i))
		}
		return b.String()
	}
	at := func(i int) string {
		return from().Add(time.Duration(i) * 7 * time.Minute).Format("20060102T150405Z")
	}
	for name, events := range map[string]string{
		"many events":            many(func(i int) string { return "DTSTART:" + at(i) + "\nDURATION:PT1M" }),
		"many moved instances":   many(func(i int) string { return "UID:1\nDTSTART:" + at(i) + "\nRECURRENCE-ID:" + at(i+1) }),
		"many parameters":        "BEGIN:VEVENT\nDTSTART" + strings.Repeat(";A=1", 200_000) + ":20261201T100000Z\nEND:VEVENT\n",
		"a long line":            "BEGIN:VEVENT\nDTSTART:20261201T100000Z\nDESCRIPTION;X=\"" + strings.Repeat("x", 8<<20) + "\nEND:VEVENT\n",
		"folded a million times": "BEGIN:VEVENT\nDTSTART:20261201T100000Z\nDESCRIPTION:" + strings.Repeat("x\n ", 4_000_000) + "\nEND:VEVENT\n",
		"each hour, for ever":    "BEGIN:VEVENT\nDTSTART:20150101T000000Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY\nEND:VEVENT\n",
		"each day since 1601":    "BEGIN:VEVENT\nDTSTART:16010101T000000Z\nDURATION:PT1M\nRRULE:FREQ=DAILY\nEND:VEVENT\n",
		"each leap day, Monday":  "BEGIN:VEVENT\nDTSTART:20160229T000000Z\nDURATION:PT1M\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO\nEND:VEVENT\n",
		"three hundred, weekly":  strings.Repeat("BEGIN:VEVENT\nDTSTART:20200101T000000Z\nDURATION:PT1M\nRRULE:FREQ=WEEKLY\nEND:VEVENT\n", 300),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scenario.Schedule{Name: "s", Cron: "0 10 * * *", Blackout: []scenario.Blackout{{ICal: "x.ics", Calendar: []byte("BEGIN:VCALENDAR\n" + events + "END:VCALENDAR\n")}}}
			start := time.Now()
			_, ok, err := schedule.Next(s, from())
			if took := time.Since(start); err != nil || !ok || took > atMost {
				t.Errorf("took %v, %v, %v", took, ok, err)
			} else {
				t.Logf("took %v", took)
			}
		})
	}
}
