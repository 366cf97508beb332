package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
)

func TestExport(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	weekly := scenario.Schedule{Name: "weekly", Cron: "30 10 * * 2", TimeZone: "Europe/Berlin", Scenario: "checkout-db-loss", Environment: "staging", Jitter: 10 * time.Minute}
	with := func(cron, zone string) scenario.Schedule { s := weekly; s.Cron, s.TimeZone = cron, zone; return s }
	for _, c := range []struct {
		s    scenario.Schedule
		to   string
		says string // a part of the output, or "!" and a part of the error
	}{
		{weekly, "cron", "CRON_TZ=Europe/Berlin\n30 10 * * 2 cd /srv/gameday && sleep $(shuf -i 0-600 -n 1) && gameday schedule check weekly && gameday run checkout-db-loss --env staging\n"},
		{weekly, "systemd", "OnCalendar=Tue *-*-* 10:30:00 Europe/Berlin\nRandomizedDelaySec=10m0s\n"},
		{with("*/15 9-17 * * 1-5", ""), "systemd", "OnCalendar=Mon..Fri *-*-* 9..17:0/15:00 UTC\n"},
		{with("0 0 1,15 */3 *", ""), "systemd", "OnCalendar=*-1/3-1,15 00:00:00 UTC\n"},
		{with("0 3 * * mon,0", ""), "systemd", "OnCalendar=Mon,Sun *-*-* 03:00:00 UTC\n"},
		{with("@daily", ""), "systemd", "OnCalendar=*-*-* 00:00:00 UTC\n"},
		{with("@every 90m", ""), "systemd", "OnUnitActiveSec=1h30m0s\n"},
		{with("@every 90m", ""), "cron", "!does not support @every"},
		{with("0 3 1 * 1", ""), "systemd", "!split it into two schedules"},
		{weekly, "github-actions", "    - cron: \"30 9 * * 2\"\n    - cron: \"30 8 * * 2\"\n"},
		{with("30 0 * * 2", "Europe/Berlin"), "github-actions", "!another day of the week"},
		{with("30 0 * * *", "Europe/Berlin"), "github-actions", "    - cron: \"30 23 * * *\"\n    - cron: \"30 22 * * *\"\n"},
		{with("0 10 * * 2", "Asia/Kolkata"), "github-actions", "!whole hours"},
		{with("*/5 * * * *", ""), "github-actions", "    - cron: \"*/5 * * * *\"\n"},
		{weekly, "kubernetes", "  timeZone: Europe/Berlin\n  concurrencyPolicy: Forbid\n  startingDeadlineSeconds: 300\n"},
		{weekly, "quartz", "!expected one of"},
	} {
		var b strings.Builder
		err := schedule.Export(&b, c.s, c.to, now)
		if refusal, refused := strings.CutPrefix(c.says, "!"); refused {
			if err == nil || !strings.Contains(err.Error(), refusal) {
				t.Errorf("%s for %s: %v, expected %q", c.s.Cron, c.to, err, refusal)
			}
			continue
		}
		if err != nil || !strings.Contains(b.String(), c.says) {
			t.Errorf("%s for %s: %v\n%s\nlacks %q", c.s.Cron, c.to, err, b.String(), c.says)
		}
		if c.to == "kubernetes" || c.to == "github-actions" {
			var document map[string]any
			if err := yaml.Unmarshal([]byte(b.String()), &document); err != nil {
				t.Errorf("%s is not YAML: %v", c.to, err)
			}
		}
	}
}

func TestCalendarsOfBlackouts(t *testing.T) {
	t.Parallel()
	s := scenario.Schedule{Name: "x", Cron: "0 10 * * *", TimeZone: "Europe/Berlin", Blackout: []scenario.Blackout{{ICal: "freeze.ics", Calendar: []byte(strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:sale
DTSTAMP:20261101T000000Z
DTSTART:20261127T080000Z
DTEND:20261127T100000Z
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:year's end
DTSTAMP:20261101T000000Z
DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20270102
END:VEVENT
BEGIN:VEVENT
UID:3
SUMMARY:payday
DTSTAMP:20261101T000000Z
DTSTART:20261201T090000Z
DTEND:20261201T093000Z
RRULE:FREQ=MONTHLY;COUNT=12
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n"))}}}
	for moment, want := range map[string]string{
		"2026-11-26T09:00:00Z": "", "2026-11-27T09:00:00Z": "blackout: sale", "2026-11-27T10:00:00Z": "", "2026-11-27T07:59:00Z": "",
		"2026-12-24T09:00:00Z": "blackout: year's end", "2026-12-23T22:59:00Z": "", "2026-12-23T23:30:00Z": "blackout: year's end", "2027-01-01T22:00:00Z": "blackout: year's end", "2027-01-02T09:00:00Z": "",
		"2027-03-01T09:10:00Z": "blackout: payday",
	} {
		at, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := schedule.Refused(s, at); err != nil || got != want {
			t.Errorf("%s: %q, %v, expected %q", moment, got, err, want)
		}
	}
	due, err := schedule.Upcoming(s, time.Date(2026, 12, 22, 0, 0, 0, 0, time.UTC), 12)
	if err != nil || len(due) != 12 || due[0].Refused != "" || due[2].Refused != "blackout: year's end" || due[11].Refused != "" {
		t.Errorf("%+v, %v", due, err)
	}
	s.Blackout[0].Calendar = []byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:yesterday\r\nEND:VEVENT\r\n")
	if _, err := schedule.Refused(s, time.Now()); err == nil {
		t.Error("an invalid calendar is accepted")
	}
}

func TestJitterIsTheSameForEveryInstance(t *testing.T) {
	t.Parallel()
	s := scenario.Schedule{Name: "x", Jitter: 10 * time.Minute}
	seen := map[time.Duration]bool{}
	for i := range 100 {
		at := time.Unix(int64(i)*3600, 0)
		j := schedule.Jitter(s, at)
		if j != schedule.Jitter(s, at) || j < 0 || j >= s.Jitter {
			t.Fatalf("%v", j)
		}
		seen[j] = true
	}
	if len(seen) < 50 {
		t.Errorf("only %d different jitters in 100", len(seen))
	}
}
