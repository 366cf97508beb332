package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// A component that ends again and again while a fault lasts, and that its restart policy
// starts each time: users see one outage, nothing else is taken for the end of the fault,
// and in the end all is put back (case 73).
func TestATargetThatCrashLoops(t *testing.T) {
	t.Parallel()
	enginetest.Shared(t)
	if os.Geteuid() != 0 {
		enginetest.Missing(t, "ending another container's process requires root")
	}
	bed := enginetest.New(t)
	var rows sync.WaitGroup
	defer rows.Wait()
	for name, fault := range map[string]string{
		"partition": "partition: {target: {label: loops=partition}, from: {label: peer=yes}}",
		"delay":     "delay: {target: {label: loops=delay}, by: 50ms, peer: {label: peer=yes}}",
		"bandwidth": "bandwidth: {target: {label: loops=bandwidth}, rate: 8mbit}",
	} {
		fence := "run=" + name
		host := container.HostConfig{NetworkMode: container.NetworkMode(bed.Network())}
		bed.StartWith(host, "peer=yes", fence)
		host.RestartPolicy.Name = container.RestartPolicyAlways
		id := bed.StartWith(host, "loops="+name, fence)
		kernel := bed.Kernel(id)
		r := newRigged(t) // for its folder
		r.entry = "http://" + bed.Address(id) + ":8080"
		r.write("journeys/checkout.yaml", "version: 1\nname: checkout\ntimeout: 500ms\nsteps: [{name: look, get: /healthz, expect: {status: 200}}]\n")
		r.write("gameday.yaml", fmt.Sprintf("version: 1\nenvironments:\n  staging: {docker: {labels: [%s, %s]}, entry: %q}\n", bed.Label, fence, r.entry))
		r.scenario(fault, "")
		r.env = []string{"GAMEDAY_HELPER_IMAGE="}
		enginetest.Guard(t, "gameday.fence="+bed.Label+","+fence)
		rows.Go(func() {
			v, said, code := r.whileItLoops(bed, id)
			// Between two ends it may serve a user or two: then the outage was not a total one.
			down := v.Verdict == "proven" || v.Verdict == "degraded" && v.State == "down"
			if code != 1 || !down || v.AtLeast == nil && v.Recovery == nil || strings.Contains(said, "ended by something other") {
				t.Errorf("%s: exit code %d, %+v\n%s", name, code, v, said)
			}
			bed.Eventually(name+": it serves again", func() bool { return bed.Inspect(id).State.Running && bed.Serves(id) })
			if got := bed.Kernel(id); got != kernel || len(bed.Helpers(id)) > 0 {
				t.Errorf("%s: %d helpers; the kernel had\n%s\nand has\n%s", name, len(bed.Helpers(id)), kernel, got)
			}
			r.clean()
		})
	}
}

// whileItLoops runs x, and ends the container's main process whenever it runs, from the watch
// until the undo.
func (r *rigged) whileItLoops(bed *enginetest.Bed, id string) (v verdict, said string, code int) {
	r.t.Helper()
	cmd := r.command("run", "x", "--json", "--set", "timing.watch=4s", "--set", "timing.repair=20s")
	var stdout, all strings.Builder
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		r.t.Error(err)
		return v, "", -1
	}
	var undoing atomic.Bool
	var loop sync.WaitGroup
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		switch {
		case strings.Contains(lines.Text(), " watch, "):
			loop.Go(func() {
				for !undoing.Load() {
					if state := bed.Inspect(id).State; state.Status == container.StateRunning && state.Pid > 0 {
						_ = syscall.Kill(state.Pid, syscall.SIGKILL) // it may have ended
					}
					<-time.After(300 * time.Millisecond)
				}
			})
		case strings.HasSuffix(lines.Text(), " undo"):
			undoing.Store(true)
		}
	}
	undoing.Store(true)
	loop.Wait()
	_ = cmd.Wait() // the code says how it went
	if err := json.Unmarshal([]byte(stdout.String()), &v); err != nil {
		r.t.Error(err)
	}
	return v, all.String(), cmd.ProcessState.ExitCode()
}
