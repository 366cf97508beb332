package target_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/target"
)

func TestUp(t *testing.T) {
	t.Parallel()
	for _, state := range []target.State{target.Running, target.Paused, target.Stopped, target.Restarting, ""} {
		for _, healthy := range []bool{true, false} {
			c := target.Component{State: state, Healthy: healthy}
			if want := state == target.Running && healthy; c.Up() != want {
				t.Errorf("%s, healthy: %t: up: %t", state, healthy, c.Up())
			}
		}
	}
}

func TestEffectiveLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ limits, want target.Limits }{
		"none":                     {},
		"none, as it was set":      {target.Limits{CPUQuota: -1, CPUPeriod: 100_000, PIDs: -1}, target.Limits{}},
		"a period alone":           {target.Limits{CPUPeriod: 100_000}, target.Limits{}},
		"a quota":                  {target.Limits{CPUQuota: 5, CPUPeriod: 6}, target.Limits{CPUQuota: 5, CPUPeriod: 6}},
		"processors":               {target.Limits{NanoCPUs: 5}, target.Limits{NanoCPUs: 5}},
		"PIDs":                     {target.Limits{PIDs: 5}, target.Limits{PIDs: 5}},
		"memory, and swap with it": {target.Limits{Memory: 5, Swap: 10}, target.Limits{Memory: 5}},
		"swap alone":               {target.Limits{Swap: -1}, target.Limits{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, c.limits.Effective()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The ways to write that there is no limit are the same; a limit that limits stays as it
// is; and to ask twice changes nothing.
func TestEffectiveLimitsLaws(t *testing.T) {
	t.Parallel()
	some := rapid.Int64Range(-3, 3)
	rapid.Check(t, func(t *rapid.T) {
		l := target.Limits{
			NanoCPUs: some.Draw(t, "processors"), CPUQuota: some.Draw(t, "quota"), CPUPeriod: some.Draw(t, "period"),
			Memory: some.Draw(t, "memory"), Swap: some.Draw(t, "swap"), PIDs: some.Draw(t, "pids"),
		}
		once := l.Effective()
		if once != once.Effective() {
			t.Fatalf("%+v, then %+v", once, once.Effective())
		}
		if once.NanoCPUs != l.NanoCPUs || once.Memory != l.Memory {
			t.Fatalf("%+v limits otherwise than %+v", once, l)
		}
		if l.CPUQuota > 0 && (once.CPUQuota != l.CPUQuota || once.CPUPeriod != l.CPUPeriod) || l.PIDs > 0 && once.PIDs != l.PIDs {
			t.Fatalf("%+v has lost a limit of %+v", once, l)
		}
		if once.CPUQuota < 0 || once.PIDs < 0 {
			t.Fatalf("%+v has a limit of less than nothing", once)
		}
	})
}

// paused can be frozen, and nothing else.
type paused struct{ target.Handle }

func (paused) Pause(context.Context) error   { return nil }
func (paused) Unpause(context.Context) error { return nil }

func TestAs(t *testing.T) {
	t.Parallel()
	p, err := target.As[target.Pauser](paused{})
	if err != nil || p == nil {
		t.Errorf("%v %v", p, err)
	}
	k, err := target.As[target.Killer](paused{})
	if k != nil || !errors.Is(err, target.ErrUnsupported) {
		t.Errorf("%v %v, expected that it is not supported", k, err)
	}
	for _, of := range []any{nil, 7, (*paused)(nil)} {
		if _, err := target.As[target.Stopper](of); !errors.Is(err, target.ErrUnsupported) {
			t.Errorf("%v: %v", of, err)
		}
	}
}

// The error says which capability is missing.
func TestAsNamesTheCapability(t *testing.T) {
	t.Parallel()
	_, kill := target.As[target.Killer](paused{})
	_, crash := target.As[target.Crasher](paused{})
	if kill == nil || crash == nil || kill.Error() == crash.Error() {
		t.Errorf("%v, %v", kill, crash)
	}
}

// Errors that callers branch on are three, and none is another.
func TestSentinels(t *testing.T) {
	t.Parallel()
	all := []error{target.ErrGone, target.ErrUnsupported, target.ErrNoRole}
	for i, a := range all {
		for j, b := range all {
			if errors.Is(a, b) != (i == j) {
				t.Errorf("%v is %v: %t", a, b, errors.Is(a, b))
			}
		}
	}
}
