// Package docker is the environment of containers on a Docker engine. It is
// the only room that knows the engine's client.
//
// The fence is a compose project, or a set of labels: nothing outside of it is
// found or opened, and what carries the label gameday.protect=true, or is
// named under protect:, is marked so that nothing touches it.
package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"golang.org/x/sync/errgroup"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Labels that mean something to gameday, and those of compose that it reads.
const (
	LabelProtect = "gameday.protect" // true: never touched
	LabelZone    = "gameday.zone"    // the availability zone
	LabelHelper  = "gameday.helper"  // gameday's own helper, never a component: the id of the container beside it
	LabelFence   = "gameday.fence"   // of a helper: the compose project, or the labels, of its environment

	labelProject = "com.docker.compose.project"
	labelService = "com.docker.compose.service"
	labelOneOff  = "com.docker.compose.oneoff"
	labelNumber  = "com.docker.compose.container-number"
	labelDepends = "com.docker.compose.depends_on"
)

// Environment is an engine behind a fence.
type Environment struct {
	*Engine
	config  *Config
	options target.Options
	helpers helpers

	features  sync.Mutex // guards supported
	supported map[helper.Features]error
}

var (
	_ target.Site      = (*Environment)(nil)
	_ target.Watcher   = (*Environment)(nil)
	_ target.Locker    = (*Environment)(nil)
	_ target.Workers   = (*Environment)(nil)
	_ target.Dismisser = (*Environment)(nil)
	_ target.Versioned = (*Environment)(nil)
	_ target.Preparer  = (*Environment)(nil)
	_ target.Diagnoser = (*Environment)(nil)
)

// Open reaches the engine of an environment. The caller closes it.
func Open(ctx context.Context, config *Config, options target.Options) (*Environment, error) {
	if config.Project == "" && len(config.Labels) == 0 {
		return nil, errors.New("the environment has no fence: name a compose project, or labels")
	}
	engine, err := Connect(ctx, config)
	if err != nil {
		return nil, err
	}
	return &Environment{Engine: engine, config: config, options: options}, nil
}

// Close ends all helpers, and closes the connection to the engine.
func (e *Environment) Close() error {
	return errors.Join(e.Dismiss(context.Background()), e.Engine.Close()) //nolint:forbidigo // io.Closer has no context
}

// ID implements [target.Site]: the engine's own id, and the fence.
func (e *Environment) ID() string { return e.id + "-" + e.config.fenceName() }

// String is the environment as an error names it.
func (e *Environment) String() string { return "a Docker engine" }

// fence is the filter behind which everything happens.
func (e *Environment) fence() filters.Args {
	args := filters.NewArgs()
	if e.config.Project != "" {
		args.Add("label", labelProject+"="+e.config.Project)
	}
	for _, label := range e.config.Labels {
		args.Add("label", label)
	}
	return args
}

