package schedule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
)

// schedules are any that can be loaded, with windows and days of blackout.
func schedules() *rapid.Generator[scenario.Schedule] {
	clock := rapid.Custom(func(t *rapid.T) scenario.ClockTime {
		return scenario.ClockTime(time.Duration(rapid.IntRange(0, 24*60-1).Draw(t, "minute")) * time.Minute)
	})
	return rapid.Custom(func(t *rapid.T) scenario.Schedule {
		s := scenario.Schedule{
			Name:     "s",
			Cron:     rapid.SampledFrom([]string{"30 10 * * 2", "*/20 * * * *", "0 2 * * *", "30 2 * * *", "@daily", "0 0 1,15 * *", "15 1-3 * * mon-fri"}).Draw(t, "cron"),
			TimeZone: rapid.SampledFrom([]string{"", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"}).Draw(t, "zone"),
			Lasts:    time.Duration(rapid.IntRange(0, 120).Draw(t, "lasts")) * time.Minute,
			Jitter:   time.Duration(rapid.IntRange(0, 600).Draw(t, "jitter")) * time.Second,
		}
		for range rapid.IntRange(0, 2).Draw(t, "windows") {
			w := scenario.Window{From: clock.Draw(t, "from"), To: clock.Draw(t, "to")}
			if rapid.Bool().Draw(t, "some days") {
				w.Days = []string{"mon", "tue", "fri"}
			}
			s.Windows = append(s.Windows, w)
		}
		if rapid.Bool().Draw(t, "blackout") {
			from := moments().Draw(t, "from")
			s.Blackout = []scenario.Blackout{{From: scenario.Day{Time: from.Truncate(24 * time.Hour)}, To: scenario.Day{Time: from.Truncate(24*time.Hour).AddDate(0, 0, 9)}}}
		}
		return s
	})
}

func moments() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(1_780_000_000, 1_830_000_000).Draw(t, "moment"), 0).UTC()
	})
}

// Moments come in their order and after the moment that was asked; the same are found
// from wherever one begins; and what Refused says of each is what Upcoming says.
func TestMomentsInAnyZone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, after := schedules().Draw(t, "schedule"), moments().Draw(t, "after")
		all, err := schedule.Upcoming(s, after, 6)
		if err != nil {
			t.Fatal(err)
		}
		last := after
		for i, d := range all {
			if !d.At.After(last) {
				t.Errorf("%v comes after %v", d.At, last)
			}
			last = d.At
			refused, err := schedule.Refused(s, d.At)
			if err != nil || refused != d.Refused {
				t.Errorf("%v is refused by %q, and by %q (%v)", d.At, d.Refused, refused, err)
			}
			if i == 0 {
				continue
			}
			rest, err := schedule.Upcoming(s, all[i-1].At, 1)
			if err != nil || len(rest) != 1 || !rest[0].At.Equal(d.At) {
				t.Errorf("after %v comes %v, from further back %v (%v)", all[i-1].At, rest, d.At, err)
			}
		}
	})
}

// Next is the first of Upcoming that is not refused; and cron has named it just then.
func TestNextIsTheFirstThatIsNotRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, after := schedules().Draw(t, "schedule"), moments().Draw(t, "after")
		all, err := schedule.Upcoming(s, after, 50)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(d schedule.Due) bool { return d.Refused == "" })
		if i < 0 {
			return // it is further away
		}
		at, ok, err := schedule.Next(s, after)
		if err != nil || !ok || !at.Equal(all[i].At) {
			t.Errorf("next is %v (%v, %v), expected %v", at, ok, err, all[i].At)
		}
		for within, want := range map[time.Duration]bool{0: false, time.Second: true, 5 * time.Minute: true} {
			if named, err := schedule.Named(s, at, within); err != nil || named != want {
				t.Errorf("named within %v: %v (%v)", within, named, err)
			}
		}
		if named, err := schedule.Named(s, at.Add(-time.Second), time.Second); err != nil || named {
			t.Errorf("a second before it is named: %v (%v)", named, err)
		}
	})
}

func TestJitterIsBounded(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	rapid.Check(t, func(t *rapid.T) {
		s, at := schedules().Draw(t, "schedule"), moments().Draw(t, "at")
		j := schedule.Jitter(s, at)
		if j < 0 || j != 0 && j >= s.Jitter || j != schedule.Jitter(s, at) {
			t.Errorf("%v of %v", j, s.Jitter)
		}
		seen[j] = true
	})
	if len(seen) < 2 {
		t.Errorf("it is always %v", seen)
	}
}

