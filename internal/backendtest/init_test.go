package backendtest_test

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// Beside Patroni, etcd and Redis with Sentinels, in an empty folder, init writes who holds
// their roles is asked. Each holder that gameday then finds is the one that the product
// itself names. All files are valid, and the first scenario runs without an edit.
func TestInitBesideTheRedundantLab(t *testing.T) { //nolint:paralleltest // the lab is one
	enginetest.Long(t, "backend")
	s := labUp(t, "checkout-ha")
	enginetest.Alone(t)
	out := s.do(t, "init", "--project", project, "--name", "staging", "--entry", shop, "--yes")
	_, next, found := strings.Cut(out, "gameday run ")
	if !found {
		t.Fatal(out)
	}
	files, err := filepath.Glob(filepath.Join(s.gameday.Dir, "*", "*.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%q: %v", files, err)
	}
	s.do(t, append([]string{"validate", "gameday.yaml"}, files...)...)
	for role, holds := range map[string]func(context.Context, string) bool{
		"db-primary":  isPrimary,
		"master":      isMaster,
		"etcd-leader": isLeader,
	} {
		s.write(t, "scenarios/role.yaml", `version: 1
name: role
environment: staging
objective: {rto: 30s, good: 99%, within: 1s}
load: [{journey: home, rate: 20/s, critical: true}]
faults: [{kill: {target: {role: `+role+`}}}]
`)
		plan := s.do(t, "plan", "role")
		_, component, found := strings.Cut(plan, "kill "+project+"_")
		service, _, _ := strings.Cut(component, "_")
		address := map[string]string{
			"db-1": "198.18.20.31", "db-2": "198.18.20.32", "db-3": "198.18.20.33", "etcd-1": "198.18.20.41", "etcd-2": "198.18.20.42", "etcd-3": "198.18.20.43",
			"cache-1": "198.18.20.61", "cache-2": "198.18.20.62",
		}[service]
		if t.Logf("%s is held by %s", role, service); !found || address == "" || !holds(t.Context(), address) {
			t.Errorf("%s: %s does not hold it\n%s", role, service, plan)
		}
	}
	verdict := s.do(t, "run", strings.TrimSpace(next), "--set", "timing.baseline=5s", "--set", "timing.watch=10s", "--set", "objective.rto=8s",
		"--set", "objective.within=2s") // 23 containers share what processors there are
	if !strings.Contains(verdict, "DISPROVED") {
		t.Error(verdict)
	}
}

// isPrimary asks Patroni.
func isPrimary(ctx context.Context, address string) bool {
	return answers(ctx, "http://"+address+":8008/primary", `"role": "`)
}

// isLeader asks etcd.
func isLeader(ctx context.Context, address string) bool {
	return answers(ctx, "http://"+address+":2379/metrics", "\netcd_server_is_leader 1\n")
}

func answers(ctx context.Context, url, text string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	var body strings.Builder
	if err := response.Write(&body); err != nil {
		return false
	}
	return response.StatusCode == http.StatusOK && strings.Contains(body.String(), text)
}

// isMaster asks Redis.
func isMaster(ctx context.Context, address string) bool {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address, "6379"))
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	reply := make([]byte, 64)
	if _, err := c.Write([]byte("ROLE\r\n")); err != nil {
		return false
	}
	n, _ := c.Read(reply)
	return strings.Contains(string(reply[:n]), "master")
}
