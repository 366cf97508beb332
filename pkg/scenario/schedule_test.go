package scenario_test

import (
	"encoding"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

func TestDefaultsOfASchedule(t *testing.T) {
	t.Parallel()
	all, err := scenario.LoadEnvironments("x.yaml", []byte(withSchedule("{name: bare, cron: '@daily', scenario: s}\n  - {name: full, cron: '@daily', sweep: {}, environment: a, time_zone: Europe/Berlin, start_within: 7m, approval: {within: 8m}}\n  - {name: asks, cron: '@daily', scenario: s, approval: {}}")), drivers())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		zone, what       string
		within, approval time.Duration
	}{
		"bare": {"UTC", "s", scenario.DefaultStartWithin, 0},
		"full": {"Europe/Berlin", "sweep", 7 * time.Minute, 8 * time.Minute},
		"asks": {"UTC", "s", scenario.DefaultStartWithin, scenario.DefaultApprovalWithin},
		"none": {"UTC", "", scenario.DefaultStartWithin, 0},
	} {
		s := scenario.Named(all.Schedules, name)
		if s.Zone() != want.zone || s.What() != want.what || s.StartWithin() != want.within || s.ApprovalWithin() != want.approval {
			t.Errorf("%s: %s %s %v %v, expected %v", name, s.Zone(), s.What(), s.StartWithin(), s.ApprovalWithin(), want)
		}
	}
}

func TestCommandOfASchedule(t *testing.T) {
	t.Parallel()
	full := &scenario.Sweep{Only: []string{"db", "app"}, Except: []string{"lb"}, Rate: "9/s", RTO: 90 * time.Second, Zones: true}
	for name, c := range map[string]struct {
		what, environment string
		sweep             *scenario.Sweep
		want              []string
	}{
		"scenario":              {"loss", "", nil, []string{"gameday", "run", "loss"}},
		"scenario, environment": {"loss", "staging", nil, []string{"gameday", "run", "loss", "--env", "staging"}},
		"sweep":                 {"sweep", "staging", &scenario.Sweep{}, []string{"gameday", "sweep", "--env", "staging"}},
		"sweep with all": {"sweep", "staging", full, []string{
			"gameday", "sweep", "--env", "staging", "--only", "db", "--only", "app", "--except", "lb", "--rate", "9/s", "--rto", "1m30s", "--zones",
		}},
	} {
		if diff := cmp.Diff(c.want, scenario.Command(c.what, c.environment, c.sweep.Args())); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestDaysOfAWindow(t *testing.T) {
	t.Parallel()
	every, some := scenario.Window{}, scenario.Window{Days: []string{"mon", "sun"}}
	for day := time.Sunday; day <= time.Saturday; day++ {
		if !every.On(day) {
			t.Errorf("a window of no day is not on %s", day)
		}
		if want := slices.Contains([]time.Weekday{time.Monday, time.Sunday}, day); some.On(day) != want {
			t.Errorf("mon and sun: %s is %v", day, !want)
		}
	}
}

// Times of day and days are read as they are written.
func TestTimesOfDayAndDays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := scenario.ClockTime(time.Duration(rapid.IntRange(0, 24*60-1).Draw(t, "minute")) * time.Minute)
		day := scenario.Day{Time: time.Date(2000, 1, rapid.IntRange(1, 30000).Draw(t, "day"), 0, 0, 0, 0, time.UTC)}
		again(t, clock, new(scenario.ClockTime))
		again(t, day, new(scenario.Day))
	})
	for _, text := range []string{"", "9", "24:00", "09:60", "09:00:00", "noon", "-1:00"} {
		if err := new(scenario.ClockTime).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is a time of day", text)
		}
	}
	for _, text := range []string{"", "2026", "2026-13-01", "2026-02-30", "24.12.2026", "2026-12-24T00:00:00Z"} {
		if err := new(scenario.Day).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is a day", text)
		}
	}
}

// again reads what was written, and expects it to be written as before.
func again(t *rapid.T, was encoding.TextMarshaler, into interface {
	encoding.TextUnmarshaler
	encoding.TextMarshaler
},
) {
	text, err := was.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := into.UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
	if back, err := into.MarshalText(); err != nil || string(back) != string(text) {
		t.Errorf("%s: %s %v", text, back, err)
	}
}
