package main_test

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
)

// needing is a shop that serves while its database runs.
func (r *rigged) needing(name string) {
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if r.engine.Status(name) != "running" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	r.t.Cleanup(shop.Close)
	r.entry = shop.URL
	r.environment("")
}

// Cases from the field that were right from the start stay so.
func TestCasesFromTheField(t *testing.T) {
	t.Parallel()
	killed := []string{"POST /containers/db-1/kill", "POST /containers/db-1/start"}
	var rows sync.WaitGroup
	defer rows.Wait()
	for name, c := range map[string]struct {
		arrange func(r *rigged)
		during  string // the phase in which a person presses Ctrl-C
		code    []int
		says    string
		orders  []string
	}{
		"a command that ends with 1 (case 10)": {arrange: func(r *rigged) {
			r.scenario("command: {inject: [sh, -c, 'echo no such vault; exit 1'], undo: [touch, undone]}", "")
		}, code: []int{3}, says: "no such vault"},
		"Ctrl-C in the watch (case 64)": {arrange: func(r *rigged) {
			r.needing("db-1")
			r.scenario("kill: {target: {service: db}}", ", good: 90%")
		}, during: "watch", code: []int{4}, says: "undone", orders: killed},
		"a stop condition (case 65)": {arrange: func(r *rigged) {
			r.needing("db-1")
			r.scenario("kill: {target: {service: db}}", "")
			r.append("scenarios/x.yaml", "abort_when: [{good_below: 50%, for: 1s}]\n")
		}, code: []int{4}, says: "stop condition: fewer than 50% of requests were good for 1s", orders: killed},
	} {
		r := newRigged(t, rig.Box("db-1", rig.Service("db")))
		c.arrange(r)
		rows.Go(func() {
			cmd := r.command("run", "x", "--set", "timing.watch=20s", "--set", "objective.rto=15s")
			if len(c.orders) == 0 {
				cmd = r.command("run", "x")
			}
			code, out, said := during(cmd, c.during, func() { _ = cmd.Process.Signal(syscall.SIGINT) })
			if orders := r.engine.Orders(); !slices.Contains(c.code, code) || !strings.Contains(out+said, c.says) || !slices.Equal(orders, c.orders) {
				t.Errorf("%s: expected %v, %q, %v: %d, %v\n%s%s", name, c.code, c.says, c.orders, code, orders, out, said)
			}
			if reports, _ := filepath.Glob(filepath.Join(r.dir, "gameday-runs", "*", "report.md")); len(reports) != 1 {
				t.Errorf("%s: reports %v", name, reports)
			}
			if _, err := os.Stat(filepath.Join(r.dir, "undone")); strings.Contains(name, "case 10") && err != nil {
				t.Errorf("%s: the command to undo it was not run: %v", name, err)
			}
			r.clean()
		})
	}
}

// A certificate of one's own authority is told to users, roles and stop conditions, and each
// takes it once the machine knows the authority (case 62).
func TestCertificatesOfOnesOwnAuthority(t *testing.T) {
	t.Parallel()
	shop := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
			_ = json.NewEncoder(w).Encode(map[string]any{"id": "1"})
		}
	}))
	shop.Config.ErrorLog = log.New(io.Discard, "", 0) // of users who do not trust it
	shop.StartTLS()
	t.Cleanup(shop.Close)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	writeFile(t, filepath.Dir(authority), "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shop.Certificate().Raw})))
	const unknown = "the certificate is signed by an unknown authority"
	plain := func(*rigged) {}
	known := func(r *rigged) { r.env = []string{"SSL_CERT_FILE=" + authority} }
	connect := func(r *rigged) {
		data, err := os.ReadFile(authority)
		if err != nil {
			r.t.Error(err)
		}
		r.write("ca.pem", string(data))
		r.environment(", connect: {ca: ca.pem}")
	}
	var rows sync.WaitGroup
	defer rows.Wait()
	for name, c := range map[string]struct {
		arrange func(r *rigged)
		more    string // of the objective
		abort   string
		code    int
		says    string
	}{
		"users":                            {plain, "", "", 3, unknown},
		"users, known by the machine":      {known, "", "", 0, ""},
		"users, known by the environment":  {connect, "", "", 0, ""},
		"look-ups of writes":               {known, ", rpo: 0s", "", 0, ""},
		"a stop condition, known":          {known, "", "{http_fails: {get: '" + shop.URL + "/ok', status: 200}, for: 1s}", 0, ""},
		"a stop condition cannot be asked": {connect, "", "{http_fails: {get: '" + shop.URL + "/ok', status: 200}, for: 1s}", 4, "authority"},
	} {
		r := newRigged(t, rig.Box("db-1", rig.Service("db")))
		r.entry = shop.URL
		r.environment("")
		c.arrange(r)
		r.write("journeys/checkout.yaml", "version: 1\nname: checkout\nsteps: [{name: order, post: /orders, json: {item: 1}, expect: {status: 201}, acknowledges: $.id}]\nconfirm: {get: '/look/{{.id}}', expect: {status: 200}}\n")
		r.scenario("noop: {target: {service: db}}", c.more)
		if c.abort != "" {
			r.append("scenarios/x.yaml", "abort_when: ["+c.abort+"]\n")
		}
		rows.Go(func() {
			if out := r.gameday("run", "x"); out.code != c.code || !strings.Contains(out.stdout+out.stderr, c.says) {
				t.Errorf("%s: expected %d, %q: %v", name, c.code, c.says, out)
			}
			r.clean()
		})
	}
}
