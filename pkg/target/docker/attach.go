package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/gameday-dev/gameday/internal/program"
	"github.com/gameday-dev/gameday/pkg/helper"
)

// helpers are the helpers that this process has started, each beside one life
// of a container: a restarted one has other namespaces.
type helpers struct {
	mu      sync.Mutex
	running map[beside]*companion
}

// beside is where a helper is.
type beside struct {
	container string
	started   string // of the container's life, in the engine's words
	power     helper.Power
}

// helper is one helper container, and the session with it.
type companion struct {
	id      string
	session *helper.Session
}

// grants are what a helper gets for a power: least of all, and no more.
func grants(power helper.Power, target string) (container.HostConfig, error) {
	host := container.HostConfig{
		NetworkMode: "none", CapDrop: []string{"ALL"}, ReadonlyRootfs: true, AutoRemove: true,
	}
	switch power {
	case helper.Network:
		host.NetworkMode = container.NetworkMode("container:" + target)
		host.CapAdd = []string{"NET_ADMIN"}
	case helper.Process:
		host.PidMode = container.PidMode("container:" + target)
		host.CapAdd = []string{"KILL"}
	case helper.Disk:
		host.PidMode = container.PidMode("container:" + target)
		host.CapAdd = []string{"SYS_PTRACE", "DAC_OVERRIDE"}
	case helper.Files:
		host.PidMode = container.PidMode("container:" + target)
		host.CapAdd = []string{"SYS_PTRACE", "DAC_OVERRIDE", "CHOWN", "FOWNER", "FSETID"}
	case helper.Mounts:
		host.PidMode = container.PidMode("container:" + target)
		host.CapAdd = []string{"SYS_ADMIN", "SYS_PTRACE", "SYS_CHROOT"}
	case helper.Host:
		host.PidMode = "host"
		host.CapAdd = []string{"KILL"}
	case helper.Kernel:
		host.CapAdd = []string{"NET_ADMIN"}
	default:
		return host, fmt.Errorf("unknown power %q of a helper", power)
	}
	return host, nil
}

// Attach puts a helper beside the container, or returns the one that is there
// already. It is kept until the environment is closed.
func (h *handle) Attach(ctx context.Context, power helper.Power) (*helper.Session, error) {
	seen, err := h.env.client.ContainerInspect(ctx, h.id)
	if err != nil {
		return nil, h.said("attach a helper to", err)
	}
	if !seen.State.Running {
		return nil, fmt.Errorf("attach a helper to container %.12s: it does not run", h.id)
	}
	return h.env.attach(ctx, beside{h.id, seen.State.StartedAt, power})
}

// Attached is the session with the helper of this process, if there is one
// beside the container's present life.
func (h *handle) Attached(ctx context.Context, power helper.Power) (*helper.Session, bool) {
	seen, err := h.env.client.ContainerInspect(ctx, h.id)
	if err != nil || !seen.State.Running {
		return nil, false
	}
	h.env.helpers.mu.Lock()
	defer h.env.helpers.mu.Unlock()
	found, ok := h.env.helpers.running[beside{h.id, seen.State.StartedAt, power}]
	if !ok || found.ended() {
		return nil, false
	}
	return found.session, true
}

// Supports tells, as an error, what the engine's kernel cannot do. The helper
// that finds it out runs alone.
func (h *handle) Supports(ctx context.Context, features helper.Features) error {
	h.env.features.Lock()
	defer h.env.features.Unlock()
	if err, known := h.env.supported[features]; known {
		return err
	}
	session, err := h.env.attach(ctx, beside{power: helper.Kernel})
	if err != nil {
		return err
	}
	_, err = session.Do(ctx, &features)
	if h.env.supported == nil {
		h.env.supported = map[helper.Features]error{}
	}
	if ctx.Err() == nil && !errors.Is(err, helper.ErrEnded) {
		h.env.supported[features] = err
	}
	return err
}

