package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/toyenv"
	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/register"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/target"
)

// user is somebody with a session in a folder of their own, and an environment that
// serves while its database runs.
type user struct {
	session.Session

	t      *testing.T
	env    *toyenv.Env
	mu     sync.Mutex
	warned []string
}

func newUser(t *testing.T, more string) *user {
	t.Helper()
	env, err := toyenv.New(t.TempDir(), target.Component{Name: "db", Service: "db"})
	if err != nil {
		t.Fatal(err)
	}
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if all, err := env.All(); err != nil || all[0].State != target.Running {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(shop.Close)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"gameday.yaml":           fmt.Sprintf("version: 1\nenvironments:\n  staging: {toy: {dir: %q}, entry: %q%s}\n", env.Dir, shop.URL, more),
		"journeys/checkout.yaml": "version: 1\nname: checkout\nsteps: [{name: buy, get: /, expect: {status: 200}}]\n",
		"scenarios/db-loss.yaml": "version: 1\nname: db-loss\nenvironment: staging\nobjective: {rto: 2s, hold: 1s}\n" +
			"load: [{journey: checkout, rate: 50/s, critical: true}]\nfaults: [kill: {target: {name: db}}]\ntiming: {baseline: 1s, watch: 4s, repair: 20s}\n",
		"scenarios/homeless.yaml": "version: 1\nname: homeless\nobjective: {rto: 2s}\nload: [{journey: checkout, rate: 50/s, critical: true}]\nfaults: [noop: {target: {name: db}}]\n",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	none := os.DirFS(t.TempDir())
	u := &user{t: t, env: env}
	u.Session = session.Session{
		Library:  scenario.Library{Scenarios: none, Labs: none, Dir: dir, Kinds: fault.Specs(), Drivers: target.Drivers{toyenv.Driver()}},
		StateDir: t.TempDir(), Out: filepath.Join(dir, "runs"), Version: "test",
		Guard: func(string) (run.Guardian, error) {
			ended := make(chan struct{})
			return run.Guardian{Leave: func() { close(ended) }, Ended: ended}, nil
		},
		Register: func() (register.Register, error) { return register.Register{}, nil },
		Warn: func(err error) {
			u.mu.Lock()
			defer u.mu.Unlock()
			u.warned = append(u.warned, err.Error())
		},
	}
	return u
}

func (u *user) request() session.Request {
	u.t.Helper()
	in, err := u.Find("db-loss", "")
	if err != nil {
		u.t.Fatal(err)
	}
	return session.Request{Input: in, Meter: run.NewMeter(in.Scenario.Objective.Verdict()), Observe: func(run.Update) {}}
}

// One run, from a name to the verdict and the reports, and several trials of it.
func TestRunAndRepeat(t *testing.T) {
	t.Parallel()
	u := newUser(t, "")
	o, err := u.Run(t.Context(), u.request())
	if err != nil || o.Report.Outcome != "proven" || o.Report.ExitCode() != session.ExitProven {
		t.Fatalf("%+v %v", o, err)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "report.html")); err != nil {
		t.Error(err)
	}
	done := 0
	trials, err := u.Repeat(t.Context(), u.request(), 2, func(_ report.Report, n int) { done = n })
	if err != nil || done != 2 || trials.Report.ExitCode() != session.ExitProven {
		t.Errorf("%d trials, %+v, %v", done, trials, err)
	}
	if _, err := os.Stat(filepath.Join(trials.Dir, "trials.md")); err != nil {
		t.Error(err)
	}
	if len(u.warned) > 0 || u.env.Kills.Load() != 0 { // by other objects of the same folder
		t.Errorf("%v, %d kills", u.warned, u.env.Kills.Load())
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	u := newUser(t, "")
	for name, c := range map[string]struct{ scenario, env, want string }{
		"no such scenario":    {"db-lost", "", "db-lost"},
		"no environment":      {"homeless", "", "names no environment: give one with --env"},
		"no such environment": {"db-loss", "stagin", `did you mean "staging"?`},
		"no such lab":         {"db-loss", "lab/none", `"none"`},
	} {
		if _, err := u.Find(c.scenario, c.env); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
	in, err := u.Find("homeless", "staging")
	if err != nil || in.Environment.Kind != toyenv.Kind || !in.Lab.IsZero() || len(in.Journeys) != 1 {
		t.Errorf("%+v %v", in, err)
	}
	if p, err := u.Plan(t.Context(), u.request().Input); err != nil || len(p.Steps) != 1 || p.Steps[0].Component.Name != "db" {
		t.Errorf("%+v %v", p.Steps, err)
	}
}

// What plan names is what run breaks: both choose by the scenario's seed.
func TestAPlanChoosesAsTheRunDoes(t *testing.T) {
	t.Parallel()
	u := newUser(t, "")
	for _, name := range []string{"db-2", "db-3", "db-4"} {
		if err := u.env.Put(target.Component{Name: name, Service: "db"}); err != nil {
			t.Fatal(err)
		}
	}
	in := u.request().Input
	in.Scenario.Faults[0].Target = target.Selector{Service: "db", Any: 1}
	chosen := map[string]bool{}
	for seed := range uint64(12) {
		in.Scenario.Seed = seed + 1
		p, err := u.Plan(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		run, err := plan.Build(t.Context(), u.env, plan.Request{Scenario: in.Scenario, Environment: in.Environment, Seed: in.Scenario.Seed})
		if err != nil || p.Steps[0].Component.Name != run.Steps[0].Component.Name {
			t.Errorf("seed %d: %+v and %+v, %v", seed, p.Steps, run.Steps, err)
		}
		chosen[p.Steps[0].Component.Name] = true
	}
	if len(chosen) < 2 {
		t.Errorf("every seed chooses %v", chosen)
	}
}

// Users walk, nothing is broken, and what they meet decides.
func TestSteady(t *testing.T) {
	t.Parallel()
	u := newUser(t, "")
	in := u.request().Input
	in.Scenario.Objective.Within = 10 * time.Second // this machine may stall
	if err := u.Steady(t.Context(), in, time.Second); err != nil {
		t.Error(err)
	}
	in.Scenario.Objective.Within = time.Nanosecond
	if err := u.Steady(t.Context(), in, time.Second); err == nil || !strings.Contains(err.Error(), "1s") {
		t.Errorf("%v", err)
	}
}

// A person who cannot be told changes nothing about a run; others are told.
func TestNotify(t *testing.T) {
	t.Setenv("GAMEDAY_WEBHOOK_SECRET", "s")
	u := newUser(t, "")
	got := make(chan string, 4)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		got <- string(data)
	}))
	defer hook.Close()
	u.Notify(t.Context(), []scenario.Notice{
		{To: "webhook:" + hook.URL, On: []string{attach.Started}},
		{To: "webhook:" + hook.URL, On: []string{attach.Aborted}},
		{To: "carrier-pigeon:x"},
	}, attach.Message{Event: attach.Started, Run: "r", Line: "a game day begins"})
	if len(got) != 1 { // Notify returns when all is delivered
		t.Fatalf("%d messages, warned %q", len(got), u.warned)
	}
	if text := <-got; !strings.Contains(text, "a game day begins") {
		t.Error(text)
	}
	if len(u.warned) != 1 || !strings.Contains(u.warned[0], "start") || !strings.Contains(u.warned[0], "carrier-pigeon") {
		t.Errorf("%q", u.warned)
	}
}

