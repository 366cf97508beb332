package run_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// server answers all requests outside in the bubble of a test: synctest knows no sockets.
type server func(r *http.Request) (string, error)

// RoundTrip implements [http.RoundTripper].
func (s server) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := s(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: r}, nil
}

// outsideIs lets a server answer all requests outside until the test ends.
func outsideIs(t *testing.T, s server) {
	t.Helper()
	was := http.DefaultClient.Transport
	http.DefaultClient.Transport = s
	t.Cleanup(func() { http.DefaultClient.Transport = was })
}

// judged saves a day that was conducted, and judges it from its folder.
func (d *day) judged(t *testing.T, a run.Account) (run.Folder, verdict.Run, *verdict.Detection) {
	t.Helper()
	dir := filepath.Join(d.dir, "run")
	meta := run.Meta{ID: "r", Steps: a.Steps, NotInForce: a.NotInForce, NotFelt: a.NotFelt, NotKept: a.NotKept, Aborted: a.Aborted, AlertsAside: a.AlertsAside}
	if err := run.Save(dir, meta, d.done, nil); err != nil {
		t.Fatal(err)
	}
	f, v := judged(t, dir)
	found, err := f.Detect(v)
	if err != nil {
		t.Fatal(err)
	}
	return f, v, found
}

const firing = `[{"labels":{"alertname":"Down"},"status":{"state":"active"},"startsAt":"2000-01-01T13:00:00Z"}]`

// expecting is an alert Down that has to fire.
func expecting(within, clears time.Duration) scenario.ExpectedAlert {
	return scenario.ExpectedAlert{Alert: gate.Alert{Alertmanager: "http://am", Name: "Down"}, Within: within, ClearsWithin: clears}
}

// What a run asks of an Alertmanager is judged from its folder, and changes nothing of the
// verdict about recovery, whatever the answers are.
func TestAlertsOfARun(t *testing.T) { //nolint:paralleltest // the default client is another one meanwhile
	recovery := map[string]string{}
	for name, c := range map[string]struct {
		alert   scenario.ExpectedAlert
		answers func(since time.Duration, running bool) (string, error) // since the beginning
		verdict verdict.Detected
		finding verdict.Finding
		stuck   bool
		takes   time.Duration // after the revert, at least
		event   string
	}{
		"in time": {
			alert: expecting(20*time.Second, 30*time.Second), verdict: verdict.InTime, event: "alert Down fires", takes: 20 * time.Second,
			answers: afterwards(5*time.Second, 20*time.Second),
		},
		"late": {
			alert: expecting(2*time.Second, 0), verdict: verdict.DetectedLate, finding: verdict.AlertLate,
			answers: afterwards(5*time.Second, 0), event: "alert Down does not fire any more",
		},
		"never": {
			alert: expecting(20*time.Second, 0), verdict: verdict.Missed, finding: verdict.NotDetected,
			answers: func(time.Duration, bool) (string, error) { return "[]", nil },
		},
		"always": {
			alert: expecting(20*time.Second, 3*time.Second), verdict: verdict.Unknown, finding: verdict.AlreadyFiring, takes: 3 * time.Second,
			answers: func(time.Duration, bool) (string, error) { return firing, nil },
		},
		"it stays": {
			alert: expecting(20*time.Second, 30*time.Second), verdict: verdict.InTime, stuck: true, takes: 30 * time.Second,
			answers: afterwards(5*time.Second, time.Hour),
		},
		"the server dies": {
			alert: expecting(20*time.Second, 30*time.Second), verdict: verdict.Unknown, finding: verdict.AlertUnknown, event: "alert Down is unknown: ",
			answers: func(since time.Duration, _ bool) (string, error) {
				if since > 12*time.Second {
					return "", errors.New("connection refused")
				}
				return "[]", nil
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, d := time.Now(), newDay(t)
				outsideIs(t, func(*http.Request) (string, error) {
					return c.answers(time.Since(began), d.world.state() == target.Running)
				})
				d.timing.Baseline += 10 * time.Millisecond // the fault falls between two users
				d.change = func(p *plan.Plan) { p.Scenario.ExpectAlerts = []scenario.ExpectedAlert{c.alert} }
				account, err := d.conduct(t.Context(), t)
				if err != nil {
					t.Fatal(err)
				}
				f, v, found := d.judged(t, account)
				a := found.Alerts[0]
				if found.Verdict != c.verdict || a.Finding != c.finding || a.DidNotClear != c.stuck {
					t.Errorf("%+v", a)
				}
				if took := f.Marks[record.MarkEnd].Sub(f.Marks[record.MarkRevert]); took < c.takes || c.takes > 0 && took > c.takes+10*time.Second {
					t.Errorf("it ended %v after the revert, expected %v", took, c.takes)
				}
				if c.event != "" && !slices.ContainsFunc(f.Events, func(e record.Event) bool {
					return e.Kind == record.KindOutside && strings.HasPrefix(e.What, c.event)
				}) {
					t.Errorf("no event %q", c.event)
				}
				text, err := json.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				recovery[name] = string(text)
			})
		})
	}
	for name, text := range recovery { //nolint:paralleltest // as said
		if diff := cmp.Diff(recovery["never"], text); diff != "" {
			t.Errorf("%s: the alert changed the verdict about recovery:\n%s", name, diff)
		}
	}
}

