package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/pkg/target"
)

// labelRole is the label by which a component says which role it has.
const labelRole = "gameday.role"

// discover finds the compose projects that run on the engine of the surroundings.
func discover(ctx context.Context) (found []target.Discovered, err error) {
	e, err := Connect(ctx, &Config{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	all, err := e.client.ContainerList(ctx, container.ListOptions{}) // those that run
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	projects := map[string]map[string]*target.DiscoveredService{}
	for _, c := range all {
		project, service := c.Labels[labelProject], c.Labels[labelService]
		if project == "" || service == "" || isNoComponent(c.Labels) {
			continue
		}
		services := projects[project]
		if services == nil {
			services = map[string]*target.DiscoveredService{}
			projects[project] = services
		}
		s := services[service]
		if s == nil {
			s = &target.DiscoveredService{Name: service, Image: c.Image}
			services[service] = s
		}
		e.discovered(s, c)
	}
	for _, name := range slices.Sorted(maps.Keys(projects)) {
		d := target.Discovered{Name: name, Settings: &Config{Project: name}}
		for _, service := range slices.Sorted(maps.Keys(projects[name])) {
			d.Services = append(d.Services, *projects[name][service])
		}
		found = append(found, d)
	}
	return found, nil
}

// discovered adds a container to its service.
func (e *Engine) discovered(s *target.DiscoveredService, c container.Summary) {
	s.Components++
	if zone := c.Labels[LabelZone]; zone != "" && !slices.Contains(s.Zones, zone) {
		s.Zones = append(s.Zones, zone)
		slices.Sort(s.Zones)
	}
	if role := c.Labels[labelRole]; role != "" {
		if label := labelRole + "=" + role; !slices.Contains(s.Roles, label) {
			s.Roles = append(s.Roles, label)
		}
	}
	for _, p := range c.Ports {
		if p.PublicPort == 0 || p.Type != "tcp" {
			continue
		}
		at := net.JoinHostPort(e.publishedOn(p.IP), strconv.Itoa(int(p.PublicPort)))
		if !slices.Contains(s.Published, at) {
			s.Published = append(s.Published, at)
		}
	}
}

// publishedOn is the address at which this machine reaches a published port: the engine's
// machine, unless the port is published on an address of its own.
func (e *Engine) publishedOn(ip string) string {
	if ip != "" && ip != "0.0.0.0" && ip != "::" {
		return ip
	}
	if at, err := url.Parse(e.Host()); err == nil && at.Scheme == "tcp" && at.Hostname() != "" {
		return at.Hostname()
	}
	return "127.0.0.1"
}
