package main_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// An engine that carries out a kill 8, 15 or 29 seconds after it was asked to, when the run
// that asked it has long been killed: the container is put back in the end, and until then
// gameday undo waits, and says so (H3b).
func TestAnEngineThatIsLate(t *testing.T) {
	t.Parallel()
	for i := range enginetest.Rounds(1, 20) {
		late := []time.Duration{8 * time.Second, 15 * time.Second, 29 * time.Second}[i%3]
		t.Run(fmt.Sprintf("%d, by %v", i+1, late), func(t *testing.T) {
			t.Parallel()
			bed := enginetest.New(t)
			id := bed.StartWith(container.HostConfig{NetworkMode: container.NetworkMode(bed.Network())})
			asked, killed := make(chan struct{}), make(chan error, 1)
			engine := slowEngine(t, func(request *http.Request) bool {
				if request.Method != http.MethodPost || !strings.HasSuffix(request.URL.Path, "/kill") {
					return false
				}
				close(asked)
				time.AfterFunc(late, func() { killed <- bed.Client.ContainerKill(context.WithoutCancel(t.Context()), id, "KILL") })
				return true
			})
			dir := t.TempDir()
			for name, text := range map[string]string{
				"gameday.yaml":           fmt.Sprintf("version: 1\nenvironments:\n  staging: {docker: {host: %q, labels: [%s]}, entry: \"http://%s:8080\"}\n", engine, bed.Label, bed.Address(id)),
				"journeys/checkout.yaml": "version: 1\nname: checkout\nsteps: [{name: look, get: /healthz}]\n",
				"scenarios/loss.yaml":    "version: 1\nname: loss\nenvironment: staging\nobjective: {rto: 5s}\nload: [{journey: checkout, rate: 20/s, critical: true}]\nfaults: [kill: {target: {label: " + bed.Label + "}}]\ntiming: {baseline: 1s}\n",
			} {
				writeFile(t, dir, name, text)
			}
			gameday := func(args ...string) (*exec.Cmd, *bytes.Buffer) {
				cmd, said := exec.Command(binary, args...), &bytes.Buffer{} //nolint:noctx // it must put back what it did
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "GAMEDAY_STATE_DIR="+filepath.Join(dir, "state"))
				cmd.Stdout, cmd.Stderr = said, said
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				return cmd, said
			}
			run, said := gameday("run", "loss")
			select {
			case <-asked:
			case <-time.After(time.Minute):
				_ = run.Process.Kill()
				_ = run.Wait()
				t.Fatalf("no kill was ordered:\n%s", said)
			}
			began := time.Now()
			if err := run.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = run.Wait()
			undo, told := gameday("undo")
			if err := <-killed; err != nil {
				t.Fatal(err)
			}
			_ = undo.Wait()
			if code := undo.ProcessState.ExitCode(); code != 0 || !strings.Contains(told.String(), "waiting: run") {
				t.Errorf("undo: %d\n%s", code, told)
			}
			if !bed.Inspect(id).State.Running {
				t.Errorf("the container that was killed %v late is not running after %v:\n%s", late, time.Since(began), told)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "state", "journals", "*")); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// slowEngine passes on what the engine is asked, but for the requests that keep takes: they
// get no answer.
func slowEngine(t *testing.T, keep func(*http.Request) bool) (address string) {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "engine"})
	dialer := net.Dialer{}
	proxy.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "unix", "/var/run/docker.sock")
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if keep(r) {
			<-r.Context().Done()
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return "tcp://" + server.Listener.Addr().String()
}
