package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/enginetest/rig"
)

// slowness is how a machine holds gameday up in a run.
type slowness struct {
	name  string
	env   []string
	hogs  int    // processes beside it that take all they can get
	phase string // in which it is stopped, or "" for never
	still time.Duration
}

// slow are the ways; the short tests try the first of them.
func slow() []slowness {
	return []slowness{
		{"stopped for 3s in the watch", nil, 0, "watch", 3 * time.Second},
		{"processors in use by others", []string{"GOMAXPROCS=1"}, 2 * runtime.NumCPU(), "", 0},
		{"stopped for 1s at the fault", nil, 0, "inject", time.Second},
		// and for the long tests:
		{"stopped for 0.4s in the baseline", nil, 0, "baseline", 400 * time.Millisecond},
		{"stopped for 3s in the baseline", nil, 0, "baseline", 3 * time.Second},
		{"stopped for 0.4s in the watch", nil, 0, "watch", 400 * time.Millisecond},
		{"stopped for 1s in the watch", nil, 0, "watch", time.Second},
		{"stopped for 3s in the undo", nil, 0, "undo", 3 * time.Second},
		{"stopped for 3s in the repair", nil, 0, "repair", 3 * time.Second},
		{"memory that is collected all the time", []string{"GOGC=1", "GOMEMLIMIT=16MiB"}, 0, "", 0},
		{"all of it", []string{"GOGC=1", "GOMEMLIMIT=16MiB", "GOMAXPROCS=1"}, runtime.NumCPU(), "watch", time.Second},
	}
}

// However slow gameday's machine is, a system that serves its users is not accused: what the
// users were late for is gameday's own doubt.
func TestASlowGeneratorAccusesNothing(t *testing.T) {
	t.Parallel()
	all := slow()
	slots := make(chan struct{}, 3)
	var rows sync.WaitGroup
	defer rows.Wait()
	for _, c := range all[:enginetest.Rounds(3, len(all))] {
		for _, fault := range []string{"noop", "kill"} { // no user needs the database
			r := newRigged(t, rig.Box("db-1", rig.Service("db")))
			r.scenario(fault+": {target: {service: db}}", "")
			r.env = c.env
			rows.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				code, v, said := r.slowed(c)
				if code != 0 && code != 3 || v.Verdict == "proven" {
					t.Errorf("%s, %s: exit code %d, %+v\n%s", c.name, fault, code, v, said)
				}
				if status := r.engine.Status("db-1"); status != "running" {
					t.Errorf("%s: left %s", c.name, status)
				}
				r.clean()
				t.Logf("%s, %s: %s %s", c.name, fault, v.Verdict, v.Reason)
			})
		}
	}
}

// slowed runs x on a machine that holds it up.
func (r *rigged) slowed(c slowness) (code int, v verdict, said string) {
	for range c.hogs {
		hog := exec.CommandContext(r.t.Context(), "sh", "-c", "while :; do :; done")
		if err := hog.Start(); err != nil {
			r.t.Error(err)
			continue
		}
		defer func() { _ = hog.Process.Kill(); _ = hog.Wait() }()
	}
	cmd := r.command("run", "x", "--json")
	code, out, said := during(cmd, c.phase, func() {
		_ = cmd.Process.Signal(syscall.SIGSTOP)
		<-time.After(c.still) // that is how long it stands still
		_ = cmd.Process.Signal(syscall.SIGCONT)
	})
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		r.t.Errorf("%s: %v\n%s", c.name, err, said)
	}
	return code, v, said
}

// during runs a command to its end, and does something when a phase begins.
func during(cmd *exec.Cmd, phase string, do func()) (code int, stdout, stderr string) {
	var out, said strings.Builder
	cmd.Stdout = &out
	lines, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return -1, "", err.Error()
	}
	for scan := bufio.NewScanner(lines); scan.Scan(); {
		said.WriteString(scan.Text() + "\n")
		if fields := strings.Fields(scan.Text()); len(fields) > 1 && strings.TrimRight(fields[1], ",") == phase {
			do()
		}
	}
	_ = cmd.Wait() // the code says how it went
	return cmd.ProcessState.ExitCode(), out.String(), said.String()
}

// The same for a load worker inside: it is frozen, as its machine may be.
func TestASlowWorkerAccusesNothing(t *testing.T) {
	t.Parallel()
	bed := enginetest.New(t)
	network := bed.Network()
	id := bed.Run(container.Config{Labels: bed.Labels("tier=shop"), Env: enginetest.Shop(":8080")}, container.HostConfig{NetworkMode: container.NetworkMode(network)})
	bed.Run(container.Config{Labels: bed.Labels("tier=db"), Env: enginetest.Shop(":8080")}, container.HostConfig{NetworkMode: container.NetworkMode(network)})
	bed.Eventually("it serves", func() bool { return bed.Serves(id) })
	stills := []time.Duration{time.Second, 3 * time.Second, 400 * time.Millisecond}
	for _, still := range stills[:enginetest.Rounds(1, len(stills))] {
		r := newRigged(t) // for its folder
		r.entry = "http://" + bed.Address(id) + ":8080"
		r.write("journeys/checkout.yaml", "version: 1\nname: checkout\nsteps: [{name: look, get: /healthz, expect: {status: 200}}]\n")
		r.write("gameday.yaml", fmt.Sprintf("version: 1\nenvironments:\n  staging: {docker: {labels: [%q]}, entry: %q, inside: {network: %q, entry: %q}}\n", bed.Label, r.entry, network, r.entry))
		r.scenario("kill: {target: {label: tier=db}}", "")
		r.env = []string{"GAMEDAY_HELPER_IMAGE="}
		cmd := r.command("run", "x", "--json")
		code, out, said := during(cmd, "watch", func() { r.freeze(bed, still) })
		var v verdict
		if err := json.Unmarshal([]byte(out), &v); err != nil || code != 0 && code != 3 || v.Verdict == "proven" {
			t.Errorf("frozen for %v: exit code %d, %+v, %v\n%s", still, code, v, err, said)
		}
		t.Logf("frozen for %v: %s %s", still, v.Verdict, v.Reason)
	}
}

// freeze pauses the load worker of the bed's environment for some time.
func (r *rigged) freeze(bed *enginetest.Bed, still time.Duration) {
	ctx := r.t.Context()
	all, err := bed.Client.ContainerList(ctx, container.ListOptions{Filters: filters.NewArgs(filters.Arg("label", "gameday.fence="+bed.Label))})
	if err != nil {
		r.t.Error(err)
	}
	frozen := 0
	for _, c := range all {
		if !strings.Contains(c.Image, "load") {
			continue
		}
		frozen++
		if err := bed.Client.ContainerPause(ctx, c.ID); err != nil {
			r.t.Error(err)
		}
		<-time.After(still)
		if err := bed.Client.ContainerUnpause(ctx, c.ID); err != nil {
			r.t.Error(err)
		}
	}
	if frozen == 0 {
		r.t.Errorf("there is no load worker among %d helpers", len(all))
	}
}