// Faults are marked on dashboards from fault to revert. A Grafana that does not answer
// holds up no run.
func TestDashboardsAreMarked(t *testing.T) {
	t.Setenv("GRAFANA_TOKEN", "t")
	var asked atomic.Int64
	var mu sync.Mutex
	var bodies []map[string]any
	grafana := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		mu.Lock()
		defer mu.Unlock()
		bodies = append(bodies, body)
		_, _ = io.WriteString(w, `{"id": 7}`)
	}))
	defer grafana.Close()
	u := newUser(t, fmt.Sprintf(", grafana: %q", grafana.URL))
	if _, err := u.Run(t.Context(), u.request()); err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 2 || bodies[0]["timeEnd"] != nil || bodies[1]["timeEnd"] == nil || len(u.warned) > 0 {
		t.Errorf("%d requests: %v, warned %v", asked.Load(), bodies, u.warned)
	}
	silent := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-silent }))
	defer hangs.Close()
	defer close(silent)
	u = newUser(t, fmt.Sprintf(", grafana: %q", hangs.URL))
	o, err := u.Run(t.Context(), u.request())
	if err != nil || o.Report.Outcome != "proven" || len(u.warned) == 0 || !strings.Contains(u.warned[0], "dashboard") {
		t.Errorf("%v, warned %q", err, u.warned)
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err           error
		verdict, want int
	}{
		"disproved":               {nil, 0, session.ExitOK},
		"proven":                  {nil, 1, session.ExitProven},
		"could not be put back":   {fmt.Errorf("x: %w", run.ErrNotPutBack), 0, session.ExitNotPutBack},
		"that above a person":     {errors.Join(context.Canceled, run.ErrNotPutBack), 4, session.ExitNotPutBack},
		"ended before it began":   {fmt.Errorf("x: %w", context.Canceled), 0, session.ExitAborted},
		"refused":                 {run.ErrRefused, 0, session.ExitUsage},
		"a report that is broken": {errors.New("disk full"), 1, session.ExitUsage},
	} {
		if got := session.ExitCode(c.err, c.verdict); got != c.want {
			t.Errorf("%s: %d, expected %d", name, got, c.want)
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 27, 10, 0, 0, 0, time.Local)
	for want, u := range map[string]run.Update{
		"":                         {Phase: run.Done},
		" baseline, 10s":           {Phase: run.Baseline, For: 10 * time.Second},
		" repair, at most 1m0s":    {Phase: run.Repair, For: time.Minute},
		" undo":                    {Phase: run.UndoIt},
		" starting lab x":          {Text: "starting lab x"},
		"10:00:00 fault: db: dead": {Event: &record.Event{At: at, Kind: record.KindFault, Component: "db", What: "dead"}},
	} {
		if got := session.Line(u); !strings.HasSuffix(got, want) || (want == "") != (got == "") {
			t.Errorf("%q, expected %q", got, want)
		}
	}
	for _, u := range []run.Update{{Text: "x", Minor: true}, {Event: &record.Event{Kind: record.KindMark, Mark: record.MarkFault}}} {
		if got := session.Line(u); got != "" {
			t.Errorf("%+v is worth the line %q", u, got)
		}
	}
}

