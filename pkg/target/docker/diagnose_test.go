package docker_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/program"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// An engine says what it is and how much room it has, and its clock is the one of this machine.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	d, err := b.Env.Diagnose(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(d.Engine, "Docker Engine ") || !strings.Contains(d.System, "kernel") || d.Address == "" || d.Outdated != "" {
		t.Errorf("%+v", d)
	}
	if d.Room.Path == "" || d.Room.Free == 0 && d.Room.Why == nil {
		t.Errorf("%+v", d.Room)
	}
	if !d.Ahead.Known || d.Ahead.Lo > d.Ahead.Hi {
		t.Errorf("%+v", d.Ahead)
	}
	if _, err := target.As[target.Attacher](d.Handle); err != nil {
		t.Error(err)
	}
}

// What the kernel can do is tried by helpers that are gone afterwards, also if nothing waits
// for the end.
func TestAbilitiesLeaveNothing(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	enginetest.Guard(t, "gameday.fence=gameday.doctor="+b.Label)
	images := func() (all []string) {
		list, err := b.Client.ImageList(context.WithoutCancel(t.Context()), image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", "gameday/helper"))})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			all = append(all, i.RepoTags...)
		}
		return all
	}
	nothing := func() {
		t.Helper()
		left, err := b.Client.ContainerList(context.WithoutCancel(t.Context()), container.ListOptions{
			All: true, Filters: filters.NewArgs(filters.Arg("label", "gameday.fence=gameday.doctor="+b.Label)),
		})
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	}
	before := images()
	features := []helper.Features{{Packets: true}, {Limit: true}, {Duplicate: true}, {Queue: true}, {Shape: true}, {Netem: true}}
	powers := []helper.Power{helper.Network, helper.Process, helper.Disk, helper.Files, helper.Mounts, helper.Host}
	found, err := b.Env.Abilities(t.Context(), features, powers)
	if err != nil {
		t.Fatal(err)
	}
	nothing()
	if len(found.Features) != len(features) || len(found.Powers) != len(powers) || found.Image == "" {
		t.Errorf("%+v", found)
	}
	for power, err := range found.Powers {
		if err != nil { // the faults of this package's tests need them all
			t.Errorf("%s: %v", power, err)
		}
	}
	if err := found.Features[helper.Features{Packets: true}]; err != nil {
		t.Error(err)
	}
	// Images of others may come and go meanwhile; former ones are not removed by it.
	if after := images(); len(before) > 0 && !slices.ContainsFunc(after, func(tag string) bool { return slices.Contains(before, tag) }) {
		t.Errorf("images were %v and are %v", before, after)
	}

	for _, after := range []time.Duration{time.Millisecond, 150 * time.Millisecond, 600 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		if _, err := b.Env.Abilities(ctx, features, powers); err == nil && ctx.Err() != nil {
			t.Log("it ended as it was done")
		}
		cancel()
		nothing()
	}
}

// Trying touches no component, and its helpers are none.
func TestAbilitiesTouchNoComponent(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	id := b.Start("no")
	all, err := b.Env.Find(t.Context(), target.Selector{})
	if err != nil || len(all) != 1 || all[0].ID != id {
		t.Fatalf("%v %v", all, err)
	}
	if _, err := b.Env.Abilities(t.Context(), nil, nil); err != nil {
		t.Error(err)
	}
	c, err := b.Env.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if seen, err := c.Look(t.Context()); err != nil || !seen.Up() {
		t.Errorf("%+v %v", seen, err)
	}
}

// What a killed doctor created and did not start is removed by the next one, but not while
// another one may still be about to start it.
func TestUnstartedHelpersOfADoctor(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	fence := "gameday.doctor=" + b.Label
	enginetest.Guard(t, "gameday.fence="+fence)
	image, err := b.Env.ProgramImage(t.Context(), program.Helper)
	if err != nil {
		t.Fatal(err)
	}
	created, err := b.Client.ContainerCreate(t.Context(), &container.Config{Image: image, Labels: map[string]string{docker.LabelHelper: "kernel", docker.LabelFence: fence}}, nil, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	there := func() bool {
		_, err := b.Client.ContainerInspect(t.Context(), created.ID)
		return err == nil
	}
	if _, err := b.Env.Abilities(t.Context(), nil, nil); err != nil || !there() {
		t.Errorf("a young one was removed (%v)", err)
	}
	if err := docker.RemoveUnstarted(t.Context(), b.Env, fence, time.Nanosecond); err != nil || there() {
		t.Errorf("an old one is still there (%v)", err)
	}
}
