package fault_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/target"
)

func TestInMemoryCommands(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "broken")
	f := &fault.Command{Break: []string{"touch", file}, Verify: []string{"test", "-e", file}, Mend: []string{"rm", "-f", file}}
	ctx := t.Context()
	was, err := f.Prepare(ctx, nil) // it is about no component
	if err != nil {
		t.Fatal(err)
	}
	if err := f.InForce(ctx, nil, was); !errors.Is(err, fault.ErrNotInForce) || !strings.Contains(err.Error(), "exit code 1") {
		t.Errorf("before: %v", err)
	}
	if err := f.Inject(ctx, nil, was); err != nil {
		t.Fatal(err)
	}
	if err := f.InForce(ctx, nil, was); err != nil {
		t.Errorf("not in force: %v", err)
	}
	for range 2 {
		if err := f.Revert(ctx, nil, was); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("undone, %s is there (%v)", file, err)
	}
}

func TestInMemoryCommandsThatFail(t *testing.T) {
	t.Parallel()
	good := []string{"true"}
	for name, c := range map[string]struct {
		f    fault.Command
		want string
	}{
		"exit code and output": {fault.Command{Break: []string{"sh", "-c", "echo no such cluster >&2; exit 7"}, Mend: good}, "exit code 7: no such cluster"},
		"a signal":             {fault.Command{Break: []string{"sh", "-c", "kill -9 $$"}, Mend: good}, "exit code -1"},
		"too long":             {fault.Command{Break: []string{"sleep", "60"}, Mend: good, Timeout: 20 * time.Millisecond}, "20ms"},
		"not there any more":   {fault.Command{Break: []string{"no-such-command-of-gameday"}, Mend: good}, "no-such-command-of-gameday"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := c.f.Inject(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.f.Break[0]) {
				t.Errorf("found %v, expected %q", err, c.want)
			}
			mends := fault.Command{Break: good, Mend: c.f.Break, Timeout: c.f.Timeout}
			if err := mends.Revert(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("undone: %v, expected %q", err, c.want)
			}
		})
	}
}

// A command that gameday was asked to leave off has not lost its fault, and did not
// take too long.
func TestInMemoryACommandThatIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := fault.Command{Break: []string{"true"}, Verify: []string{"true"}, Mend: []string{"true"}}
	if err := f.InForce(ctx, nil, nil); err == nil || errors.Is(err, fault.ErrNotInForce) || !errors.Is(err, context.Canceled) {
		t.Errorf("in force: %v", err)
	}
	if err := f.Inject(ctx, nil, nil); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "30s") {
		t.Errorf("injected: %v", err)
	}
}

func TestInMemoryCommandsThatAreNotThere(t *testing.T) {
	t.Parallel()
	good, none := []string{"true"}, []string{"no-such-command-of-gameday"}
	for name, f := range map[string]fault.Command{
		"inject": {Break: none, Mend: good}, "undo": {Break: good, Mend: none}, "verify": {Break: good, Mend: good, Verify: none},
	} {
		if _, err := f.Prepare(t.Context(), nil); err == nil || !strings.Contains(err.Error(), none[0]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInMemoryCommandsInTheComponent(t *testing.T) {
	t.Parallel()
	f := &fault.Command{Break: []string{"break"}, Verify: []string{"verify"}, Mend: []string{"mend"}, In: "component"}
	if _, err := f.Prepare(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "target") {
		t.Errorf("without a target: %v", err)
	}
	w := newWorld()
	if _, err := f.Prepare(t.Context(), lookOnly{w.open(t)}); !errors.Is(err, target.ErrUnsupported) {
		t.Errorf("one that can be looked at only: %v", err)
	}
	if err := f.Inject(t.Context(), lookOnly{w.open(t)}, nil); !errors.Is(err, target.ErrUnsupported) {
		t.Errorf("one that can be looked at only: %v", err)
	}
	was, err := f.Prepare(t.Context(), w.open(t))
	if err != nil {
		t.Fatal(err)
	}
	h := w.open(t)
	if err := errors.Join(f.Inject(t.Context(), h, was), f.InForce(t.Context(), h, was), f.Revert(t.Context(), h, was)); err != nil {
		t.Error(err)
	}
	if got := strings.Join(w.ordered(), ", "); got != "exec break, exec verify, exec mend" {
		t.Errorf("ordered %s", got)
	}
	w.exec = target.ExecResult{ExitCode: 3, Output: "no quorum\n"}
	if err := f.InForce(t.Context(), h, was); !errors.Is(err, fault.ErrNotInForce) || !strings.Contains(err.Error(), "exit code 3: no quorum") {
		t.Errorf("in force: %v", err)
	}
	w.execErr = errors.New("the engine is away")
	if err := f.Revert(t.Context(), h, was); !errors.Is(err, w.execErr) {
		t.Errorf("undone: %v", err)
	}
	slow := fault.Command{Break: []string{"wait"}, Mend: []string{"mend"}, In: "component", Timeout: 20 * time.Millisecond}
	if err := slow.Inject(t.Context(), h, was); err == nil || !strings.Contains(err.Error(), "20ms") {
		t.Errorf("too slow: %v", err)
	}
}

// asked is a person who remembers what they were asked, and answers with an error
// or, where there is none, not at all until they are no longer waited for.
type asked struct {
	instructions []string
	answer       func(ctx context.Context) error
}

// Do implements [fault.Person].
func (a *asked) Do(ctx context.Context, instruction string) error {
	a.instructions = append(a.instructions, instruction)
	return a.answer(ctx)
}

func TestInMemoryAPerson(t *testing.T) {
	t.Parallel()
	f := &fault.Manual{Do: "pull the plug", Undo: "put it back", Timeout: 10 * time.Minute}
	person := &asked{answer: func(context.Context) error { return nil }}
	ctx := fault.WithPerson(t.Context(), person)
	was, err := f.Prepare(ctx, nil)
	if err != nil || len(person.instructions) > 0 {
		t.Fatalf("asked %v (%v)", person.instructions, err)
	}
	if err := errors.Join(f.Inject(ctx, nil, was), f.Revert(ctx, nil, was)); err != nil || strings.Join(person.instructions, ", ") != "pull the plug, put it back" {
		t.Errorf("asked %v (%v)", person.instructions, err)
	}
	person.answer = func(context.Context) error { return errors.New("the door is locked") }
	if err := f.Revert(ctx, nil, was); err == nil || !strings.Contains(err.Error(), "put it back") || !strings.Contains(err.Error(), "the door is locked") {
		t.Errorf("undone: %v", err)
	}
}

func TestInMemoryNoPerson(t *testing.T) {
	t.Parallel()
	f := &fault.Manual{Do: "pull the plug", Undo: "put it back"}
	if err := f.Inject(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "terminal") {
		t.Errorf("injected: %v", err)
	}
	if err := f.Revert(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "put it back") || !strings.Contains(err.Error(), "gameday undo") {
		t.Errorf("undone: %v", err)
	}
}

// A person is waited for as long as the spec says, and no longer.
func TestInMemoryAPersonWhoDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for timeout, want := range map[time.Duration]time.Duration{0: fault.DefaultManualTimeout, time.Hour: time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			ctx := fault.WithPerson(t.Context(), &asked{answer: func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}})
			began := time.Now()
			f := &fault.Manual{Do: "pull the plug", Undo: "put it back", Timeout: timeout}
			if err := f.Inject(ctx, nil, nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != want {
				t.Errorf("waited %v (%v), expected %v", time.Since(began), err, want)
			}
		})
	}
}

