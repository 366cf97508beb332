package scenario_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/bounded/boundedtest"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// A journey of less than a kilobyte, whose body would have 10 to the power of 9 strings,
// is refused at once (M12).
func TestAJourneyOfAliasesIsRefused(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	levels := []string{"&a [" + strings.Repeat("x,", 9) + "x]"}
	for c := 'a'; c < 'i'; c++ {
		levels = append(levels, "&"+string(c+1)+" ["+strings.Repeat("*"+string(c)+",", 9)+"*"+string(c)+"]")
	}
	text := "version: 1\nname: bomb\nsteps:\n  - {post: /x, json: {v: [" + strings.Join(levels, ", ")
	boundedtest.Allocates(t, 4<<20, func() {
		_, err := scenario.LoadJourney("bomb.yaml", []byte(text+"]}}\n"), nil)
		if err == nil || !strings.Contains(err.Error(), "bomb.yaml:4:27: steps[0].json: found an anchor or alias (not supported)") {
			t.Errorf("%v", err)
		}
	})
}

// Rates, times and their sums are held to what a machine can do (L7).
func TestNumbersOfScenariosAreBounded(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"rate: 1000000/s, critical: true}]":                              `load[0].rate: found 1000000/s, which is 77000000 users in a run of up to 1m17s, expected at most 10000000`,
		"rate: 1000000000000/s}]":                                        `load[0].rate: found "1000000000000/s", expected a rate above 0 such as 50/s, 600/m or 100/h, and at most 1000000/s`,
		"rate: 9223372036854775807/s}]":                                  `load[0].rate: found "9223372036854775807/s", expected a rate above 0`,
		"rate: 3600000001/h}]":                                           `load[0].rate: found "3600000001/h", expected a rate above 0`,
		"rate: 100000/s, critical: true}, {journey: b, rate: 190000/s}]": `load[1].rate: found 190000/s, which is 22330000 users`,
		"rate: 50/s, critical: true}]\ntiming: {watch: 2562047h}":        `timing.watch: found 2562047h, expected at most 720h (30 days)`,
		"rate: 50/s, critical: true}]\ntiming: {watch: 720h}":            `which is 129603500 users`,
	} {
		_, err := scenario.Load("x.yaml", []byte("version: 1\nname: x\nobjective: {rto: 1s, hold: 1s}\nfaults: [{noop: {target: {service: a}}}]\nload: [{journey: a, "+text), library().Kinds)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, expected %q", text, err, want)
		}
	}
	_, err := scenario.Load("x.yaml", []byte("version: 1\nname: x\nobjective: {rto: 1s}\nload: [{journey: a, rate: 50/s, critical: true}]\n"+
		"faults: [{noop: {target: {service: a}, at: 2562047h, for: 2562047h}}]"), library().Kinds)
	if err == nil || !strings.Contains(err.Error(), "expected at most 720h (30 days)") {
		t.Errorf("moments whose sum overflows: %v", err)
	}
}

// A file of the user's that is there and cannot be read is an error. It does not give way
// to a bundled one, or to none.
func TestAFolderIsNoFile(t *testing.T) {
	t.Parallel()
	l := library()
	l.Dir = t.TempDir()
	name := l.Bundled()[0]
	for _, path := range []string{"scenarios/" + name + ".yaml", "journeys/walk.yaml", "gameday.yaml"} {
		if err := os.MkdirAll(filepath.Join(l.Dir, path), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	_, ofScenario := l.Scenario(name)
	_, ofPath := l.Scenario("journeys/walk.yaml")
	_, ofJourney := l.Journey("staging", "walk")
	_, ofEnvironment := l.Environment("staging")
	for what, err := range map[string]error{"scenario": ofScenario, "path": ofPath, "journey": ofJourney, "environment": ofEnvironment} {
		if err == nil || !strings.Contains(err.Error(), "found a folder, expected a file") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What is too long for a new file is read from a stored run, which outlives the rules.
func TestStoredDurationsMayBeLonger(t *testing.T) {
	t.Parallel()
	const text = "objective: {rto: 1000h}\nload: [{journey: a, rate: 1000/s, critical: true}]\ntiming: {watch: 1100h}\n"
	s, err := scenario.LoadStored("x.yaml", []byte(text))
	if err != nil || s.Objective.RTO != 1000*time.Hour || s.Timing.Watch != 1100*time.Hour {
		t.Errorf("%+v, %v", s.Timing, err)
	}
	if _, err := scenario.LoadStored("x.yaml", []byte(strings.Replace(text, "1000h", "2562047h", 1))); err == nil ||
		!strings.Contains(err.Error(), "expected at most 8784h (366 days)") {
		t.Errorf("%v", err)
	}
}
