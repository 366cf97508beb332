package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/gameday-dev/gameday/internal/program"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
)

// labelHolder is the label of a lock that says who holds it, as JSON.
const labelHolder = "gameday.holder"

// lockName is the name of the container that is the lock of a fence. An engine
// gives a name to one container at a time: that is what makes it a lock.
func (e *Environment) lockName() string {
	sum := sha256.Sum256([]byte(e.config.fenceName()))
	return "gameday-lock-" + hex.EncodeToString(sum[:6])
}

// Lock implements [target.Locker] by a helper without any power, whose name is
// made of the fence. All who hold the lock renew its lease; when the last of
// them has died, it ends within [helper.Lease], and the engine removes it.
func (e *Environment) Lock(ctx context.Context, holder journal.Holder) (target.Hold, error) {
	label, err := json.Marshal(holder)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", holder.Environment, err)
	}
	for {
		id, err := e.createLock(ctx, string(label))
		if errdefs.IsConflict(err) {
			id, err = e.heldLock(ctx, holder)
		}
		switch {
		case errors.Is(err, target.ErrGone):
			continue // it ended while it was looked at
		case err != nil:
			return nil, err
		}
		hold, err := e.joinLock(ctx, id)
		if errors.Is(err, target.ErrGone) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", holder.Environment, err)
		}
		return hold, nil
	}
}

// createLock creates and starts the container.
func (e *Environment) createLock(ctx context.Context, holder string) (id string, err error) {
	id, err = e.createProgram(ctx, program.Helper, &container.Config{
		Cmd: []string{helper.CommandServe}, OpenStdin: true,
		Labels: map[string]string{LabelHelper: "lock", LabelFence: e.config.fenceName(), labelHolder: holder},
	}, &container.HostConfig{
		NetworkMode: "none", CapDrop: []string{"ALL"}, ReadonlyRootfs: true, AutoRemove: true,
	}, e.lockName())
	if err != nil {
		return "", fmt.Errorf("create the lock: %w", err)
	}
	if err := e.client.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		return "", errors.Join(fmt.Errorf("start the lock: %w", err), e.abandon(ctx, id))
	}
	return id, nil
}

// creating is how long a lock may exist before it runs: its creator starts
// it at once, or has died.
const creating = 5 * time.Second

// heldLock is the lock that is there. It is a [journal.BusyError] if it is held
// for another run than the holder's.
func (e *Environment) heldLock(ctx context.Context, holder journal.Holder) (id string, err error) {
	deadline := time.Now().Add(creating)
	for {
		seen, err := e.client.ContainerInspect(ctx, e.lockName())
		if errdefs.IsNotFound(err) {
			return "", target.ErrGone
		}
		if err != nil {
			return "", fmt.Errorf("look at the lock: %w", err)
		}
		busy := &journal.BusyError{Environment: holder.Environment}
		_ = json.Unmarshal([]byte(seen.Config.Labels[labelHolder]), &busy.Holder) // without a holder it is a lock, too
		switch {
		case seen.State.Running && busy.Holder.Run == holder.Run:
			return seen.ID, nil
		case seen.State.Running:
			return "", busy
		case time.Now().After(deadline):
			// Its maker died before it started, or the engine before it was removed.
			return "", errors.Join(target.ErrGone, e.evict(ctx, seen.ID))
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// hold is a lock that this process holds, perhaps not alone.
type hold struct {
	env  *Environment
	id   string
	lost chan struct{}
	end  func() // of the renewing
	done sync.WaitGroup
}

// joinLock renews the lease of the lock from now on.
func (e *Environment) joinLock(ctx context.Context, id string) (*hold, error) {
	attached, err := e.client.ContainerAttach(ctx, id, container.AttachOptions{Stream: true, Stdin: true, Stdout: true})
	if errdefs.IsNotFound(err) || errdefs.IsConflict(err) {
		return nil, target.ErrGone
	}
	if err != nil {
		return nil, err
	}
	renewing, end := context.WithCancel(context.WithoutCancel(ctx))
	h := &hold{env: e, id: id, lost: make(chan struct{}), end: func() { end(); attached.Close() }}
	h.done.Go(func() {
		defer close(h.lost)
		_, _ = io.Copy(io.Discard, attached.Reader) // until the container ends
		end()
	})
	h.done.Go(func() { renew(renewing, attached.Conn) })
	return h, nil
}

// renew renews a lease until ctx ends.
func renew(ctx context.Context, to io.Writer) {
	line, err := json.Marshal(helper.Request{ID: 1, Op: helper.OpRenew})
	if err != nil {
		return
	}
	ticker := time.NewTicker(helper.Lease / 4)
	defer ticker.Stop()
	for {
		if _, err := to.Write(append(line, '\n')); err != nil {
			return // the lock has ended, and the reader tells
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Lost implements [target.Hold].
func (h *hold) Lost() <-chan struct{} { return h.lost }

// Release implements [target.Hold].
func (h *hold) Release(ctx context.Context) error {
	h.end()
	h.done.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dismissing)
	defer cancel()
	return errors.Join(h.env.removeUnstarted(ctx, 0), h.env.evict(ctx, h.id))
}

// removeUnstarted removes the helpers of the fence that were created and never started:
// the process that created them was killed in between, and a container that never ran
// is not removed by itself. A caller that does not hold the lock gives an age, as a younger
// one may be about to start.
func (e *Environment) removeUnstarted(ctx context.Context, age time.Duration) error {
	list, err := e.client.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(
		filters.Arg("label", LabelHelper), filters.Arg("label", LabelFence+"="+e.config.fenceName()), filters.Arg("status", container.StateCreated),
	)})
	if err != nil {
		return fmt.Errorf("list helpers: %w", err)
	}
	var errs []error
	for _, c := range list {
		if age == 0 || time.Since(time.Unix(c.Created, 0)) >= age { // clocks differ: no age is any age
			errs = append(errs, e.evict(ctx, c.ID))
		}
	}
	return errors.Join(errs...)
}
