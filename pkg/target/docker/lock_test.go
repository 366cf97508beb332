package docker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/program"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// user is somebody else's process: an environment of its own behind the bed's fence.
func user(t *testing.T, bed *enginetest.Bed, host string) *docker.Environment {
	t.Helper()
	env, err := docker.Open(t.Context(), &docker.Config{Host: host, Labels: []string{bed.Label}}, target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Close() })
	return env
}

// locks are the ids of the bed's locks on the engine.
func locks(t *testing.T, bed *enginetest.Bed) (ids []string) {
	t.Helper()
	all, err := bed.Client.ContainerList(t.Context(), container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", docker.LabelHelper+"=lock"), filters.Arg("label", docker.LabelFence+"="+bed.Label)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	return ids
}

func lost(h target.Hold) bool {
	select {
	case <-h.Lost():
		return true
	default:
		return false
	}
}

// One run holds an environment: the next one is refused and learns who holds it, the
// run's guard joins it, and it is free once it was released.
func TestTheEngineHoldsTheLock(t *testing.T) {
	t.Parallel()
	bed := enginetest.New(t)
	holder := journal.Holder{Run: "first", Environment: "staging", User: "ann", Host: "here", PID: 42, Since: time.Now().UTC()}
	first, err := user(t, bed, "").Lock(t.Context(), holder)
	if err != nil {
		t.Fatal(err)
	}
	second := user(t, bed, "")
	_, err = second.Lock(t.Context(), journal.Holder{Run: "second", Environment: "prod-like"})
	var busy *journal.BusyError
	if !errors.As(err, &busy) || busy.Holder != holder || !strings.Contains(err.Error(), "environment prod-like is in use by run first of ann@here (process 42)") {
		t.Errorf("%v", err)
	}
	guard, err := user(t, bed, "").Lock(t.Context(), holder)
	if err != nil || len(locks(t, bed)) != 1 {
		t.Fatalf("the guard: %v, %d locks", err, len(locks(t, bed)))
	}
	if lost(first) || lost(guard) {
		t.Error("lost")
	}
	seen := bed.Inspect(locks(t, bed)[0])
	if len(seen.HostConfig.CapAdd) > 0 || seen.HostConfig.NetworkMode != "none" || !seen.HostConfig.ReadonlyRootfs {
		t.Errorf("the lock has more power than it needs: %+v", seen.HostConfig)
	}
	if found, err := second.Find(t.Context(), target.Selector{}); err != nil || len(found) > 0 {
		t.Errorf("the lock is taken for a component: %v %v", found, err)
	}
	if err := errors.Join(guard.Release(t.Context()), first.Release(t.Context())); err != nil || len(locks(t, bed)) != 0 {
		t.Errorf("%v, %d locks", err, len(locks(t, bed)))
	}
	next, err := second.Lock(t.Context(), journal.Holder{Run: "second", Environment: "staging"})
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// A holder whose machine is gone frees the lock within the lease; while one of two
// holders renews it, it stays.
func TestALockIsLeased(t *testing.T) {
	t.Parallel()
	bed := enginetest.New(t)
	run, guard := enginetest.NewWire(t), enginetest.NewWire(t)
	holder := journal.Holder{Run: "first", Environment: "staging"}
	held, err := user(t, bed, run.Address).Lock(t.Context(), holder)
	if err != nil {
		t.Fatal(err)
	}
	joined, err := user(t, bed, guard.Address).Lock(t.Context(), holder)
	if err != nil {
		t.Fatal(err)
	}
	run.Cut()
	<-held.Lost()
	other := user(t, bed, "")
	for began := time.Now(); time.Since(began) < helper.Lease+3*time.Second; <-time.After(time.Second) {
		if _, err := other.Lock(t.Context(), journal.Holder{Run: "second"}); err == nil || lost(joined) {
			t.Fatalf("the lock was free %v after one of two holders was gone: %v", time.Since(began), err)
		}
	}
	cut := time.Now()
	guard.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), helper.Lease+10*time.Second)
	defer cancel()
	var next target.Hold
	bed.Eventually("the lock is free", func() bool {
		next, err = other.Lock(ctx, journal.Holder{Run: "second"})
		return err == nil
	})
	// A run waits so long for a dead one's lock: its lease, and what a busy engine takes to
	// remove a container.
	if took := time.Since(cut); took > helper.Lease+5*time.Second {
		t.Errorf("free after %v, expected within the lease of %v and 5s", took, helper.Lease)
	}
	if err := next.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// Who holds a lock learns that somebody has removed it.
func TestARemovedLockIsLost(t *testing.T) {
	t.Parallel()
	bed := enginetest.New(t)
	held, err := user(t, bed, "").Lock(t.Context(), journal.Holder{Run: "first"})
	if err != nil {
		t.Fatal(err)
	}
	bed.Remove(locks(t, bed)[0])
	select {
	case <-held.Lost():
	case <-time.After(enginetest.Soon):
		t.Error("not told")
	}
	if err := held.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// unstarted creates a container of the helper's image, as a process does that is killed
// before it starts it.
func unstarted(t *testing.T, bed *enginetest.Bed, env *docker.Environment, labels map[string]string, name string) string {
	t.Helper()
	image, err := env.ProgramImage(t.Context(), program.Helper)
	if err != nil {
		t.Fatal(err)
	}
	created, err := bed.Client.ContainerCreate(t.Context(), &container.Config{Image: image, Labels: labels},
		&container.HostConfig{AutoRemove: true}, nil, nil, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bed.Remove(created.ID) })
	return created.ID
}

// A lock whose maker died before it started is no obstacle for long.
func TestALockThatNeverStarted(t *testing.T) {
	t.Parallel()
	bed := enginetest.New(t)
	env := user(t, bed, "")
	held, err := env.Lock(t.Context(), journal.Holder{Run: "first"})
	if err != nil {
		t.Fatal(err)
	}
	name := bed.Inspect(locks(t, bed)[0]).Name
	if err := held.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	unstarted(t, bed, env, map[string]string{docker.LabelHelper: "lock", docker.LabelFence: bed.Label}, strings.TrimPrefix(name, "/"))
	next, err := env.Lock(t.Context(), journal.Holder{Run: "second"})
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// A helper that was created and never started, because its process was killed in
// between, goes with the lock of its run or of the run's guard.
func TestAHelperThatNeverStarted(t *testing.T) {
	t.Parallel()
	bed := enginetest.New(t)
	env := user(t, bed, "")
	held, err := env.Lock(t.Context(), journal.Holder{Run: "first"})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, fence := range []string{bed.Label, bed.Label + "0"} {
		ids[fence] = unstarted(t, bed, env, map[string]string{docker.LabelHelper: "load", docker.LabelFence: fence}, "")
	}
	if err := held.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := bed.Client.ContainerInspect(t.Context(), ids[bed.Label]); !errdefs.IsNotFound(err) {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := bed.Client.ContainerInspect(t.Context(), ids[bed.Label+"0"]); err != nil {
		t.Errorf("one of another fence was touched: %v", err)
	}
}
