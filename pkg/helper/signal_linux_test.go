package helper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// process is one of a made-up process table.
type process struct {
	line  string // of its command, with zero bytes
	comm  string // its own name
	state string // S where empty
	// caught is the mask of the signals that it handles.
	caught uint64
	err    error // of signalling it
}

// table is a process table as /proc shows it, and what was signalled.
type table struct {
	dir  string
	all  map[int]process
	sent []string
}

func newTable(t *testing.T, all map[int]process) *table {
	t.Helper()
	tab := &table{dir: t.TempDir(), all: all}
	for pid := range all {
		tab.write(t, pid)
	}
	// What else stands there.
	for _, name := range []string{"self", "net", "1x"} {
		if err := os.Mkdir(filepath.Join(tab.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return tab
}

func (tab *table) write(t *testing.T, pid int) {
	t.Helper()
	p := tab.all[pid]
	if p.state == "" {
		p.state = "S"
	}
	dir := filepath.Join(tab.dir, strconv.Itoa(pid))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"cmdline": p.line,
		"comm":    p.comm + "\n",
		"stat":    fmt.Sprintf("%d (%s) %s 0 1 1 0 -1 4194560", pid, p.comm, p.state),
		"status":  fmt.Sprintf("Name:\t%s\nSigIgn:\t0000000000001000\nSigCgt:\t%016x\nCapInh:\t0000000000000000\n", p.comm, p.caught),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// told is the signal as the helper would carry it out among these processes.
func (tab *table) told(s Signal) signalled {
	return signalled{&s, processes{proc: tab.dir, self: 99, kill: func(pid int, signal syscall.Signal) error {
		tab.sent = append(tab.sent, fmt.Sprintf("%d:%d", pid, signal))
		return tab.all[pid].err
	}}}
}

// signals are those that were sent, without the questions whether one could.
func (tab *table) signals() []string {
	return slices.DeleteFunc(slices.Clone(tab.sent), func(s string) bool { return strings.HasSuffix(s, ":0") })
}

const (
	stop = int(syscall.SIGSTOP)
	cont = int(syscall.SIGCONT)
	term = int(syscall.SIGTERM)
)

func hang(name string) Signal { return Signal{Process: name, Signal: stop, Undo: cont} }

func TestProcessesByName(t *testing.T) {
	t.Parallel()
	tab := newTable(t, map[int]process{
		1:  {line: "/sbin/init\x00--flag", comm: "init"},
		7:  {line: "/usr/lib/postgresql/15/bin/postgres\x00-D\x00/data", comm: "postgres"},
		8:  {line: "postgres: walwriter ", comm: "postgres"},
		9:  {line: "postgres: main: autovacuum launcher", comm: "postgres"},
		10: {line: "nginx: worker process", comm: "nginx"},
		11: {line: "python3\x00/app/worker.py", comm: "gunicorn"},
		12: {line: "/app/worker\x00--queue=postgres", comm: "a-name-that-is-c"},
		13: {line: "", comm: "kworker/0:1"}, // of the kernel
		14: {line: "worker", comm: "worker"},
		99: {line: "/gameday\x00helper\x00worker", comm: "worker"}, // the helper
	})
	for name, want := range map[string][]int{
		"postgres":              {7, 8, 9},
		"nginx":                 {10},
		"init":                  {1},
		"python3":               {11},
		"gunicorn":              {11},
		"worker":                {12, 14},
		"walwriter":             nil, // a title is no name
		"kworker/0:1":           nil,
		"work":                  nil,
		"/app/worker":           nil,
		"":                      nil,
		"gameday":               nil,
		"--queue=postgres":      nil,
		"postgres: walwriter ":  {8},
		"a-name-that-is-c":      {12},
		"a-name-that-is-cut":    nil,
		"nginx: worker process": {10},
		"postgres: main":        nil,
		"autovacuum launcher":   nil,
		"postgres -D /data":     nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tab.told(Signal{}).named(name)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v (-expected +found):\n%s", err, diff)
			}
		})
	}
}

func TestStopped(t *testing.T) {
	t.Parallel()
	tab := newTable(t, map[int]process{
		2: {comm: "runs", state: "R"},
		3: {comm: "sleeps", state: "S"},
		4: {comm: "stopped", state: "T"},
		5: {comm: "traced", state: "t"},
		6: {comm: "ended", state: "Z"},
		7: {comm: "odd) T (name", state: "S"},
		8: {comm: "odd) S", state: "T"},
		9: {comm: "T", state: "D"},
	})
	for pid, want := range map[int]bool{2: false, 3: false, 4: true, 5: false, 6: false, 7: false, 8: true, 9: false, 10: false} {
		if got := tab.told(Signal{}).stopped(pid); got != want {
			t.Errorf("process %d (%s) is stopped: %v", pid, tab.all[pid].comm, got)
		}
	}
}

// The kernel lets the first process of a namespace have only signals that it
// handles, and says nothing.
func TestTheMainProcessIsShielded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caught uint64
		signal Signal
		want   string
	}{
		"it cannot be stopped":      {^uint64(0) &^ (1<<18 | 1<<8), hang("app"), "shields from this signal"},
		"it handles no signal":      {0, Signal{Process: "app", Signal: term}, "shields from this signal"},
		"it handles another":        {1 << (uint(syscall.SIGHUP) - 1), Signal{Process: "app", Signal: term}, "shields from this signal"},
		"it handles this one":       {1 << (uint(syscall.SIGTERM) - 1), Signal{Process: "app", Signal: term}, ""},
		"whether it is there":       {0, Signal{Process: "app"}, ""},
		"another has the same name": {0, Signal{Process: "child", Signal: term}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tab := newTable(t, map[int]process{1: {line: "/app", comm: "app", caught: c.caught}, 7: {line: "/child", comm: "child"}})
			for what, err := range map[string]error{"try": tab.told(c.signal).try(), "do": tab.told(c.signal).once()} {
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%s: %v, expected %q", what, err, c.want)
				}
			}
			if got := tab.signals(); c.want != "" && len(got) > 0 {
				t.Errorf("signalled all the same: %v", got)
			}
		})
	}
}