// Evict ends the helpers beside the container that another process has left:
// what they do is undone with them.
func (h *handle) Evict(ctx context.Context) error {
	list, err := h.env.client.ContainerList(ctx, container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", LabelHelper+"="+h.id)),
	})
	if err != nil {
		return fmt.Errorf("list helpers: %w", err)
	}
	mine := map[string]bool{}
	h.env.helpers.mu.Lock()
	for _, one := range h.env.helpers.running {
		mine[one.id] = true
	}
	h.env.helpers.mu.Unlock()
	var errs []error
	for _, c := range list {
		if !mine[c.ID] {
			errs = append(errs, h.env.evict(ctx, c.ID))
		}
	}
	return errors.Join(errs...)
}

// evict removes a helper and waits until it is gone.
func (e *Environment) evict(ctx context.Context, id string) error {
	gone, failed := e.client.ContainerWait(ctx, id, container.WaitConditionRemoved)
	err := e.client.ContainerRemove(ctx, id, container.RemoveOptions{Force: true})
	if errdefs.IsNotFound(err) {
		return nil
	}
	if err != nil && !errdefs.IsConflict(err) { // a removal that is under way is waited for
		return fmt.Errorf("remove helper %.12s: %w", id, err)
	}
	select {
	case <-gone:
		return nil
	case err := <-failed:
		if errdefs.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("remove helper %.12s: %w", id, err)
	}
}

// attach returns the helper of a place, and starts it if there is none.
func (e *Environment) attach(ctx context.Context, at beside) (*helper.Session, error) {
	e.helpers.mu.Lock()
	defer e.helpers.mu.Unlock()
	if found, ok := e.helpers.running[at]; ok && !found.ended() {
		return found.session, nil
	}
	started, err := e.startHelper(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("start a helper: %w", err)
	}
	if e.helpers.running == nil {
		e.helpers.running = map[beside]*companion{}
	}
	e.helpers.running[at] = started
	return started.session, nil
}

func (e *Environment) startHelper(ctx context.Context, at beside) (*companion, error) {
	host, err := grants(at.power, at.container)
	if err != nil {
		return nil, err
	}
	id, output, err := e.launch(ctx, program.Helper, cmp.Or(at.container, string(at.power)), &host)
	if err != nil {
		return nil, err
	}
	opening, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	session, err := helper.Open(opening, output)
	if err != nil {
		return nil, errors.Join(err, e.abandon(ctx, id))
	}
	return &companion{id: id, session: session}, nil
}

func (h *companion) ended() bool {
	select {
	case <-h.session.Ended():
		return true
	default:
		return false
	}
}

// dismissing is how long all helpers may take to go.
const dismissing = 20 * time.Second

// Dismiss ends all helpers of this process, and waits until their containers
// are gone. The end of ctx does not cut it off.
func (e *Environment) Dismiss(ctx context.Context) error {
	e.helpers.mu.Lock()
	defer e.helpers.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dismissing)
	defer cancel()
	var closing sync.WaitGroup
	errs := make(chan error, len(e.helpers.running))
	for _, one := range slices.Collect(maps.Values(e.helpers.running)) {
		closing.Go(func() {
			errs <- e.dismiss(ctx, one)
		})
	}
	closing.Wait()
	close(errs)
	e.helpers.running = nil
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// leaving is how long a helper may take to undo what it does before it is
// removed with force.
const leaving = 3 * time.Second

// dismiss lets a helper undo what it still does, and waits until it is gone.
func (e *Environment) dismiss(ctx context.Context, h *companion) error {
	return e.leave(ctx, h.id, h.session.Close)
}

// leave ends a helper by letting go of it, and waits until it is gone: in the end
// it is removed.
func (e *Environment) leave(ctx context.Context, id string, letGo func() error) error {
	patience, cancel := context.WithTimeout(ctx, leaving)
	defer cancel()
	gone, failed := e.client.ContainerWait(patience, id, container.WaitConditionRemoved)
	_ = letGo() // it may have ended by itself
	select {
	case <-gone:
		return nil
	case err := <-failed:
		_ = err // it was gone before, or its time is up
		return e.evict(ctx, id)
	}
}
