package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/browsertest"
	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/pgtest"
)

// shortened is the loss of the only app server in some ten seconds.
const shortened = `version: 1
name: checkout-app-loss
title: The app server dies
environment: lab/checkout-backup
suspect: {component: app, because: There is one app server.}
objective: {rto: %s, hold: 2s}
load: [{journey: checkout, rate: 20/s, critical: true}]
faults: [kill: {target: {label: gameday.tier=app, any: 1}}]
timing: {baseline: 2s, watch: %s, repair: 30s}
`

// TestServe holds gameday serve against a lab: what it begins, and what it survives. The
// lab is not that of TestLab, which goes on beside it.
func TestServe(t *testing.T) {
	t.Parallel()
	l := newLabTest(t, "checkout-backup", 18411)
	before := l.own()
	if out := l.gameday("lab", "up", l.lab); out.code != 0 {
		t.Fatal(out)
	}
	l.run("game days come by themselves", l.schedule)
	l.run("several instances share the work", l.several)
	l.run("the disk is full at the report", l.diskFull)
	if out := l.gameday("lab", "down", l.lab); out.code != 0 {
		t.Fatal(out)
	}
	l.sameAs(before)
}

// served is a gameday serve of a test.
type served struct {
	l       *labTest
	cmd     *exec.Cmd
	state   string
	dir     string
	address string
	login   string
	said    func() string
}

// aJob is what the API says of one.
type aJob struct {
	ID       int64     `json:"id"`
	Schedule string    `json:"schedule"`
	State    string    `json:"state"`
	Why      string    `json:"why"`
	Instance string    `json:"instance"`
	Due      time.Time `json:"due"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	Run      string    `json:"run"`
	Verdict  string    `json:"verdict"`
}

// folder is one with a gameday.yaml that has schedules, and a shortened scenario. A run that
// is stopped before its RTO is over is aborted, and later it has proven something.
func (l *labTest) folder(rto, watch, schedules string) string {
	l.t.Helper()
	dir := l.t.TempDir()
	if err := errors.Join(
		os.Mkdir(filepath.Join(dir, "scenarios"), 0o755),
		os.WriteFile(filepath.Join(dir, "scenarios", "checkout-app-loss.yaml"), fmt.Appendf(nil, shortened, rto, watch), 0o600),
		os.WriteFile(filepath.Join(dir, "gameday.yaml"), []byte("version: 1\nenvironments: {}\nschedules:\n"+schedules), 0o600),
	); err != nil {
		l.t.Fatal(err)
	}
	return dir
}

// serve starts a daemon, and waits until it listens.
func (l *labTest) serve(dir string, args ...string) *served {
	l.t.Helper()
	s := &served{l: l, dir: dir, state: l.t.TempDir()}
	s.cmd = exec.CommandContext(context.WithoutCancel(l.t.Context()), binary, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	s.cmd.Dir, s.cmd.Env = dir, append(os.Environ(), "GAMEDAY_STATE_DIR="+s.state)
	stderr, err := s.cmd.StderrPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	var mu sync.Mutex
	var text strings.Builder
	links := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			mu.Lock()
			text.WriteString(lines.Text() + "\n")
			mu.Unlock()
			if link := strings.TrimSpace(lines.Text()); strings.HasPrefix(link, "http://") {
				links <- link
			}
		}
		close(links)
	}()
	s.said = func() string { mu.Lock(); defer mu.Unlock(); return text.String() }
	l.t.Cleanup(func() { s.end(); l.undoneIn(s.state) })
	select {
	case s.login = <-links:
	case <-time.After(20 * time.Second):
	}
	if s.login == "" {
		l.t.Fatalf("gameday serve does not listen: %s", s.said())
	}
	s.address = regexp.MustCompile(`^http://[^/]+`).FindString(s.login)
	return s
}

// end ends the daemon, and waits.
func (s *served) end() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = s.cmd.Wait()
}

// undoneIn waits until nothing is left to undo in a state folder.
func (l *labTest) undoneIn(state string) {
	l.eventually("all is undone in "+state, func() bool {
		left, _ := filepath.Glob(filepath.Join(state, "journals", "*.journal"))
		return len(left) == 0
	})
}

