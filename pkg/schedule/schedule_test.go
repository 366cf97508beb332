package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
)

func parse(t *testing.T, text string) scenario.Schedule {
	t.Helper()
	e, err := scenario.LoadEnvironments("gameday.yaml", []byte("version: 1\nenvironments: {}\nschedules:\n  - {name: s, scenario: x, "+text+"}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return e.Schedules[0]
}

// due is the next times in a short form, refused ones with a question mark.
func due(t *testing.T, s scenario.Schedule, after string, n int) string {
	t.Helper()
	from, err := time.Parse(time.RFC3339, after)
	if err != nil {
		t.Fatal(err)
	}
	all, err := schedule.Upcoming(s, from, n)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, d := range all {
		word := d.At.Format("02T15:04-07")
		if d.Refused != "" {
			word += "?"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestUpcoming(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ schedule, after, want string }{
		"in its zone":           {`cron: "0 10 * * 2", time_zone: America/New_York`, "2026-11-25T00:00:00Z", "01T10:00-05 08T10:00-05"},
		"in UTC":                {`cron: "@daily"`, "2026-11-25T12:00:00Z", "26T00:00+00 27T00:00+00"},
		"a skipped hour":        {`cron: "30 2 * * *", time_zone: Europe/Berlin`, "2026-03-28T00:00:00Z", "28T02:30+01 30T02:30+02 31T02:30+02"},
		"a doubled hour":        {`cron: "30 2 * * *", time_zone: Europe/Berlin`, "2026-10-24T12:00:00Z", "25T02:30+02 26T02:30+01"},
		"every quarter, double": {`cron: "*/30 2 * * *", time_zone: Europe/Berlin`, "2026-10-24T12:00:00Z", "25T02:00+02 25T02:30+02 26T02:00+01"},
		"before it is doubled":  {`cron: "30 1 * * *", time_zone: Europe/Berlin`, "2026-10-24T12:00:00Z", "25T01:30+02 26T01:30+01"},
		"windows":               {`cron: "0 */6 * * *", windows: [{days: [wed], from: "09:00", to: "18:00"}]`, "2026-11-25T00:30:00Z", "25T06:00+00? 25T12:00+00 25T18:00+00?"},
		"past midnight":         {`cron: "0 */6 * * *", windows: [{days: [wed], from: "22:00", to: "06:00"}]`, "2026-11-25T17:00:00Z", "25T18:00+00? 26T00:00+00 26T06:00+00?"},
		"not enough left":       {`cron: "50 16 * * *", lasts: 20m, windows: [{from: "09:00", to: "17:00"}]`, "2026-11-25T00:00:00Z", "25T16:50+00?"},
		"blackout":              {`cron: "0 10 * * *", blackout: [{from: 2026-12-24, to: 2026-12-26}]`, "2026-12-23T12:00:00Z", "24T10:00+00? 25T10:00+00? 26T10:00+00? 27T10:00+00"},
		"a day of blackout":     {`cron: "0 23 * * *", time_zone: America/New_York, blackout: [{from: 2026-12-24, why: eve}]`, "2026-12-24T12:00:00Z", "24T23:00-05? 25T23:00-05"},
	} {
		if got := due(t, parse(t, c.schedule), c.after, len(strings.Fields(c.want))); got != c.want {
			t.Errorf("%s: %s, expected %s", name, got, c.want)
		}
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	after := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	at, ok, err := schedule.Next(parse(t, `cron: "0 10 * * *", windows: [{days: [sun], from: "09:00", to: "11:00"}]`), after)
	if err != nil || !ok || at.Format(time.RFC3339) != "2026-11-29T10:00:00Z" {
		t.Error(at, ok, err)
	}
	if at, ok, err := schedule.Next(parse(t, `cron: "0 12 * * *", windows: [{from: "09:00", to: "11:00"}]`), after); err != nil || ok {
		t.Error(at, ok, err)
	}
	if at, ok, err := schedule.Next(parse(t, `cron: "0 0 30 2 *"`), after); err != nil || ok {
		t.Error(at, ok, err)
	}
}

func TestWhatIsNoSchedule(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`cron: "0 25 * * *"`:                                                         "expected five fields",
		`cron: "TZ=Europe/Berlin 0 1 * * *"`:                                         "set time_zone: instead",
		`cron: "0 1 * * *", time_zone: Berlin`:                                       "expected one such as Europe/Berlin",
		`cron: "0 1 * * *", environment: nowhere`:                                    `this file has no environment "nowhere"`,
		`cron: "0 1 * * *", windows: [{from: "9", to: "10:00"}]`:                     "expected a time of day",
		`cron: "0 1 * * *", windows: [{days: [monday], from: "09:00", to: "10:00"}]`: "expected mon, tue",
		`cron: "0 1 * * *", windows: [{from: "09:00", to: "09:00"}]`:                 "from and to are equal",
		`cron: "0 1 * * *", blackout: [{from: 2026-12-24, to: 2026-12-23}]`:          "to is before from",
		`cron: "0 1 * * *", blackout: [{from: soon}]`:                                "expected a day",
	} {
		_, err := scenario.LoadEnvironments("gameday.yaml", []byte("version: 1\nenvironments: {}\nschedules:\n  - {name: s, scenario: x, "+text+"}\n"), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", text, err, want)
		}
	}
}
