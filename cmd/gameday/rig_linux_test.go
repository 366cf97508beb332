package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
)

// rigged is a user's folder with an environment on a recorded engine.
type rigged struct {
	t      *testing.T
	engine *rig.Engine
	entry  string
	dir    string
	env    []string // more variables
}

// newRigged makes the folder. Users are served whatever is broken.
func newRigged(t *testing.T, boxes ...rig.Object) *rigged {
	t.Helper()
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(shop.Close)
	r := &rigged{t: t, engine: rig.New(t, boxes...), entry: shop.URL, dir: t.TempDir()}
	r.write("journeys/checkout.yaml", "version: 1\nname: checkout\nsteps: [{name: buy, get: /, expect: {status: 200}}]\n")
	r.environment("")
	return r
}

// environment writes gameday.yaml, with more settings of the environment.
func (r *rigged) environment(more string) {
	r.t.Helper()
	r.write("gameday.yaml", fmt.Sprintf("version: 1\nenvironments:\n  staging: {docker: {host: %q, project: shop}, entry: %q%s}\n", r.engine.Host(), r.entry, more))
}

// scenario writes scenario x, with faults and perhaps more.
func (r *rigged) scenario(faults, more string) {
	r.t.Helper()
	r.write("scenarios/x.yaml", "version: 1\nname: x\nenvironment: staging\nobjective: {rto: 2s, hold: 1s"+more+"}\n"+
		"load: [{journey: checkout, rate: 50/s, critical: true}]\nfaults: ["+faults+"]\ntiming: {baseline: 1s, watch: 3s, repair: 3s}\n")
}

func (r *rigged) write(name, text string) {
	r.t.Helper()
	writeFile(r.t, r.dir, name, text)
}

// command is gameday as a user runs it there.
func (r *rigged) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...) //nolint:noctx // it must put back what it did
	cmd.Dir = r.dir
	cmd.Env = append(append(os.Environ(), "GAMEDAY_STATE_DIR="+filepath.Join(r.dir, "state"), "GAMEDAY_HELPER_IMAGE=gameday/helper:rig"), r.env...)
	return cmd
}