// jobs are what the API says, the newest first.
func (s *served) jobs() (all []aJob) {
	s.l.t.Helper()
	request, err := http.NewRequestWithContext(s.l.t.Context(), http.MethodGet, s.address+"/api/v1/jobs?limit=1000", nil)
	if err != nil {
		s.l.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusOK {
		_ = json.NewDecoder(answer.Body).Decode(&all)
	}
	return all
}

func (s *served) in(state string) (all []aJob) {
	for _, j := range s.jobs() {
		if j.State == state {
			all = append(all, j)
		}
	}
	return all
}

// broken tells whether a component of the lab is down.
func (l *labTest) broken() bool {
	for _, c := range l.project() {
		if c.State != container.StateRunning {
			return true
		}
	}
	return false
}

// overlapping names two jobs that ran at once.
func overlapping(all []aJob) string {
	for i, a := range all {
		for _, b := range all[i+1:] {
			if !a.Began.IsZero() && !b.Began.IsZero() && a.Began.Before(b.Ended) && b.Began.Before(a.Ended) {
				return fmt.Sprintf("%+v and %+v", a, b)
			}
		}
	}
	return ""
}

// schedule is a scenario on a schedule: verdicts come of themselves, one after the other; a person logs in, looks at a report, sees a run live, stops it, and sees it
// undone.
func (l *labTest) schedule() {
	l.serves()
	s := l.serve(l.folder("8s", "9s", `  - {name: often, cron: "@every 16s", scenario: checkout-app-loss}`))
	verdicts := enginetest.Rounds(2, 5)
	l.within(3*time.Minute, "verdicts", func() bool { return len(s.in("done")) >= verdicts })
	for _, j := range s.in("done") {
		if j.Verdict != "proven" && j.Verdict != "inconclusive" || j.Run == "" {
			l.t.Errorf("%+v", j)
		}
	}
	if two := overlapping(s.in("done")); two != "" {
		l.t.Errorf("two at once: %s", two)
	}
	l.t.Logf("%d verdicts, %d moments missed as the run before had not ended", len(s.in("done")), len(s.in("missed")))

	b := browsertest.New(l.t)
	b.Open(l.t, s.login)
	b.Click(l.t, "form.login button")
	b.Await(l.t, "logged in", `document.querySelectorAll('a[href="/audit"]').length`)
	for _, path := range []string{"/trends", "/spofs", "/audit", "/jobs/1", "/history"} {
		b.Open(l.t, s.address+path)
		if b.Number(l.t, `document.querySelectorAll("footer").length`) != 1 {
			l.t.Errorf("%s is not whole", path)
		}
	}
	if n := b.Number(l.t, `document.querySelectorAll("tbody tr").length`); n < verdicts {
		l.t.Errorf("the history shows %d runs", n)
	}
	b.Click(l.t, `tbody th a[href$="report.html"]`)
	b.Await(l.t, "a report", `document.querySelectorAll("h2").length`)
	b.Open(l.t, s.address+"/")
	// A run that is live: what users meet is on the page while it goes on.
	b.Await(l.t, "a live run", `[...document.querySelectorAll(".meter:not([hidden]) output")].filter(o => /% of \d+ users/.test(o.textContent)).length`)
	l.eventually("something is broken", l.broken)
	stopped := s.in("running")
	began := time.Now()
	b.Click(l.t, `.job form[action$="/stop"] button`)
	b.Await(l.t, "it has ended", `document.querySelectorAll(".badge.aborted").length`)
	took := l.within(10*time.Second-time.Since(began), "it is undone", func() bool { return !l.broken() })
	l.t.Logf("stopped by the page, and undone within %v", time.Since(began).Round(10*time.Millisecond))
	_ = took
	if len(stopped) > 0 {
		for _, j := range s.jobs() {
			if j.ID == stopped[0].ID && (j.Verdict != "aborted" || !strings.Contains(j.Why, "stopped by login link")) {
				l.t.Errorf("%+v", j)
			}
		}
	}
	if said := b.Said(); len(said) > 0 {
		l.t.Errorf("the pages complain: %v", said)
	}
	if left := b.Left(s.address); len(left) > 0 {
		l.t.Errorf("the pages ask elsewhere: %v", left)
	}
	l.killSwitch(s)
}

// killSwitch stops what runs by a command that has no token, within ten seconds.
func (l *labTest) killSwitch(s *served) {
	l.within(time.Minute, "a run breaks something", func() bool { return len(s.in("running")) > 0 && l.broken() })
	began := time.Now()
	cmd := exec.CommandContext(l.t.Context(), binary, "stop", "--all")
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "GAMEDAY_STATE_DIR="+s.state)
	if output, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(output), "stopped 1 run") {
		l.t.Errorf("%v: %s", err, output)
	}
	if took := time.Since(began); took > 10*time.Second || l.broken() {
		l.t.Errorf("stop --all took %v; broken: %v", took, l.broken())
	}
	l.t.Logf("gameday stop --all: undone after %v", time.Since(began).Round(10*time.Millisecond))
	l.within(time.Minute, "a run breaks something again", func() bool { return len(s.in("running")) > 0 && l.broken() })
	began = time.Now()
	s.end()
	if took := time.Since(began); took > 10*time.Second || l.broken() || s.cmd.ProcessState.ExitCode() != 0 {
		l.t.Errorf("SIGTERM took %v, exit code %d; broken: %v\n%s", took, s.cmd.ProcessState.ExitCode(), l.broken(), s.said())
	}
	l.t.Logf("SIGTERM: undone, and ended, after %v", time.Since(began).Round(10*time.Millisecond))
}