// afterwards are the answers of a server whose alert begins some time after the component
// stopped, and ends some time after it runs again.
func afterwards(begins, ends time.Duration) func(time.Duration, bool) (string, error) {
	var stopped, again time.Duration
	return func(since time.Duration, running bool) (string, error) {
		switch {
		case !running && stopped == 0:
			stopped = since
		case running && stopped > 0 && again == 0:
			again = since
		}
		if stopped > 0 && since >= stopped+begins && (again == 0 || since < again+ends) {
			return firing, nil
		}
		return "[]", nil
	}
}

// Alerts about other components are not asked for, and a run that has no others says so.
func TestAlertsAboutOtherComponents(t *testing.T) { //nolint:paralleltest // the default client is another one meanwhile
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		outsideIs(t, func(*http.Request) (string, error) {
			asked++
			return firing, nil
		})
		d := newDay(t)
		other := expecting(20*time.Second, 0)
		other.About = target.Selector{Service: "lb"}
		d.change = func(p *plan.Plan) {
			p.Scenario.ExpectAlerts = []scenario.ExpectedAlert{other}
			p.Steps = []plan.Step{{Component: target.Component{ID: "db", Name: "db", Service: "db"}}}
		}
		account, err := d.conduct(t.Context(), t)
		if err != nil {
			t.Fatal(err)
		}
		_, _, found := d.judged(t, account)
		if asked != 0 || found.Verdict != verdict.Missed || found.Finding != verdict.NotDetected || len(found.Alerts) != 0 {
			t.Errorf("asked %d times: %+v", asked, found)
		}
	})
}

// A watch that ends once the verdict is decided waits for alerts, too: until they have
// fired, or it is too late for them.
func TestADecidedWatchWaitsForAlerts(t *testing.T) { //nolint:paralleltest // the default client is another one meanwhile
	for name, c := range map[string]struct { //nolint:paralleltest // as said
		fires    time.Duration
		verdict  verdict.Detected
		from, to time.Duration // how long the fault lasts
	}{
		"fires before the RTO": {5 * time.Second, verdict.InTime, 30 * time.Second, 32 * time.Second},
		"fires after it":       {45 * time.Second, verdict.InTime, 45 * time.Second, 48 * time.Second},
		"does not fire":        {time.Hour, verdict.Missed, 60 * time.Second, 65 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, d := time.Now(), newDay(t)
				answers := afterwards(c.fires, 0)
				outsideIs(t, func(*http.Request) (string, error) {
					return answers(time.Since(began), d.world.state() == target.Running)
				})
				d.timing.Until, d.timing.Watch = scenario.UntilDecided, 2*time.Minute
				d.change = func(p *plan.Plan) { p.Scenario.ExpectAlerts = []scenario.ExpectedAlert{expecting(60*time.Second, 0)} }
				account, err := d.conduct(t.Context(), t)
				if err != nil {
					t.Fatal(err)
				}
				f, v, found := d.judged(t, account)
				if lasted := f.Marks[record.MarkRevert].Sub(f.Marks[record.MarkFault]); lasted < c.from || lasted > c.to {
					t.Errorf("the fault lasted %v, expected %v to %v", lasted, c.from, c.to)
				}
				if v.Outcome != verdict.Proven || account.Decided != verdict.Proven || found.Verdict != c.verdict {
					t.Errorf("%s, decided by %q, alerts %+v", v.Outcome, account.Decided, found.Alerts)
				}
			})
		})
	}
}