// What cron takes and systemd has no word for is refused, not written all the same.
func TestExportToSystemd(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]string{
		"0 3 * jan,JUL *":  "*-1,7-* 03:00:00",
		"0 3 * jan-mar *":  "*-1..3-* 03:00:00",
		"0 3 * 1-3 *":      "*-1..3-* 03:00:00",
		"5/20 3 * * *":     "*-*-* 03:5/20:00",
		"*/20 3 * * *":     "*-*-* 03:0/20:00",
		"0 3 * * sat-SUN":  "!",
		"0 3 * * mon-fri":  "Mon..Fri *-*-* 03:00:00",
		"0 3 * * 0,6":      "Sun,Sat *-*-* 03:00:00",
		"0 3 * * */2":      "!*/2",
		"0 3 * * 1/2":      "!1/2",
		"0 3 * * 1-5/2":    "!1-5/2",
		"0 3 1 * 1":        "!two schedules",
		"0 3 ? * ?":        "*-*-* 03:00:00",
		"@every 1h":        "OnUnitActiveSec=1h0m0s",
		"0 9-17/2 1-7 * *": "*-*-1..7 9..17/2:00:00",
	} {
		var b strings.Builder
		err := schedule.Export(&b, scenario.Schedule{Name: "n", Cron: fields, Scenario: "s"}, "systemd", time.Unix(0, 0))
		if refusal, refused := strings.CutPrefix(want, "!"); refused {
			if err == nil || !strings.Contains(err.Error(), refusal) {
				t.Errorf("%s: found %v, expected a refusal of %q\n%s", fields, err, refusal, b.String())
			}
			continue
		}
		if err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s: %v\n%s\nlacks %q", fields, err, b.String(), want)
		}
	}
}

// Whoever begins it elsewhere is told what they do not look at.
func TestWhatAnExportLeavesOut(t *testing.T) {
	t.Parallel()
	s := scenario.Schedule{Name: "n", Cron: "@daily", Scenario: "s", OnlyIf: []scenario.Condition{{}}, Approval: &scenario.Approval{}}
	for _, to := range schedule.Exports() {
		for _, full := range []bool{true, false} {
			with := s
			if !full {
				with.OnlyIf, with.Approval = nil, nil
			}
			var b strings.Builder
			if err := schedule.Export(&b, with, to, time.Unix(0, 0)); err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{"only_if", "approval"} {
				if strings.Contains(b.String(), word) != full {
					t.Errorf("%s, all of it %v: %s is in it or not\n%s", to, full, word, b.String())
				}
			}
			if !strings.Contains(b.String(), fmt.Sprintf("gameday schedule check %s && gameday run s", with.Name)) {
				t.Errorf("%s: lacks the command\n%s", to, b.String())
			}
		}
	}
}

func TestSchedulesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]scenario.Schedule{
		"cron":     {Name: "n", Cron: "whenever"},
		"zone":     {Name: "n", Cron: "@daily", TimeZone: "Mars/Olympus"},
		"calendar": {Name: "n", Cron: "@daily", Blackout: []scenario.Blackout{{ICal: "x.ics", Calendar: []byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:never\nEND:VEVENT\n")}}},
	} {
		_, upcoming := schedule.Upcoming(s, time.Unix(0, 0), 1)
		_, _, next := schedule.Next(s, time.Unix(0, 0))
		_, refused := schedule.Refused(s, time.Unix(0, 0))
		_, named := schedule.Named(s, time.Unix(0, 0), time.Minute)
		for i, err := range []error{upcoming, next, refused, named} {
			if err == nil || !strings.Contains(err.Error(), "schedule n") {
				t.Errorf("%s, %d: %v", name, i, err)
			}
		}
	}
	// Of a day that never comes there is no moment.
	never := scenario.Schedule{Name: "n", Cron: "0 0 30 2 *"}
	all, err := schedule.Upcoming(never, time.Unix(0, 0), 3)
	if _, ok, nextErr := schedule.Next(never, time.Unix(0, 0)); len(all) != 0 || err != nil || ok || nextErr != nil {
		t.Errorf("%v %v %v %v", all, err, ok, nextErr)
	}
}
