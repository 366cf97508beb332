package fault_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// A state that cannot be read is an error, and nothing is done by chance.
func TestInMemoryAStateThatCannotBeRead(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind string, f fault.Fault) {
		t.Helper()
		if inert(kind) || kind == "pause" {
			return // they keep none
		}
		ctx := withPerson(t)
		for _, was := range []string{"", "{", `[1]`, `{"state": 3}`} {
			w := newWorld()
			before := w.snapshot()
			if err := f.Revert(ctx, w.open(t), fault.State(was)); err == nil && kind != "process" {
				t.Errorf("reverted from %q", was)
			}
			if after := w.snapshot(); after != before {
				t.Errorf("%q changed something", was)
			}
		}
	})
}

// What was stopped or paused before is not started or let go.
func TestInMemoryWhatWasSoBeforeStaysSo(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind string, f fault.Fault) {
		t.Helper()
		if inert(kind) || kind == "process" || kind == "pause" {
			return
		}
		ctx := withPerson(t)
		w := newWorld()
		was, err := f.Prepare(ctx, w.open(t))
		if err != nil {
			t.Fatal(err)
		}
		var state map[string]any
		if err := json.Unmarshal(was, &state); err != nil {
			t.Fatal(err)
		}
		if _, ok := state["state"]; !ok {
			t.Fatalf("the state does not say whether it ran: %s", was)
		}
		state["state"], state["started"] = target.Stopped, time.Time{}
		stopped, err := json.Marshal(state)
		if err != nil {
			t.Fatal(err)
		}
		w.c.State = target.Stopped
		if err := f.Revert(ctx, w.open(t), stopped); err != nil || w.c.State != target.Stopped {
			t.Errorf("it is %s by %v (%v)", w.c.State, w.ordered(), err)
		}
	})
}

func TestInMemoryLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, spec string
		was, want  target.Limits
	}{
		"cpu by quota":            {"cpu", `{"cores": 0.5}`, target.Limits{CPUQuota: 200_000, CPUPeriod: 100_000}, target.Limits{CPUQuota: 50_000, CPUPeriod: 100_000}},
		"cpu of one without":      {"cpu", `{"cores": 0.5}`, target.Limits{}, target.Limits{CPUQuota: 50_000, CPUPeriod: 100_000}},
		"cpu of another period":   {"cpu", `{"cores": 0.5}`, target.Limits{CPUQuota: 40_000, CPUPeriod: 10_000}, target.Limits{CPUQuota: 50_000, CPUPeriod: 100_000}},
		"cpu by billionths":       {"cpu", `{"cores": 0.25}`, target.Limits{NanoCPUs: 2e9}, target.Limits{NanoCPUs: 25e7}},
		"memory":                  {"memory", `{"limit": "64MiB"}`, target.Limits{Memory: 512 << 20, Swap: 1 << 30}, target.Limits{Memory: 64 << 20, Swap: 1 << 30}},
		"pids":                    {"pids", `{"max": 10}`, target.Limits{PIDs: 100}, target.Limits{PIDs: 10}},
		"pids of one without":     {"pids", `{"max": 10}`, target.Limits{PIDs: -1}, target.Limits{PIDs: 10}},
		"pids beside a cpu limit": {"pids", `{"max": 10}`, target.Limits{NanoCPUs: 1e9}, target.Limits{NanoCPUs: 1e9, PIDs: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.limits = c.was
			b := begin(t, w, c.kind, c.spec)
			if w.limits.Effective() != c.want.Effective() {
				t.Errorf("the limits are %+v, expected %+v", w.limits, c.want)
			}
			if b.lost() {
				t.Error("not in force")
			}
			b.revert()
			if w.limits != c.was {
				t.Errorf("undone, the limits are %+v, expected %+v", w.limits, c.was)
			}
		})
	}
}

// Somebody sets another limit while the fault lasts: it is lost, and the other limit
// stays.
func TestInMemoryLimitsThatSomebodyElseSets(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"cpu", "memory", "pids"} {
		w := newWorld()
		b := begin(t, w, kind, specs()[kind])
		theirs := target.Limits{Memory: 77 << 20, CPUQuota: 77_000, CPUPeriod: 100_000, PIDs: 77}
		w.limits = theirs
		if !b.lost() {
			t.Errorf("%s: in force on other limits", kind)
		}
		b.revert()
		if w.limits != theirs {
			t.Errorf("%s: the limits are %+v, expected %+v as somebody else set them", kind, w.limits, theirs)
		}
	}
}

func TestInMemoryNoMemoryLimitIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.limits.Memory = 0
	if _, err := made(t, "memory", `{"limit": "64MiB"}`).Prepare(t.Context(), w.open(t)); err == nil || !strings.Contains(err.Error(), "memory limit") {
		t.Errorf("found %v", err)
	}
}

func TestInMemoryFiles(t *testing.T) {
	t.Parallel()
	const path = "/etc/cert.pem"
	was := newWorld().files[path]
	for name, c := range map[string]struct {
		spec string
		want helper.FileSeen
	}{
		"remove":  {`{"path": "/etc/cert.pem", "do": "remove"}`, helper.FileSeen{}},
		"corrupt": {`{"path": "/etc/cert.pem", "do": "corrupt"}`, helper.FileSeen{Exists: true, Content: inverted(was.Content), Mode: 0o640, UID: 7}},
		"replace": {`{"path": "/etc/cert.pem", "do": "replace", "content": "x"}`, helper.FileSeen{Exists: true, Content: []byte("x"), Mode: 0o640, UID: 7}},
		"chmod":   {`{"path": "/etc/cert.pem", "do": "chmod", "mode": "0400"}`, helper.FileSeen{Exists: true, Content: was.Content, Mode: 0o400, UID: 7}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			b := begin(t, w, "file", c.spec)
			if got := w.files[path]; got.Exists != c.want.Exists || string(got.Content) != string(c.want.Content) || got.Mode != c.want.Mode || got.UID != c.want.UID {
				t.Errorf("the file is %+v, expected %+v", got, c.want)
			}
			if b.lost() {
				t.Error("not in force")
			}
			// Somebody renews it meanwhile: the fault is lost, and theirs stays.
			theirs := helper.FileSeen{Exists: true, Content: []byte("a renewed certificate"), Mode: 0o600}
			w.files[path] = theirs
			if !b.lost() {
				t.Error("in force on a file of somebody else")
			}
			b.revert()
			if got := w.files[path]; string(got.Content) != string(theirs.Content) {
				t.Errorf("the file of somebody else is %+v", got)
			}
		})
	}
}

func inverted(content []byte) []byte {
	turned := slices.Clone(content)
	for i := range turned {
		turned[i] = ^turned[i]
	}
	return turned
}

// A file that was written in part is put back: it is the fault's own.
func TestInMemoryAFileWrittenHalfway(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := begin(t, w, "file", `{"path": "/etc/cert.pem", "do": "replace", "content": "another one"}`)
	w.files["/etc/cert.pem"] = helper.FileSeen{Exists: true, Content: []byte("anoth"), Mode: 0o640}
	b.revert()
	if got := string(w.files["/etc/cert.pem"].Content); got != "certificate" {
		t.Errorf("the file is %q", got)
	}
}

func TestInMemoryAFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld()
	f := made(t, "file", `{"path": "/etc/none.pem", "do": "remove"}`)
	if _, err := f.Prepare(t.Context(), w.open(t)); err == nil || !strings.Contains(err.Error(), "/etc/none.pem") {
		t.Errorf("found %v", err)
	}
	w.wrong = "permission denied"
	if _, err := f.Prepare(t.Context(), w.open(t)); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("found %v", err)
	}
}
