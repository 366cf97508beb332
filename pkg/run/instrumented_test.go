package run_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
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
		"on":  {"", scenario.On, 1, 2 * time.Second, 30 * time.Second},
		"off": {scenario.Off, scenario.Off, 0, time.Second, 30 * time.Second},
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

// Users of a span in which the load generator was late are neither bad nor good: the span is
// a gap in the load, and both ways of filling it must give the same verdict.
func TestUsersOfALateGeneratorAreVoid(t *testing.T) {
	t.Parallel()
	const stalls, stalled = 8 * time.Second, 600 * time.Millisecond
	for name, c := range map[string]struct {
		late bool // the control load says that the generator was
		void bool
		bad  int
	}{
		"the generator was late": {true, true, 0},
		"the system was":         {false, false, 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "run")
			w, err := record.Create(dir)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now().UTC()
			send := func(to func(record.Sample) error, journey string, every time.Duration, late bool) {
				for n := range uint64(20 * time.Second / every) {
					s := record.Sample{Journey: journey, Seq: n, Sent: began.Add(time.Duration(n) * every), Latency: time.Millisecond, Code: 200}
					if at := s.Sent.Sub(began) - stalls; late && at >= 0 && at < stalled {
						s.Latency = stalled + 50*time.Millisecond
					}
					if err := to(s); err != nil {
						t.Fatal(err)
					}
				}
			}
			send(w.Sample, "checkout", 20*time.Millisecond, true)
			send(w.Instrument, probe.ControlJourney+"/checkout", 50*time.Millisecond, c.late)
			for mark, at := range map[record.MarkName]time.Duration{record.MarkBaseline: 0, record.MarkFault: 5 * time.Second, record.MarkRevert: 18 * time.Second, record.MarkEnd: 20 * time.Second} {
				if err := w.Event(record.Event{At: began.Add(at), Kind: record.KindMark, Mark: mark}); err != nil {
					t.Fatal(err)
				}
			}
			s := scenario.Scenario{
				Objective: scenario.Objective{RTO: 5 * time.Second},
				Load:      []scenario.JourneyLoad{{Journey: "checkout", Rate: probe.Rate{Users: 50, Per: time.Second}, Critical: true}},
			}
			if err := errors.Join(w.Close(), run.Save(dir, run.Meta{}, s, nil)); err != nil {
				t.Fatal(err)
			}
			f, err := run.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			v, cases, err := f.Judge(nil)
			if err != nil || v.Outcome != verdict.Disproved || v.Bad != c.bad || (cases[0].Void > 0) != c.void {
				t.Errorf("%v %s %s, %d bad, %d void: %+v", err, v.Outcome, v.Reason, v.Bad, cases[0].Void, cases[0].VoidSpans)
			}
		})
	}
}