// What a schedule sweeps is what gameday sweep does without flags, but for what it says.
func TestScheduled(t *testing.T) {
	t.Parallel()
	u := newUser(t, "")
	r, err := u.Scheduled("staging", scenario.Sweep{})
	if err != nil || r.RTO != session.DefaultRTO || r.Baseline != session.DefaultBaseline || r.Choice.Kinds[0] != "kill" || r.Scenario.Load[0].Rate.String() != session.DefaultRate {
		t.Errorf("%+v %v", r, err)
	}
	r, err = u.Scheduled("staging", scenario.Sweep{Only: []string{"db"}, Rate: "5/s", RTO: time.Minute, Zones: true})
	if err != nil || r.RTO != time.Minute || !r.Choice.Zones || r.Choice.Only[0] != "db" || r.Scenario.Load[0].Rate.String() != "5/s" {
		t.Errorf("%+v %v", r, err)
	}
	for name, what := range map[string]scenario.Sweep{"a rate": {Rate: "many"}} {
		if _, err := u.Scheduled("staging", what); err == nil {
			t.Errorf("%s that is none is taken", name)
		}
	}
	if _, err := u.Scheduled("none", scenario.Sweep{}); err == nil {
		t.Error("an environment that is not there is swept")
	}
}

func TestPlainKind(t *testing.T) {
	t.Parallel()
	u := newUser(t, "")
	for name, want := range map[string]string{
		"kill": "", "isolate": "", "pause": "", "noop": "",
		"delay": "expected a kind that needs no settings", "zone": "expected a kind that needs no settings", "kil": `did you mean "kill"?`,
	} {
		err := u.PlainKind(name)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", name, err, want)
		}
	}
}