func TestHangAndGoOn(t *testing.T) {
	t.Parallel()
	tab := newTable(t, map[int]process{
		1: {line: "/sbin/init", comm: "init"}, 7: {line: "/worker", comm: "worker"}, 8: {line: "/worker", comm: "worker"}, 9: {line: "/other", comm: "other"},
	})
	e, _, err := tab.told(hang("worker")).begin()
	if err != nil {
		t.Fatal(err)
	}
	if got := tab.signals(); !slices.Equal(got, []string{"7:19", "8:19"}) {
		t.Errorf("sent %v", got)
	}
	if _, err := e.status(); err == nil || !strings.Contains(err.Error(), "process 7 (worker) goes on") {
		t.Errorf("nothing has stopped, and the status is %v", err)
	}
	for _, pid := range []int{7, 8} {
		tab.all[pid] = process{line: "/worker", comm: "worker", state: "T"}
		tab.write(t, pid)
	}
	if _, err := e.status(); err != nil {
		t.Errorf("status: %v", err)
	}
	tab.sent = nil
	if err := errors.Join(e.undo(), e.undo()); err != nil {
		t.Errorf("undo: %v", err)
	}
	if got := tab.signals(); !slices.Equal(got, []string{"7:18", "8:18", "7:18", "8:18"}) {
		t.Errorf("sent %v", got)
	}
}

// Undoing would let go on what something else has stopped: that is refused, by
// the plan and by the order itself, before any process is stopped.
func TestAProcessThatIsStoppedAlready(t *testing.T) {
	t.Parallel()
	tab := newTable(t, map[int]process{7: {line: "/worker", comm: "worker"}, 8: {line: "/worker", comm: "worker", state: "T"}})
	err := tab.told(hang("worker")).try()
	e, _, beginErr := tab.told(hang("worker")).begin()
	for _, err := range []error{err, beginErr} {
		if err == nil || !strings.Contains(err.Error(), "process 8 (worker) is stopped already") {
			t.Errorf("%v", err)
		}
	}
	if got := tab.signals(); e != nil || len(got) > 0 {
		t.Errorf("sent %v", got)
	}
	// A signal that nothing takes back may go to a stopped process.
	if err := tab.told(Signal{Process: "worker", Signal: term}).try(); err != nil {
		t.Errorf("%v", err)
	}
}

