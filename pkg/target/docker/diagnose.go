package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/versions"

	"github.com/gameday-dev/gameday/internal/disk"
	"github.com/gameday-dev/gameday/internal/program"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// oldestAPI is that of Docker 20.10, the oldest engine that gameday is tested with.
const oldestAPI = "1.41"

// clockAsked is how often the engine's clock is asked: the bounds of all answers are intersected.
const clockAsked = 3

// Diagnose implements [target.Diagnoser].
func (e *Environment) Diagnose(ctx context.Context) (target.Diagnosis, error) {
	var d target.Diagnosis
	var info system.Info
	for range clockAsked {
		asked := time.Now()
		seen, err := e.client.Info(ctx)
		if err != nil {
			return d, unreachable(e.Host(), err)
		}
		answered := time.Now()
		info = seen
		if at, err := time.Parse(time.RFC3339Nano, seen.SystemTime); err == nil {
			d.Ahead = d.Ahead.Within(target.Bounds{Lo: at.Sub(answered), Hi: at.Sub(asked), Known: true})
		}
	}
	api := e.client.ClientVersion() // as it was negotiated
	d.Engine = fmt.Sprintf("Docker Engine %s, API %s", info.ServerVersion, api)
	if versions.LessThan(api, oldestAPI) {
		d.Outdated = "Docker Engine 20.10 or newer (API " + oldestAPI + ")"
	}
	d.System = fmt.Sprintf("%s, kernel %s, %s/%s, cgroup v%s", info.OperatingSystem, info.KernelVersion, info.OSType, e.arch, info.CgroupVersion)
	d.Address = e.Host()
	d.Limits = target.Limitable{CPU: info.CPUCfsQuota, Memory: info.MemoryLimit, PIDs: info.PidsLimit}
	d.Room = room(e.Host(), info)
	d.Handle = &handle{env: e}
	return d, nil
}

// room is the free disk of an engine that runs on this machine. A socket may be forwarded
// from another one, whose folders are not ours.
func room(host string, info system.Info) target.Room {
	r := target.Room{Path: info.DockerRootDir}
	name, err := os.Hostname()
	if !strings.HasPrefix(host, "unix://") || err != nil || name != info.Name {
		r.Why = fmt.Errorf("the engine runs on another machine (%s): look there with df %s", info.Name, info.DockerRootDir)
		return r
	}
	r.Free, r.Why = disk.Free(info.DockerRootDir)
	return r
}

// Abilities implements [target.Diagnoser]. Its helpers have a fence of their own, so that no
// run in the same environment takes them for helpers that were left behind.
func (e *Environment) Abilities(ctx context.Context, features []helper.Features, powers []helper.Power) (found target.Abilities, err error) {
	own := &Environment{Engine: e.Engine, config: &Config{Labels: []string{"gameday.doctor=" + e.config.fenceName()}}}
	if err := own.removeUnstarted(ctx, createFor); err != nil { // of one that was killed
		return found, err
	}
	image, giveBack, err := e.borrowHelper(ctx)
	if err != nil {
		return found, err
	}
	found.Image = image
	defer func() { err = errors.Join(err, own.Dismiss(ctx), giveBack(ctx)) }()
	kernel := beside{power: helper.Kernel}
	session, err := own.attach(ctx, kernel)
	if err != nil {
		return found, err
	}
	found.Features = map[helper.Features]error{}
	for _, f := range features {
		_, err := session.Do(ctx, &f)
		if errors.Is(err, helper.ErrEnded) || ctx.Err() != nil {
			return found, errors.Join(fmt.Errorf("try what the kernel can do: %w", err), ctx.Err())
		}
		found.Features[f] = err
	}
	found.Powers, err = own.tryPowers(ctx, own.helpers.running[kernel].id, powers)
	return found, err
}

// tryPowers starts helpers with powers beside a container, and says which do not start.
func (e *Environment) tryPowers(ctx context.Context, id string, powers []helper.Power) (map[helper.Power]error, error) {
	var mu sync.Mutex
	started, refused := map[beside]*companion{}, map[helper.Power]error{}
	var starting sync.WaitGroup
	for _, power := range powers {
		at := beside{container: id, power: power}
		if power == helper.Host || power == helper.Kernel {
			at.container = ""
		}
		starting.Go(func() {
			c, err := e.startHelper(ctx, at)
			mu.Lock()
			defer mu.Unlock()
			refused[power] = err
			if err == nil {
				started[at] = c
			}
		})
	}
	starting.Wait()
	e.helpers.mu.Lock()
	maps.Copy(e.helpers.running, started)
	e.helpers.mu.Unlock()
	for _, err := range refused {
		if ctx.Err() != nil || errdefs.IsNotFound(err) {
			return refused, fmt.Errorf("try what helpers may do: %w", err)
		}
	}
	return refused, nil
}

// borrowHelper makes the helpers' image if it is not there, and then takes it away again
// afterwards, unless something else uses it by then. Other images are left alone.
func (e *Engine) borrowHelper(ctx context.Context) (text string, giveBack func(context.Context) error, err error) {
	nothing := func(context.Context) error { return nil }
	e.loading.Lock()
	defer e.loading.Unlock()
	if given := os.Getenv(HelperImage); given != "" {
		found, err := e.HasImage(ctx, given)
		if err == nil && !found {
			err = fmt.Errorf("image %s of %s is not on the engine: docker pull %[1]s", given, HelperImage)
		}
		if err != nil {
			return "", nothing, err
		}
		e.programs[program.Helper] = given
		return given + ", named by " + HelperImage, nothing, nil
	}
	began := time.Now()
	binary, reference, err := e.program(ctx, program.Helper)
	if err != nil {
		return "", nothing, err
	}
	found, err := e.HasImage(ctx, reference)
	if err != nil {
		return "", nothing, err
	}
	if !found {
		if err := e.load(ctx, program.Helper, binary, reference); err != nil {
			return "", nothing, err
		}
	}
	e.programs[program.Helper] = reference
	if found {
		return reference + ", on the engine", nothing, nil
	}
	text = fmt.Sprintf("%s, not on the engine yet: the first run makes it (took %v)", reference, time.Since(began).Round(10*time.Millisecond))
	return text, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dismissing)
		defer cancel()
		e.forget(program.Helper)
		_, err := e.client.ImageRemove(ctx, reference, image.RemoveOptions{PruneChildren: true})
		if err != nil && !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
			return fmt.Errorf("remove image %s: %w", reference, err)
		}
		return nil
	}, nil
}