// Find implements [target.Environment].
func (e *Environment) Find(ctx context.Context, selector target.Selector) ([]target.Component, error) {
	all, err := e.all(ctx)
	if err != nil {
		return nil, err
	}
	if selector.Role != "" {
		if all, err = e.holders(ctx, selector.Role, all); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(all, func(c target.Component) bool { return !selector.Match(c) }), nil
}

// maxInspected is how many containers are inspected at a time.
const maxInspected = 8

// all are the components inside the fence, by name.
func (e *Environment) all(ctx context.Context) ([]target.Component, error) {
	list, err := e.client.ContainerList(ctx, container.ListOptions{All: true, Filters: e.fence()})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	list = slices.DeleteFunc(list, func(c container.Summary) bool { return isNoComponent(c.Labels) })
	found, err := e.inspectAll(ctx, list)
	if err != nil {
		return nil, err
	}
	components := make([]target.Component, len(found))
	for i, r := range found {
		components[i] = e.component(r)
		if components[i].Joined, err = e.joinedBy(ctx, r, found); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(components, func(a, b target.Component) int { return strings.Compare(a.Name, b.Name) })
	return components, nil
}

// isNoComponent tells helpers, and what compose runs once, by their labels.
func isNoComponent(labels map[string]string) bool {
	return labels[LabelHelper] != "" || strings.EqualFold(labels[labelOneOff], "true")
}

// inspectAll inspects containers, some at a time. Those that are gone meanwhile are left out.
func (e *Environment) inspectAll(ctx context.Context, list []container.Summary) ([]container.InspectResponse, error) {
	found := make([]container.InspectResponse, len(list))
	inspecting, inspectCtx := errgroup.WithContext(ctx)
	inspecting.SetLimit(maxInspected)
	for i, one := range list {
		inspecting.Go(func() error {
			r, err := e.inspect(inspectCtx, one.ID)
			if errors.Is(err, target.ErrGone) {
				return nil
			}
			found[i] = r
			return err
		})
	}
	err := inspecting.Wait()
	return slices.DeleteFunc(found, func(r container.InspectResponse) bool { return r.ContainerJSONBase == nil }), err
}

// look is one component as it is now.
func (e *Environment) look(ctx context.Context, id string) (target.Component, error) {
	r, err := e.inspect(ctx, id)
	if err != nil {
		return target.Component{}, err
	}
	c := e.component(r)
	c.Joined, err = e.joinedBy(ctx, r, nil)
	return c, err
}

func (e *Environment) inspect(ctx context.Context, id string) (container.InspectResponse, error) {
	r, err := e.client.ContainerInspect(ctx, id)
	switch {
	case errdefs.IsNotFound(err):
		err = fmt.Errorf("container %.12s %w", id, target.ErrGone)
	case err != nil:
		err = fmt.Errorf("inspect container %.12s: %w", id, err)
	}
	return r, err
}

func (e *Environment) component(r container.InspectResponse) target.Component {
	labels := r.Config.Labels
	c := target.Component{
		ID:        r.ID,
		Name:      strings.TrimPrefix(r.Name, "/"),
		Service:   labels[labelService],
		Zone:      labels[LabelZone],
		Labels:    labels,
		DependsOn: dependencies(labels[labelDepends]),
		State:     stateOf(r.State),
		Healthy:   healthy(r.State.Health),
		Checking:  r.State.Health != nil && r.State.Health.Status == container.Starting,
		Restart:   string(r.HostConfig.RestartPolicy.Name),
		Restarts:  r.RestartCount,
		Protected: labels[LabelProtect] == "true",
		Vanishes:  r.HostConfig.AutoRemove,
	}
	c.Identity = c.Name
	if c.Service != "" {
		c.Identity = c.Service + "/" + cmp.Or(labels[labelNumber], "1")
	}
	c.Started, _ = time.Parse(time.RFC3339Nano, r.State.StartedAt) // zero where it never started
	c.Networks, c.Published = networksOf(r), publishedBy(r)
	for _, s := range e.options.Protect {
		c.Protected = c.Protected || s.Match(c)
	}
	return c
}

// dependencies are the services that compose's label names, as
// db:service_healthy:false,cache:service_started:true or, by older versions, as
// db,cache.
func dependencies(label string) []string {
	var services []string
	for one := range strings.SplitSeq(label, ",") {
		service, _, _ := strings.Cut(one, ":")
		if service = strings.TrimSpace(service); service != "" && !slices.Contains(services, service) {
			services = append(services, service)
		}
	}
	return services
}

// healthy is false only if a health check says so, or has not said anything yet.
func healthy(h *container.Health) bool {
	return h == nil || h.Status != container.Starting && h.Status != container.Unhealthy
}

func stateOf(s *container.State) target.State {
	switch {
	case s.Paused:
		return target.Paused
	case s.Restarting:
		return target.Restarting
	case s.Running:
		return target.Running
	}
	return target.Stopped
}

// Open implements [target.Environment].
func (e *Environment) Open(ctx context.Context, id string) (target.Handle, error) {
	response, err := e.client.ContainerInspect(ctx, id)
	if errdefs.IsNotFound(err) {
		return nil, fmt.Errorf("container %.12s %w", id, target.ErrGone)
	}
	if err != nil {
		return nil, fmt.Errorf("open container %.12s: %w", id, err)
	}
	if !e.inside(response.Config.Labels) {
		return nil, fmt.Errorf("container %s lies outside the fence (%s)", strings.TrimPrefix(response.Name, "/"), e.config.Fence())
	}
	return &handle{env: e, id: response.ID}, nil
}

// inside reports whether labels are those of the fence.
func (e *Environment) inside(labels map[string]string) bool {
	c := e.config
	if c.Project != "" && labels[labelProject] != c.Project {
		return false
	}
	return !slices.ContainsFunc(c.Labels, func(l string) bool {
		return !target.Selector{Label: l}.Match(target.Component{Labels: labels})
	})
}
