package docker_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
)

// What a container can use at most is what the machine has, and of its processors those
// that it may run on.
func TestMachine(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]int{"": 8, "0": 1, "0-2,7": 4, " 1 , 3": 2, "x": 8, "3-1": 8} {
		e := newFakeEngine(t)
		e.Answer("GET /info", http.StatusOK, `{"ID": "SS5V:7QY7", "NCPU": 8, "MemTotal": 1024}`)
		e.Add(rig.Box("db", rig.Set(list, "HostConfig", "CpusetCpus")))
		got, err := opened[target.Machine](t, e.open(), "db").Machine(t.Context())
		if want := (target.Capacity{CPUs: want, Memory: 1024}); got != want || err != nil {
			t.Errorf("%q: %+v, %v, expected %+v", list, got, err, want)
		}
	}
}

// limited sets what the engine says of a container's limits.
func limited(l target.Limits, pids any) rig.Edit {
	return func(o rig.Object) {
		host := rig.At(o, "HostConfig")
		host["NanoCpus"], host["CpuQuota"], host["CpuPeriod"] = l.NanoCPUs, l.CPUQuota, l.CPUPeriod
		host["Memory"], host["MemorySwap"], host["PidsLimit"] = l.Memory, l.Swap, pids
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit rig.Edit
		want target.Limits
	}{
		"none":          {limited(target.Limits{}, nil), target.Limits{}},
		"none, of PIDs": {limited(target.Limits{}, 0), target.Limits{}},
		"taken away":    {limited(target.Limits{CPUQuota: -1, CPUPeriod: 100_000}, -1), target.Limits{CPUQuota: -1, CPUPeriod: 100_000, PIDs: -1}},
		"as recorded":   {rig.With(), target.Limits{Memory: 64 << 20, Swap: 128 << 20, PIDs: 50}},
		"processors":    {limited(target.Limits{NanoCPUs: 500_000_000}, nil), target.Limits{NanoCPUs: 500_000_000}},
		"a quota":       {limited(target.Limits{CPUQuota: 25_000, CPUPeriod: 50_000}, nil), target.Limits{CPUQuota: 25_000, CPUPeriod: 50_000}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("db", c.edit))
			got, err := opened[target.Limiter](t, e.open(), "db").Limits(t.Context())
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

// To the engine, 0 leaves a limit as it is, -1 takes it away, and what is not
// mentioned cannot fail: the engine refuses some limits that do not change anything.
func TestSetLimits(t *testing.T) {
	t.Parallel()
	const cpu = 500_000_000
	pids := func(n int64) *int64 { return &n }
	for name, c := range map[string]struct {
		now, to target.Limits
		want    container.Resources
	}{
		"nothing changes":               {target.Limits{}, target.Limits{}, container.Resources{}},
		"nothing changes, all are set":  {target.Limits{CPUQuota: 5, CPUPeriod: 6, PIDs: 7, Memory: 8, Swap: 9}, target.Limits{CPUQuota: 5, CPUPeriod: 6, PIDs: 7, Memory: 8, Swap: 9}, container.Resources{}},
		"processors":                    {target.Limits{}, target.Limits{NanoCPUs: cpu}, container.Resources{NanoCPUs: cpu}},
		"processors, though a quota is": {target.Limits{CPUQuota: 5, CPUPeriod: 6}, target.Limits{NanoCPUs: cpu}, container.Resources{NanoCPUs: cpu}},
		"a quota":                       {target.Limits{}, target.Limits{CPUQuota: 5, CPUPeriod: 6}, container.Resources{CPUQuota: 5, CPUPeriod: 6}},
		"a quota of the usual period":   {target.Limits{}, target.Limits{CPUQuota: 5}, container.Resources{CPUQuota: 5, CPUPeriod: 100_000}},
		"another period":                {target.Limits{CPUQuota: 5, CPUPeriod: 6}, target.Limits{CPUQuota: 5, CPUPeriod: 7}, container.Resources{CPUQuota: 5, CPUPeriod: 7}},
		"no quota":                      {target.Limits{CPUQuota: 5, CPUPeriod: 6}, target.Limits{}, container.Resources{CPUQuota: -1, CPUPeriod: 100_000}},
		"no quota, as it was written":   {target.Limits{CPUQuota: 5, CPUPeriod: 6}, target.Limits{CPUQuota: -1, CPUPeriod: 6}, container.Resources{CPUQuota: -1, CPUPeriod: 6}},
		"PIDs":                          {target.Limits{}, target.Limits{PIDs: 50}, container.Resources{PidsLimit: pids(50)}},
		"no PIDs":                       {target.Limits{PIDs: 50}, target.Limits{}, container.Resources{PidsLimit: pids(-1)}},
		"no PIDs, as it was written":    {target.Limits{PIDs: 50}, target.Limits{PIDs: -1}, container.Resources{PidsLimit: pids(-1)}},
		"memory":                        {target.Limits{}, target.Limits{Memory: 64 << 20, Swap: 128 << 20}, container.Resources{Memory: 64 << 20, MemorySwap: 128 << 20}},
		"memory stays":                  {target.Limits{Memory: 64 << 20, Swap: 128 << 20}, target.Limits{PIDs: 5}, container.Resources{PidsLimit: pids(5)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("db", limited(c.now, c.now.PIDs)))
			e.Answer("POST /containers/db/update", http.StatusOK, `{"Warnings":null}`)
			if err := opened[target.Limiter](t, e.open(), "db").SetLimits(t.Context(), c.to); err != nil {
				t.Fatal(err)
			}
			var got container.UpdateConfig
			decode(t, e.Questions("POST", "/containers/db/update")[0].Body, &got)
			if diff := cmp.Diff(container.UpdateConfig{Resources: c.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLimitsRefused(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("db"))
	l := opened[target.Limiter](t, e.open(), "db")
	e.Answer("POST /containers/db/update", http.StatusInternalServerError, `{"message":"Cannot update container db: Memory limit should be smaller than already set memoryswap limit"}`)
	if err := l.SetLimits(t.Context(), target.Limits{Memory: 1 << 40}); err == nil || !strings.HasPrefix(err.Error(), "set the limits of container db: ") || !strings.Contains(err.Error(), "memoryswap") {
		t.Error(err)
	}
	e.Remove("db")
	_, err := l.Limits(t.Context())
	for _, err := range []error{err, l.SetLimits(t.Context(), target.Limits{PIDs: 1})} {
		if !errors.Is(err, target.ErrGone) || !strings.HasPrefix(err.Error(), "read the limits of container db: it is gone") {
			t.Error(err)
		}
	}
}
