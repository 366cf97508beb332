package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
)

// ProjectState counts what there is of a compose project.
type ProjectState struct {
	Containers, Running, Networks, Volumes int

	With string // the variant of a lab, as a label of its network has it
}

// Empty reports whether there is nothing of it.
func (s ProjectState) Empty() bool { return s.Containers+s.Networks+s.Volumes == 0 }

// LabelWith is the label of a lab's network that names its variant.
const LabelWith = "gameday.with"

// project is what there is of a compose project.
type project struct {
	containers []container.Summary
	networks   []network.Summary
	volumes    []*volume.Volume
}

func (e *Engine) project(ctx context.Context, name string) (p project, err error) {
	filter := filters.NewArgs(filters.Arg("label", labelProject+"="+name))
	if p.containers, err = e.client.ContainerList(ctx, container.ListOptions{All: true, Filters: filter}); err != nil {
		return p, fmt.Errorf("list containers: %w", err)
	}
	if p.networks, err = e.client.NetworkList(ctx, network.ListOptions{Filters: filter}); err != nil {
		return p, fmt.Errorf("list networks: %w", err)
	}
	volumes, err := e.client.VolumeList(ctx, volume.ListOptions{Filters: filter})
	if err != nil {
		return p, fmt.Errorf("list volumes: %w", err)
	}
	p.volumes = volumes.Volumes
	return p, nil
}

// Project counts what there is of a compose project.
func (e *Engine) Project(ctx context.Context, name string) (ProjectState, error) {
	p, err := e.project(ctx, name)
	s := ProjectState{Containers: len(p.containers), Networks: len(p.networks), Volumes: len(p.volumes)}
	for _, c := range p.containers {
		if c.State == container.StateRunning {
			s.Running++
		}
	}
	for _, n := range p.networks {
		s.With = cmp.Or(s.With, n.Labels[LabelWith]) // a lab may have networks without it
	}
	return s, err
}

// RemoveProject removes the containers, networks and volumes of a compose
// project, and looks again until two looks in a row find nothing: another process may
// still be starting it. No other project is touched.
func (e *Engine) RemoveProject(ctx context.Context, name string) error {
	for clean := 0; clean < 2; {
		p, err := e.project(ctx, name)
		if err != nil {
			return err
		}
		if len(p.containers)+len(p.networks)+len(p.volumes) == 0 {
			if clean++; clean == 2 {
				return nil
			}
		} else {
			clean = 0
			if err := e.remove(ctx, p); err != nil {
				return fmt.Errorf("remove compose project %s: %w", name, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("remove compose project %s: %w", name, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

func (e *Engine) remove(ctx context.Context, p project) error {
	var errs []error
	add := func(err error) {
		// What is gone already, or going, is as it should be.
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
			errs = append(errs, err)
		}
	}
	for _, c := range p.containers {
		add(e.client.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true}))
	}
	for _, n := range p.networks {
		add(e.client.NetworkRemove(ctx, n.ID))
	}
	for _, v := range p.volumes {
		add(e.client.VolumeRemove(ctx, v.Name, true))
	}
	return errors.Join(errs...)
}