func TestInMemoryEntries(t *testing.T) {
	t.Parallel()
	slow := target.StopGrace + fault.EngineSettle
	for name, c := range map[string]struct {
		kind, spec       string
		settle, patience time.Duration
	}{
		"kill":              {"kill", `{}`, fault.EngineSettle, 0},
		"stop":              {"stop", `{}`, slow, 0},
		"restart":           {"restart", `{}`, slow, 0},
		"drop":              {"drop", `{}`, fault.Settle, 0},
		"command":           {"command", `{"inject": ["true"], "undo": ["true"]}`, fault.DefaultCommandTimeout + fault.Settle, fault.DefaultCommandTimeout},
		"command, patient":  {"command", `{"inject": ["true"], "undo": ["true"], "timeout": 300000000000}`, 5*time.Minute + fault.Settle, 5 * time.Minute},
		"manual":            {"manual", `{"do": "a", "undo": "b"}`, fault.Settle, fault.DefaultManualTimeout},
		"manual, impatient": {"manual", `{"do": "a", "undo": "b", "timeout": 1000000000}`, fault.Settle, time.Second},
	} {
		f := made(t, c.kind, c.spec)
		e, err := fault.Entry("7", c.kind, f, target.Component{ID: "id", Name: "db-1"}, fault.State(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		if e.ID != "7" || e.Kind != c.kind || e.Component != "id" || e.Name != "db-1" || string(e.State) != `{"a":1}` || e.Settle != c.settle || e.Patience != c.patience {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestInMemoryUndoOfUnknownEntries(t *testing.T) {
	t.Parallel()
	w := newWorld()
	env := elsewhere{w, t}
	e, err := fault.Entry("1", "kill", &fault.Kill{}, w.c, fault.State(`{"state":"running"}`))
	if err != nil {
		t.Fatal(err)
	}
	newer := e
	newer.Kind = "earthquake"
	if err := fault.Undo(t.Context(), env, newer); !errors.Is(err, fault.ErrUnknownKind) || !strings.Contains(err.Error(), "earthquake") {
		t.Errorf("an unknown kind: %v", err)
	}
	for _, spec := range []string{"", "{", `[]`, `"x"`} {
		bad := e
		bad.Kind, bad.Spec = "pids", json.RawMessage(spec)
		if err := fault.Undo(t.Context(), env, bad); err == nil || !strings.Contains(err.Error(), "pids") {
			t.Errorf("spec %q: %v", spec, err)
		}
	}
	if len(w.ordered()) > 0 {
		t.Errorf("ordered %v", w.ordered())
	}
	// An error names what could not be undone.
	w.broken = errors.New("the engine is away")
	if err := fault.Undo(t.Context(), env, e); !errors.Is(err, w.broken) || !strings.Contains(err.Error(), "kill on db-1") {
		t.Errorf("found %v", err)
	}
	// What is about no component is undone without one.
	person := &asked{answer: func(context.Context) error { return nil }}
	manual, err := fault.Entry("2", "manual", &fault.Manual{Do: "a", Undo: "b"}, target.Component{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := fault.Undo(fault.WithPerson(t.Context(), person), env, manual); err != nil || len(person.instructions) != 1 {
		t.Errorf("asked %v (%v)", person.instructions, err)
	}
}