// A process that cannot be signalled keeps no other from going on, neither when
// the fault begins halfway nor when it is undone.
func TestOneOfThemCannotBeSignalled(t *testing.T) {
	t.Parallel()
	tab := newTable(t, map[int]process{
		7: {line: "/worker", comm: "worker"}, 8: {line: "/worker", comm: "worker", err: syscall.EPERM}, 9: {line: "/worker", comm: "worker"},
	})
	if err := tab.told(hang("worker")).try(); err == nil || !strings.Contains(err.Error(), "signal process 8 (worker): operation not permitted") {
		t.Errorf("the plan accepts it: %v", err)
	}
	if got := tab.signals(); len(got) > 0 {
		t.Errorf("sent %v", got)
	}
	// It could be signalled when it was tried, and could not a moment later.
	asked := 0
	s := tab.told(hang("worker"))
	kill := s.kill
	s.kill = func(pid int, signal syscall.Signal) error {
		if err := kill(pid, signal); signal != 0 {
			asked++
			return err
		}
		return nil
	}
	e, _, err := s.begin()
	if err == nil || asked != 6 {
		t.Errorf("%v after %d signals", err, asked)
	}
	if got := tab.signals(); !slices.Equal(got, []string{"7:19", "8:19", "9:19", "7:18", "8:18", "9:18"}) {
		t.Errorf("sent %v", got)
	}
	if e == nil {
		t.Fatal("what is left is forgotten")
	}
	tab.sent = nil
	tab.all[8] = process{line: "/worker", comm: "worker"}
	if err := e.undo(); err != nil {
		t.Errorf("undo: %v", err)
	}
	if got := tab.signals(); !slices.Equal(got, []string{"7:18", "8:18", "9:18"}) {
		t.Errorf("sent %v", got)
	}
}

// Processes end. Before the fault that is a mistake; while it lasts, the fault is
// not in force any more; and there is nothing left to undo.
func TestProcessesThatAreGone(t *testing.T) {
	t.Parallel()
	empty := newTable(t, map[int]process{1: {line: "/sbin/init", comm: "init"}})
	s := empty.told(hang("worker"))
	if err := s.try(); err == nil || !strings.Contains(err.Error(), `the target has no process "worker"`) {
		t.Errorf("try: %v", err)
	}
	if _, _, err := s.begin(); err == nil {
		t.Error("begin: no error")
	}
	if err := s.once(); err == nil {
		t.Error("do: no error")
	}
	if _, err := s.status(); err == nil || !strings.Contains(err.Error(), "no process") {
		t.Errorf("status: %v", err)
	}
	if err := s.undo(); err != nil {
		t.Errorf("undo: %v", err)
	}
	// One ends between the look and the signal.
	ending := newTable(t, map[int]process{7: {line: "/worker", comm: "worker", err: syscall.ESRCH}, 8: {line: "/worker", comm: "worker"}})
	if e, _, err := ending.told(hang("worker")).begin(); err != nil || e.undo() != nil {
		t.Errorf("%v", err)
	}
}

func TestASignalThatNothingTakesBack(t *testing.T) {
	t.Parallel()
	tab := newTable(t, map[int]process{7: {line: "/worker", comm: "worker"}})
	s := tab.told(Signal{Process: "worker", Signal: term})
	if err := s.once(); err != nil {
		t.Error(err)
	}
	if err := s.undo(); err != nil {
		t.Error(err)
	}
	if got := tab.sent; !slices.Equal(got, []string{"7:15"}) {
		t.Errorf("sent %v", got)
	}
	if _, err := s.status(); err != nil {
		t.Errorf("status: %v", err)
	}
}