// several is three instances that share a PostgreSQL: one run at a time; one that is
// killed with -9 in the middle of its run leaves a clean environment, its job is not
// run again, and the schedule goes on elsewhere. Then PostgreSQL is away for a while.
func (l *labTest) several() {
	l.serves()
	pg := pgtest.New(l.t)
	dir := l.folder("3s", "8s", `  - {name: often, cron: "@every 6s", scenario: checkout-app-loss}`)
	var all []*served
	for i := range 3 {
		all = append(all, l.serve(dir, "--store", pg.URL, "--instance", fmt.Sprint("i", i), "--out", filepath.Join(dir, "gameday-runs")))
	}
	first := all[0]
	l.within(time.Minute, "a run breaks something", func() bool { return len(first.in("running")) == 1 && l.broken() })
	victim := first.in("running")[0]
	_, pid, _ := strings.Cut(victim.Instance, "/")
	var alive []*served
	for _, s := range all {
		if strconv.Itoa(s.cmd.Process.Pid) != pid {
			alive = append(alive, s)
			continue
		}
		if err := s.cmd.Process.Kill(); err != nil {
			l.t.Fatal(err)
		}
		_ = s.cmd.Wait()
	}
	killed := time.Now()
	if len(alive) != 2 {
		l.t.Fatalf("instance %s is none of these", victim.Instance)
	}
	clean := l.within(15*time.Second, "the environment is clean", func() bool { return !l.broken() })
	var next aJob
	l.within(30*time.Second-clean, "the schedule goes on elsewhere", func() bool {
		for _, j := range alive[0].in("running") {
			next = j
		}
		return next.ID != 0 && next.ID != victim.ID
	})
	l.t.Logf("kill -9: clean after %v, the schedule went on elsewhere after %v", clean.Round(10*time.Millisecond), time.Since(killed).Round(10*time.Millisecond))
	l.within(time.Minute, "two more verdicts", func() bool { return len(alive[0].in("done")) >= 2 })
	for _, j := range alive[0].jobs() {
		if j.ID == victim.ID && (j.State != "interrupted" || j.Instance != victim.Instance) {
			l.t.Errorf("the job of whoever was killed: %+v", j)
		}
	}
	l.oncesOnly(alive[0], dir)
	l.storeAway(pg, alive)
}

// oncesOnly holds the folders of runs against the jobs that were begun.
func (l *labTest) oncesOnly(s *served, dir string) {
	folders, err := filepath.Glob(filepath.Join(dir, "gameday-runs", "*", "events.jsonl"))
	if err != nil {
		l.t.Fatal(err)
	}
	begun := 0
	for _, j := range s.jobs() {
		if !j.Began.IsZero() {
			begun++
		}
	}
	if len(folders) > begun || begun == 0 {
		l.t.Errorf("%d runs of %d jobs", len(folders), begun)
	}
	if two := overlapping(append(s.in("done"), s.in("interrupted")...)); two != "" {
		l.t.Errorf("two at once: %s", two)
	}
}

