package scenario_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// What is no moment is refused with its place, and none panics (H5, L7).
func TestCronThatIsNone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ cron, says string }{
		{"TZ=UTC", "expected no time zone: set time_zone: instead"},
		{"TZ=", "expected no time zone: set time_zone: instead"},
		{"CRON_TZ=UTC", "expected no time zone: set time_zone: instead"},
		{"CRON_TZ=Europe/Berlin 0 3 * * *", "expected no time zone: set time_zone: instead"},
		{"TZ=UTC @daily", "expected no time zone: set time_zone: instead"},
		{" TZ=UTC", "expected no time zone: set time_zone: instead"},
		{"", "expected five fields"},
		{" ", "expected five fields"},
		{"0 3 * *", "expected five fields"},
		{", 3 * * *", "a field is empty"},
		{"0 3 * * ,", "a field is empty"},
		{"@every -5m", "expected an interval from 5s to 8784h"},
		{"@every 1ns", "expected an interval from 5s to 8784h"},
		{"@every 4s", "expected an interval from 5s to 8784h"},
		{"@every 2562047h", "expected an interval from 5s to 8784h"},
		{"@every soon", "expected five fields"},
		// Dialects of other programs (case 53).
		{"0 0 3 * * *", "expected five fields"},
		{"0 0 3 ? * MON *", "expected five fields"},
		{"H 3 * * *", ""},
		{"0 3 L * *", ""},
		{"0 3 15W * *", ""},
		{"0 3 * * 1#2", ""},
		{"@reboot", ""},
	} {
		t.Run(c.cron, func(t *testing.T) {
			t.Parallel()
			problem{
				text:  "version: 1\nenvironments: {}\nschedules:\n  - {name: a, scenario: s, cron: " + here + `"` + c.cron + `"}`,
				names: "schedules[0].cron: found \"" + c.cron + `"`, says: c.says,
			}.check(t, loaders()["environment"])
		})
	}
	for _, cron := range []string{"0 3 * * *", "@daily", "@every 5s", "@every 8784h", "0 0 30 2 *", "*/5 1,,2 * * mon-fri"} {
		if err := loaders()["environment"](withSchedule("{name: a, scenario: s, cron: '" + cron + "'}")); err != nil {
			t.Errorf("%s: %v", cron, err)
		}
	}
}

// A receiver of messages that is none is refused where it stands, in environments and in
// schedules (L7).
func TestReceiversThatAreNone(t *testing.T) {
	t.Parallel()
	check := func(to string) error {
		if !strings.HasPrefix(to, "slack:") {
			return errors.New("expected slack:#channel")
		}
		return nil
	}
	load := func(text string) error {
		_, err := scenario.LoadEnvironments("x.yaml", []byte(text), drivers(), check)
		return err
	}
	for name, p := range map[string]problem{
		"unknown": {text: withSchedule("{name: a, scenario: s, cron: '@daily', notify: [{to: " + here + "'slak:#sre'}]}"), names: "schedules[0].notify[0].to", says: "expected slack:#channel"},
		"empty":   {text: withSchedule("{name: a, scenario: s, cron: '@daily', notify: [{to: 'slack:'}, {to: " + here + "''}]}"), names: "schedules[0].notify[1].to", says: "expected slack:#channel"},
		"of an environment": {
			text: withEnvironment("notify: [{to: " + here + "'slak:#sre'}]"), names: "notify[0].to", says: "expected slack:#channel",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.check(t, load)
		})
	}
	if err := load(withSchedule("{name: a, scenario: s, cron: '@daily', notify: [{to: 'slack:'}]}")); err != nil {
		t.Error(err)
	}
}
