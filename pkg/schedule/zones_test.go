package schedule_test

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
)

//go:embed testdata/zones.txt
var zoneNames string

// A day whose first hour is skipped is a day like others (52): a schedule on it runs, unless
// it is in the skipped hour.
func TestDaysThatBeginWithASkippedHour(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ schedule, after, want string }{
		"Cairo, each Friday":  {`cron: "0 9 * * 5", time_zone: Africa/Cairo`, "2027-04-20T00:00:00Z", "23T09:00+02 30T09:00+03 07T09:00+03"},
		"Cairo, that day":     {`cron: "0 9 30 4 *", time_zone: Africa/Cairo`, "2027-04-20T00:00:00Z", "30T09:00+03 30T09:00+03"},
		"Cairo, its midnight": {`cron: "0 0 * * 5", time_zone: Africa/Cairo`, "2027-04-20T00:00:00Z", "23T00:00+02 07T00:00+03"},
		"Beirut, each Sunday": {`cron: "0 9 * * 0", time_zone: Asia/Beirut`, "2027-03-20T00:00:00Z", "21T09:00+02 28T09:00+03 04T09:00+03"},
		"Beirut, that day":    {`cron: "30 1 28 3 *", time_zone: Asia/Beirut`, "2027-03-20T00:00:00Z", "28T01:30+03"},
		"Havana, that day":    {`cron: "0 9 14 3 *", time_zone: America/Havana`, "2027-03-10T00:00:00Z", "14T09:00-04"},
		"Asuncion, last time": {`cron: "0 9 6 10 *", time_zone: America/Asuncion`, "2024-10-01T00:00:00Z", "06T09:00-03"},
		"Santiago, that day":  {`cron: "0 9 5 9 *", time_zone: America/Santiago`, "2027-09-01T00:00:00Z", "05T09:00-03"},
		"Nuuk, before a day":  {`cron: "30 22 27 3 *", time_zone: America/Nuuk`, "2027-03-20T00:00:00Z", "27T22:30-02"},
		"Troll, two hours":    {`cron: "30 2 * * *", time_zone: Antarctica/Troll`, "2027-03-27T12:00:00Z", "29T02:30+02"},
		"a month's first day": {`cron: "0 9 1 * *", time_zone: Africa/Cairo`, "2027-04-20T00:00:00Z", "01T09:00+03"},
	} {
		if got := due(t, parse(t, c.schedule), c.after, len(strings.Fields(c.want))); got != c.want {
			t.Errorf("%s: %s, expected %s", name, got, c.want)
		}
	}
}

// field is a field of a cron expression: any value if it is empty.
type field []int

func (f field) has(n int) bool { return len(f) == 0 || slices.Contains(f, n) }

// expression is a cron expression, and the same as sets.
type expression struct {
	text                              string
	minute, hour, day, month, weekday field
}

func expressions() []expression {
	return []expression{
		{text: "0 9 * * 5", minute: field{0}, hour: field{9}, weekday: field{5}},
		{text: "0 0 * * 0,5", minute: field{0}, hour: field{0}, weekday: field{0, 5}},
		{text: "30 2 * * *", minute: field{30}, hour: field{2}},
		{text: "0 0 1 * *", minute: field{0}, hour: field{0}, day: field{1}},
		{text: "0 9 30 4 *", minute: field{0}, hour: field{9}, day: field{30}, month: field{4}},
		{text: "59 23 28 3,10 *", minute: field{59}, hour: field{23}, day: field{28}, month: field{3, 10}},
		{text: "15,45 1 * 3,4,10,11 *", minute: field{15, 45}, hour: field{1}, month: field{3, 4, 10, 11}},
		{text: "0 0 29 2 *", minute: field{0}, hour: field{0}, day: field{29}, month: field{2}},
	}
}

// walked is when expressions are due, found by looking at every minute of a span, and at
// nothing but the offset of the zone then.
func walked(all []expression, from, to time.Time, zone *time.Location) [][]time.Time {
	found := make([][]time.Time, len(all))
	highest, today, date := int64(-1), int64(-1), time.Time{}
	for at := from.In(zone); at.Before(to); {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(to) {
			end = to
		}
		for unix := at.Unix(); unix < end.Unix(); unix += 60 {
			shown := (unix + int64(offset)) / 60 // minutes
			if shown <= highest {                // the clock was set back
				continue
			}
			highest = shown
			if shown/(24*60) != today {
				today, date = shown/(24*60), time.Unix(shown*60, 0).UTC()
			}
			minute, hour := int(shown%60), int(shown/60%24)
			for i, e := range all {
				if e.minute.has(minute) && e.hour.has(hour) && e.day.has(date.Day()) && e.month.has(int(date.Month())) && e.weekday.has(int(date.Weekday())) {
					found[i] = append(found[i], time.Unix(unix, 0).In(zone))
				}
			}
		}
		at = end.In(zone)
	}
	return found
}

// signature is the same for zones whose clocks show the same between two times.
func signature(from, to time.Time, zone *time.Location) string {
	var s strings.Builder
	for at := from.In(zone); ; {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		fmt.Fprintf(&s, "%d until %d; ", offset, end.Unix())
		if end.IsZero() || end.After(to) {
			return s.String()
		}
		at = end
	}
}

// In every zone of the tz database, schedules are due just when a walk over the minutes of
// the years 2025 to 2030 says it.
func TestAllZones(t *testing.T) {
	t.Parallel()
	from, to := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	if testing.Short() {
		from, to = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC)
	}
	seen := map[string]bool{}
	for name := range strings.Lines(zoneNames) {
		name = strings.TrimSpace(name)
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		if s := signature(from, to, zone); seen[s] {
			continue
		} else {
			seen[s] = true
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, want := range walked(expressions(), from, to, zone) {
				e := expressions()[i]
				all, err := schedule.Upcoming(scenario.Schedule{Name: "s", Cron: e.text, TimeZone: name}, from.Add(-time.Second), len(want)+1)
				if err != nil {
					t.Fatal(err)
				}
				for k, at := range want {
					if k >= len(all) || !all[k].At.Equal(at) {
						t.Errorf("%s: %v of %v, expected %v", e.text, k, all[min(k, len(all)-1):min(k+1, len(all))], at)
						break
					}
				}
				if len(all) > len(want) && all[len(want)].At.Before(to) {
					t.Errorf("%s: %v too", e.text, all[len(want)].At)
				}
			}
		})
	}
	if len(seen) < 60 {
		t.Errorf("found %d different zones", len(seen))
	}
}