// storeAway takes PostgreSQL away in the middle of a run, for longer than the run takes.
func (l *labTest) storeAway(pg *pgtest.Server, alive []*served) {
	l.within(time.Minute, "a run breaks something", func() bool { return len(alive[0].in("running")) == 1 && l.broken() })
	during := alive[0].in("running")[0]
	pg.Stop()
	gone := time.Now()
	l.within(25*time.Second, "it is undone", func() bool { return !l.broken() })
	for _, s := range alive {
		l.eventually("it is said", func() bool {
			return strings.Contains(s.said(), "msg=unavailable") && strings.Contains(s.said(), "what=store")
		})
	}
	away := time.Duration(enginetest.Rounds(15, 30)) * time.Second
	<-time.After(time.Until(gone.Add(away)))
	if l.broken() {
		l.t.Error("something was broken while the store was away")
	}
	pg.Start()
	var after aJob
	l.within(time.Minute, "the verdict is in the store", func() bool {
		for _, j := range alive[0].jobs() {
			if j.ID == during.ID {
				after = j
			}
		}
		return after.State == "done"
	})
	if after.Verdict == "" || after.Instance != during.Instance {
		l.t.Errorf("%+v", after)
	}
	l.t.Logf("the store was away for %v: the run is %s, %q", away, after.Verdict, after.Why)
	l.within(time.Minute, "the schedule goes on", func() bool {
		for _, j := range alive[0].in("running") {
			if j.Began.After(gone.Add(away)) {
				return true
			}
		}
		return false
	})
}

// diskFull fills the disk of the reports when they are about to be written: it is said,
// all is undone, and the verdict is in the store.
func (l *labTest) diskFull() {
	l.serves()
	dir := l.folder("3s", "5s", `  - {name: often, cron: "@every 5s", scenario: checkout-app-loss, only_if: [{steady: 2s}, {http: {get: "`+l.url+`/readyz"}}]}`)
	out := filepath.Join(dir, "small")
	if err := errors.Join(os.Mkdir(out, 0o750), syscall.Mount("tmpfs", out, "tmpfs", 0, "size=4m")); err != nil {
		enginetest.Missing(l.t, fmt.Errorf("a small disk cannot be made: %w", err))
	}
	l.t.Cleanup(func() {
		if err := syscall.Unmount(out, 0); err != nil {
			l.t.Error(err)
		}
	})
	s := l.serve(dir, "--out", out)
	l.within(time.Minute, "a record is whole", func() bool {
		found, _ := filepath.Glob(filepath.Join(out, "*", "scenario.yaml"))
		return len(found) > 0
	})
	filler, err := os.Create(filepath.Join(out, "filler"))
	if err != nil {
		l.t.Fatal(err)
	}
	block := make([]byte, 64<<10)
	for err == nil {
		if _, err = filler.Write(block); err != nil && len(block) > 1 {
			block, err = block[:len(block)/2], nil
		}
	}
	_ = filler.Close()
	l.eventually("the job has ended", func() bool { return len(s.in("done")) > 0 })
	done := s.in("done")
	j := done[len(done)-1]
	if !strings.Contains(j.Why, "no space left") || j.Verdict == "" || l.broken() {
		l.t.Errorf("%+v; broken: %v", j, l.broken())
	}
	l.t.Logf("the disk was full at the report: %s, %q", j.Verdict, j.Why)
	s.end()
	_ = os.Remove(filler.Name())
}

// A store that cannot be written is one sentence.
func TestAReadOnlyStoreIsNamed(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "gameday-readonly-*") //nolint:usetesting // that of the test is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "serve.db")
	state := t.TempDir()
	run := func(as *syscall.SysProcAttr, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, append(os.Environ(), "GAMEDAY_STATE_DIR="+state, "HOME="+dir), as
		output, err := cmd.CombinedOutput()
		return string(output), err
	}
	if output, err := run(nil, "token", "list", "--store", path); err != nil {
		t.Fatal(output)
	}
	var as *syscall.SysProcAttr
	if os.Getuid() == 0 { // whom no permission keeps out
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if err := os.Chmod(filepath.Dir(binary), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(path, 0o444), os.Chmod(dir, 0o555)); err != nil {
		t.Fatal(err)
	}
	output, err := run(as, "token", "create", "x", "--store", path)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(output, "serve.db") || !strings.Contains(output, "readonly") {
		t.Errorf("%v: %s", err, output)
	}
}
