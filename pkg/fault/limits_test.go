package fault_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/target"
)

// limitedBox is a component in memory whose limits can be changed.
type limitedBox struct{ limits target.Limits }

func (*limitedBox) Look(context.Context) (target.Component, error) {
	return target.Component{ID: "1", Name: "db", State: target.Running, Started: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

// machined is a component of which it is known what its machine has.
type machined struct {
	*limitedBox

	has target.Capacity
}

func (m machined) Machine(context.Context) (target.Capacity, error) { return m.has, nil }

func (b *limitedBox) Limits(context.Context) (target.Limits, error) { return b.limits, nil }

func (b *limitedBox) SetLimits(_ context.Context, to target.Limits) error {
	b.limits = to
	return nil
}

// limitFaults are all kinds that lower a limit, on a component that has all of
// them.
func limitFaults() (before target.Limits, all map[string]fault.Fault) {
	return target.Limits{CPUQuota: 200_000, CPUPeriod: 100_000, Memory: 256 << 20, Swap: 512 << 20, PIDs: 100}, map[string]fault.Fault{
		"cpu":    of(&fault.CPU{Cores: 0.5}),
		"memory": of(&fault.Memory{Limit: 64 << 20}),
		"pids":   of(&fault.PIDs{Max: 10}),
	}
}

func TestLimitsAreLoweredAndPutBack(t *testing.T) {
	t.Parallel()
	before, all := limitFaults()
	for name, want := range map[string]target.Limits{
		"cpu":    {CPUQuota: 50_000, CPUPeriod: 100_000, Memory: 256 << 20, Swap: 512 << 20, PIDs: 100},
		"memory": {CPUQuota: 200_000, CPUPeriod: 100_000, Memory: 64 << 20, Swap: 512 << 20, PIDs: 100},
		"pids":   {CPUQuota: 200_000, CPUPeriod: 100_000, Memory: 256 << 20, Swap: 512 << 20, PIDs: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, box, f := t.Context(), &limitedBox{before}, all[name]
			was, err := f.Prepare(ctx, box)
			if err != nil || box.limits != before {
				t.Fatalf("prepare: %v, %+v", err, box.limits)
			}
			if err := f.Revert(ctx, box, was); err != nil || box.limits != before {
				t.Errorf("reverted before it was done: %v, %+v", err, box.limits)
			}
			verifier := f.(fault.Verifier)
			if err := verifier.InForce(ctx, box, was); !errors.Is(err, fault.ErrNotInForce) {
				t.Errorf("in force before it was done: %v", err)
			}
			if err := errors.Join(f.Inject(ctx, box, was), verifier.InForce(ctx, box, was)); err != nil || box.limits != want {
				t.Errorf("inject: %v, %+v", err, box.limits)
			}
			for range 2 {
				if err := f.Revert(ctx, box, was); err != nil || box.limits != before {
					t.Errorf("revert: %v, %+v", err, box.limits)
				}
			}
		})
	}
}

// Two limits of one component are two faults: neither is ended by the other, and
// whichever is reverted first, all is as before in the end.
func TestTwoLimitsOfOneComponent(t *testing.T) {
	t.Parallel()
	before, all := limitFaults()
	for first, one := range all {
		for second, other := range all {
			if first == second {
				continue
			}
			for _, order := range [][]int{{0, 1}, {1, 0}} {
				ctx, box := t.Context(), &limitedBox{before}
				faults, states := []fault.Fault{one, other}, make([]fault.State, 2)
				for i, f := range faults {
					var err error
					if states[i], err = f.Prepare(ctx, box); err != nil {
						t.Fatal(err)
					}
					if err := f.Inject(ctx, box, states[i]); err != nil {
						t.Fatal(err)
					}
				}
				for i, f := range faults {
					if err := f.(fault.Verifier).InForce(ctx, box, states[i]); err != nil {
						t.Errorf("%s, then %s: %v", first, second, err)
					}
				}
				for _, i := range order {
					if err := faults[i].Revert(ctx, box, states[i]); err != nil {
						t.Error(err)
					}
				}
				if box.limits != before {
					t.Errorf("%s, then %s, reverted in the order %v: %+v", first, second, order, box.limits)
				}
			}
		}
	}
}

// A limit that another process has set meanwhile is left alone.
func TestALimitThatWasSetMeanwhile(t *testing.T) {
	t.Parallel()
	before, all := limitFaults()
	for name, f := range all {
		ctx, box := t.Context(), &limitedBox{before}
		was, err := f.Prepare(ctx, box)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Inject(ctx, box, was); err != nil {
			t.Fatal(err)
		}
		theirs := target.Limits{CPUQuota: 70_000, CPUPeriod: 100_000, Memory: 100 << 20, PIDs: 70}
		box.limits = theirs
		if err := f.(fault.Verifier).InForce(ctx, box, was); !errors.Is(err, fault.ErrNotInForce) {
			t.Errorf("%s: %v", name, err)
		}
		if err := f.Revert(ctx, box, was); err != nil || box.limits != theirs {
			t.Errorf("%s: %v, %+v", name, err, box.limits)
		}
	}
}

// A limit that is not lower than the one that there is would be no fault, or the
// opposite of one.
func TestALimitThatIsNotLower(t *testing.T) {
	t.Parallel()
	quota := target.Limits{CPUQuota: 50_000, CPUPeriod: 50_000, Memory: 64 << 20, PIDs: 100}
	nano := target.Limits{NanoCPUs: 1_500_000_000}
	small := target.Capacity{CPUs: 2, Memory: 128 << 20}
	for name, c := range map[string]struct {
		spec any
		was  target.Limits
		want string
		has  target.Capacity
	}{
		"cpu, more than the machine has":    {spec: &fault.CPU{Cores: 64}, has: small, want: "cores: found 64, expected less than the 2 that the component may run on"},
		"cpu, all that the machine has":     {spec: &fault.CPU{Cores: 2}, has: small, want: "expected less than the 2"},
		"cpu, less than the machine has":    {spec: &fault.CPU{Cores: 1.9}, has: small},
		"cpu, below a limit above that":     {spec: &fault.CPU{Cores: 3}, was: target.Limits{NanoCPUs: 4e9}, has: small, want: "expected less than the 2"},
		"memory, more than the machine has": {spec: &fault.Memory{Limit: 256 << 20}, was: target.Limits{Memory: 1 << 40}, has: small, want: "limit: found 256MiB, expected less than the memory of the machine, 128MiB"},
		"memory, less than the machine has": {spec: &fault.Memory{Limit: 127 << 20}, was: target.Limits{Memory: 1 << 40}, has: small},
		"cpu, more than the quota":          {spec: &fault.CPU{Cores: 2}, was: quota, want: "less than the current limit of 1"},
		"cpu, as the quota":                 {spec: &fault.CPU{Cores: 1}, was: quota, want: "less than the current limit of 1"},
		"cpu, less than the quota":          {spec: &fault.CPU{Cores: 0.9}, was: quota},
		"cpu, more than its processors":     {spec: &fault.CPU{Cores: 1.5}, was: nano, want: "less than the current limit of 1.5"},
		"cpu, less than its processors":     {spec: &fault.CPU{Cores: 1.4}, was: nano},
		"cpu, no limit before":              {spec: &fault.CPU{Cores: 64}},
		"memory, more":                      {spec: &fault.Memory{Limit: 65 << 20}, was: quota, want: "expected less than the current limit of 64MiB"},
		"memory, the same":                  {spec: &fault.Memory{Limit: 64 << 20}, was: quota, want: "expected less than the current limit of 64MiB"},
		"memory, less":                      {spec: &fault.Memory{Limit: 63 << 20}, was: quota},
		"memory, no limit before":           {spec: &fault.Memory{Limit: 64 << 20}, want: "the component has no memory limit"},
		"pids, more":                        {spec: &fault.PIDs{Max: 101}, was: quota, want: "less than the current limit of 100 processes and threads"},
		"pids, the same":                    {spec: &fault.PIDs{Max: 100}, was: quota, want: "less than the current limit of 100 processes and threads"},
		"pids, less":                        {spec: &fault.PIDs{Max: 99}, was: quota},
		"pids, no limit before":             {spec: &fault.PIDs{Max: 1_000_000}, was: target.Limits{PIDs: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, ok := fault.Of(c.spec)
			if !ok {
				t.Fatal("it is no fault")
			}
			_, err := f.Prepare(t.Context(), machined{&limitedBox{c.was}, c.has})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, expected %q", err, c.want)
			}
		})
	}
}

// An entry that an older gameday has left, of a limit that was none, is undone
// all the same.
func TestAnOlderEntryIsUndone(t *testing.T) {
	t.Parallel()
	before := target.Limits{PIDs: 100}
	box := &limitedBox{target.Limits{PIDs: 200}}
	was, err := json.Marshal(map[string]any{"state": "running", "was": before})
	if err != nil {
		t.Fatal(err)
	}
	if err := of(&fault.PIDs{Max: 200}).Revert(t.Context(), box, was); err != nil || box.limits != before {
		t.Errorf("%v, %+v", err, box.limits)
	}
}
