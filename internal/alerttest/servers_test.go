package alerttest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/direct"
)

// program is a server that runs until the test ends, or until it is killed.
type program struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu    sync.Mutex
	lines []string // of its log
}

// start starts a program of a Debian package.
func start(t *testing.T, name string, args ...string) *program {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: install the packages prometheus and prometheus-alertmanager", err)
	}
	p := &program{cmd: exec.CommandContext(t.Context(), path, args...), done: make(chan struct{})}
	out, err := p.cmd.StderrPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.mu.Lock()
			p.lines = append(p.lines, s.Text())
			p.mu.Unlock()
		}
		_ = p.cmd.Wait()
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// log is what the program has logged so far.
func (p *program) log() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.lines...)
}

// servers are a Prometheus that scrapes HAProxy, and its Alertmanager.
type servers struct {
	dir                      string
	prometheus, alertmanager string // base URLs
	am, prom                 *program
	amPort                   int
}

// newServers starts both. The rules are in rules.yml of their folder.
func newServers(t *testing.T, targets ...string) *servers {
	t.Helper()
	s := &servers{dir: t.TempDir(), amPort: port(t)}
	s.alertmanager = fmt.Sprintf("http://127.0.0.1:%d", s.amPort)
	promPort := port(t)
	s.prometheus = fmt.Sprintf("http://127.0.0.1:%d", promPort)
	s.write(t, "alertmanager.yml", "route: {receiver: pager, group_wait: 1s, group_interval: 1s}\nreceivers: [{name: pager}]\n")
	s.write(t, "rules.yml", "groups: []\n")
	s.write(t, "prometheus.yml", fmt.Sprintf(`
global: {scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms}
rule_files: [%s]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:%d"]}]}]}
scrape_configs: [{job_name: haproxy, static_configs: [{targets: ["%s"]}]}]
`, filepath.Join(s.dir, "rules.yml"), s.amPort, strings.Join(targets, `", "`)))
	s.startAlertmanager(t)
	s.prom = start(t, "prometheus", "--config.file", filepath.Join(s.dir, "prometheus.yml"), "--storage.tsdb.path", filepath.Join(s.dir, "tsdb"),
		"--web.listen-address", fmt.Sprintf("127.0.0.1:%d", promPort), "--web.enable-lifecycle", "--rules.alert.resend-delay", "5s")
	eventually(t, "Prometheus is ready", func() bool { return answers(t, s.prometheus+"/-/ready") })
	return s
}

func (s *servers) startAlertmanager(t *testing.T) {
	t.Helper()
	s.am = start(t, "prometheus-alertmanager", "--config.file", filepath.Join(s.dir, "alertmanager.yml"), "--storage.path", filepath.Join(s.dir, "am"),
		"--web.listen-address", fmt.Sprintf("127.0.0.1:%d", s.amPort), "--cluster.listen-address=", "--log.level=debug")
	eventually(t, "Alertmanager is ready", func() bool { return answers(t, s.alertmanager+"/-/ready") })
}

func (s *servers) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rules replaces all rules, and waits until no alert is left that they do not give.
func (s *servers) rules(t *testing.T, text string) {
	t.Helper()
	s.write(t, "rules.yml", text)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.prometheus+"/-/reload", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := direct.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("reload: status %d", response.StatusCode)
	}
}

// quiet waits until no alert is active.
func (s *servers) quiet(t *testing.T) {
	t.Helper()
	eventually(t, "no alert is active", func() bool { return strings.TrimSpace(body(t, s.alertmanager+"/api/v2/alerts")) == "[]" })
}

// received is when Alertmanager received an alert as active for the first time after a
// moment, by its own log.
func (s *servers) received(t *testing.T, name string, after time.Time) time.Time {
	t.Helper()
	line := regexp.MustCompile(`^ts=(\S+) .*msg="Received alert" alert=` + regexp.QuoteMeta(name) + `\[\w+\]\[active\]`)
	for _, text := range s.am.log() {
		found := line.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, found[1])
		if err != nil {
			t.Fatal(err)
		}
		if at.After(after) {
			return at
		}
	}
	t.Fatalf("Alertmanager has not received %s since %v", name, after)
	return time.Time{}
}

var timestamp = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*"`)

// hourOff is the Alertmanager as one whose clock is an hour behind: all its times are.
func (s *servers) hourOff(t *testing.T) (address string) {
	t.Helper()
	to, err := url.Parse(s.alertmanager)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = func(r *http.Response) error {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		text := timestamp.ReplaceAllStringFunc(string(data), func(text string) string {
			at, err := time.Parse(`"`+time.RFC3339Nano+`"`, text)
			if err != nil {
				return text
			}
			return at.Add(-time.Hour).Format(`"` + time.RFC3339Nano + `"`)
		})
		r.Header.Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		r.Header.Del("Content-Length")
		r.ContentLength = int64(len(text))
		r.Body = io.NopCloser(strings.NewReader(text))
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}

// port is a free port of this machine.
func port(t *testing.T) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address, _ := listener.Addr().(*net.TCPAddr)
	return address.Port
}

// get requests a page.
func get(ctx context.Context, address string) (status int, text string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err.Error()
	}
	response, err := direct.Client().Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	data, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(data)
}

func answers(t *testing.T, address string) bool {
	t.Helper()
	status, _ := get(t.Context(), address)
	return status == http.StatusOK
}

func body(t *testing.T, address string) string {
	t.Helper()
	_, text := get(t.Context(), address)
	return text
}

// eventually waits for a minute at the most.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("not within a minute: %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
