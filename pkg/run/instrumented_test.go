package run_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// served is a day whose users ask a server of the test, while nothing is broken.
func (p *place) served(t *testing.T, handler http.HandlerFunc) run.Day {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	day := p.day(t, "staging")
	day.Walks = nil
	day.Environment.Entry = server.URL
	day.Journeys = []probe.Journey{{Name: "checkout", Steps: []probe.Step{{Get: "/"}}}}
	day.Scenario.Faults = []scenario.Fault{{Kind: "noop", Spec: &fault.Noop{}, Target: target.Selector{Service: "db"}, Where: "x.yaml:1:1"}}
	day.Scenario.Objective.RTO, day.Scenario.Objective.Hold = time.Second, time.Second
	day.Scenario.Timing = scenario.Timing{Baseline: time.Second, Watch: 5 * time.Second, Repair: 10 * time.Second, Until: scenario.UntilDecided}
	return day
}

// judged is a stored run with its verdict.
func judged(t *testing.T, dir string) (run.Folder, verdict.Run) {
	t.Helper()
	f, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := f.Judge(nil)
	if err != nil {
		t.Fatal(err)
	}
	return f, v
}

// Each run calibrates its load generator beside the baseline, and stores what is needed to
// see that again.
func TestARunIsCalibrated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		calibrate, stored string
		calibrations      int
		atLeast, atMost   time.Duration // from the baseline to the fault
	}{
		"on":  {"", scenario.On, 1, 2 * time.Second, 6 * time.Second},
		"off": {scenario.Off, scenario.Off, 0, time.Second, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			day := p.served(t, func(http.ResponseWriter, *http.Request) {})
			day.Scenario.Calibrate = c.calibrate
			dir, err := day.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f, v := judged(t, dir)
			all := f.Calibrations()
			if v.Outcome != verdict.Disproved || f.Meta.Calibrate != c.stored || len(all) != c.calibrations {
				t.Errorf("%s %s, calibrate %q, %+v", v.Outcome, v.Reason, f.Meta.Calibrate, all)
			}
			for _, one := range all {
				if one.Wrong != "" || one.Lo > 0 || one.Hi < 0 || one.Hi == 0 {
					t.Errorf("%+v", one)
				}
			}
			if took := f.Marks["fault"].Sub(f.Marks["baseline"]); took < c.atLeast || took > c.atMost {
				t.Errorf("the fault came %v after the baseline's mark", took)
			}
		})
	}
}

// A run whose stored calibration does not hold is inconclusive, before all others.
func TestARunThatIsNotCalibrated(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	dir, err := p.served(t, func(http.ResponseWriter, *http.Request) {}).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	truth := text(t, dir+"/instrument.json")
	for name, changed := range map[string]string{
		"nothing is known of it": "",
		"a user was not served":  strings.Replace(truth, `{"seq":9,`, `{"seq":90000,`, 1),
	} {
		write(t, dir+"/instrument.json", changed)
		if changed == "" {
			remove(t, dir+"/instrument.json")
		}
		if _, v := judged(t, dir); v.Outcome != verdict.Inconclusive || v.Reason != verdict.InstrumentNotCalibrated {
			t.Errorf("%s: %s %s", name, v.Outcome, v.Reason)
		}
	}
	if !strings.Contains(truth, "gameday/instrument/v1") {
		t.Error(truth)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