// gameday runs a command to its end.
func (r *rigged) gameday(args ...string) output {
	r.t.Helper()
	cmd := r.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // the code says how it went
	return output{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// clean fails if a journal, a helper or a lock is left.
func (r *rigged) clean() {
	r.t.Helper()
	if left, _ := filepath.Glob(filepath.Join(r.dir, "state", "journals", "*")); len(left) > 0 {
		r.t.Errorf("left: journals %v", left)
	}
	if left := r.engine.Helpers(); len(left) > 0 {
		r.t.Errorf("left: helpers %v", left)
	}
}

// A component is left broken only if it is worse than before: the health check that it had
// before the fault decides, and one that speaks after the repair is not waited for (cases 13
// and 89).
func TestHealthOfAComponentThatWasKilled(t *testing.T) {
	t.Parallel()
	var rows sync.WaitGroup // they wait more than they compute
	defer rows.Wait()
	for name, c := range map[string]struct {
		health rig.Edit
		code   int
		says   string
	}{
		"no check":                      {func(rig.Object) {}, 0, ""},
		"healthy, and again":            {rig.Health("healthy", rig.Check{After: 500 * time.Millisecond, Status: "healthy"}), 0, ""},
		"healthy, and ill after it":     {rig.Health("healthy", rig.Check{After: 500 * time.Millisecond, Status: "unhealthy"}), 5, "app-1 is not up 3s after it was started again"},
		"healthy, the check comes late": {rig.Health("healthy", rig.Check{After: time.Hour, Status: "healthy"}), 0, "its health check has not said anything 3s after the revert"},
		"its check can never pass":      {rig.Health("unhealthy", rig.Check{After: 500 * time.Millisecond, Status: "unhealthy"}), 0, ""},
		"not checked before":            {rig.Health("starting", rig.Check{After: time.Hour, Status: "healthy"}), 0, ""},
	} {
		r := newRigged(t, rig.Box("app-1", rig.Service("app"), c.health), rig.Box("app-2", rig.Service("app")))
		r.scenario("kill: {target: {name: app-1}}", "")
		rows.Go(func() {
			out := r.gameday("run", "x")
			if out.code != c.code || !strings.Contains(out.stdout+out.stderr, c.says) {
				t.Errorf("%s: expected %d, %q: %v", name, c.code, c.says, out)
			}
			if orders := r.engine.Orders(); !slices.Equal(orders, []string{"POST /containers/app-1/kill", "POST /containers/app-1/start"}) || r.engine.Status("app-1") != "running" {
				t.Errorf("%s: %v, and it is %s", name, orders, r.engine.Status("app-1"))
			}
			r.clean()
		})
	}
}

// What the engine removes when it stops is not stopped (cases 15 and 84).
func TestARunDoesNotKillWhatVanishes(t *testing.T) {
	t.Parallel()
	r := newRigged(t, rig.Box("app-1", rig.Service("app"), rig.Set(true, "HostConfig", "AutoRemove")), rig.Box("app-2", rig.Service("app"), rig.Set(true, "HostConfig", "AutoRemove")))
	r.scenario("kill: {target: {service: app, any: 1}}", "")
	if out := r.gameday("run", "x"); out.code != 2 || !strings.Contains(out.stderr, "is removed when it stops (--rm)") || len(r.engine.Orders()) > 0 {
		t.Errorf("%v\n%v", out, r.engine.Orders())
	}
	r.clean()
}

// With a seed, the component that plan shows is the one that run breaks, and a stopped one
// is neither (cases 17 and 24).
func TestPlanShowsWhatRunBreaks(t *testing.T) {
	t.Parallel()
	var rows sync.WaitGroup
	defer rows.Wait()
	for _, seed := range []int{11, 12, 13} {
		var boxes []rig.Object
		for i := range 6 {
			boxes = append(boxes, rig.Box(fmt.Sprintf("web-%d", i+1), rig.Service("web"), rig.In(map[bool]string{true: "exited", false: "running"}[i%3 == 0])))
		}
		r := newRigged(t, boxes...)
		r.scenario("kill: {target: {service: web, any: 1}}", "")
		rows.Go(func() {
			set := fmt.Sprintf("seed=%d", seed)
			planned := r.gameday("plan", "x", "--json", "--set", set)
			var p struct {
				Faults []struct {
					Component string
					LeftOut   []string `json:"left_out"`
				}
			}
			if err := json.Unmarshal([]byte(planned.stdout), &p); err != nil || planned.code != 0 || len(p.Faults) != 1 || !slices.Equal(p.Faults[0].LeftOut, []string{"web-1", "web-4"}) || len(r.engine.Orders()) > 0 {
				t.Errorf("%v, %v\n%v", planned, err, r.engine.Orders())
				return
			}
			out := r.gameday("run", "x", "--set", set)
			if orders := r.engine.Orders(); out.code != 0 || append(orders, "")[0] != "POST /containers/"+p.Faults[0].Component+"/kill" {
				t.Errorf("plan: %s, run: %v\n%v", p.Faults[0].Component, orders, out)
			}
			r.clean()
		})
	}
}

// A component with a health check that is paused while users need it: they are interrupted
// for too long, and all is put back (case 81).
func TestAPausedComponentWithAHealthCheck(t *testing.T) {
	t.Parallel()
	r := newRigged(t, rig.Box("app-1", rig.Service("app"), rig.Health("healthy")))
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if r.engine.Status("app-1") != "running" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(shop.Close)
	r.entry = shop.URL
	r.environment("")
	r.scenario("pause: {target: {name: app-1}}", "")
	out := r.gameday("run", "x")
	if orders := r.engine.Orders(); out.code != 1 || r.engine.Status("app-1") != "running" || !slices.Equal(orders, []string{"POST /containers/app-1/pause", "POST /containers/app-1/unpause"}) {
		t.Errorf("%v: %v", orders, out)
	}
	r.clean()
}

// append adds text to a file.
func (r *rigged) append(name, text string) {
	r.t.Helper()
	before, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	r.write(name, string(before)+text)
}
