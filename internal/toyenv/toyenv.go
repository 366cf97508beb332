// Package toyenv is the smallest environment that is complete: components are files
// in a folder, so that every process sees the same ones. Tests run whole game days in
// it, without an engine, through the same driver registry, lock, journal, guard and
// reports as in any other; some of them in a testing/synctest bubble.
package toyenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Kind is the driver's key in gameday.yaml.
const Kind = "toy"

// Settings are the driver's part of gameday.yaml.
type Settings struct {
	Dir string `json:"dir" yaml:"dir" jsonschema:"required" jsonschema_description:"The folder that holds the components."`
}

var _ target.Settings = (*Settings)(nil)

// Check implements [target.Settings].
func (s *Settings) Check(problem func(key, text string)) {
	if s.Dir == "" {
		problem("dir", "expected a folder")
	}
}

// Fence implements [target.Settings].
func (s *Settings) Fence() string { return "folder " + s.Dir }

// Pin implements [target.Settings].
func (s *Settings) Pin() (target.Settings, error) {
	dir, err := filepath.Abs(s.Dir)
	return &Settings{dir}, err
}

// Driver is the driver of toy environments.
func Driver() target.Driver {
	return target.Driver{
		Kind: Kind, Doc: "Components that are files, for tests.",
		New: func() target.Settings { return new(Settings) },
		Open: func(_ context.Context, settings target.Settings, options target.Options) (target.Site, error) {
			pinned, err := settings.Pin()
			if err != nil {
				return nil, err
			}
			return &Env{Dir: pinned.(*Settings).Dir, Options: options}, nil //nolint:forcetypeassert // Pin returns its own type
		},
	}
}

// Env is a toy environment. Its hooks are called in this process, before the effect;
// an error keeps the effect from happening.
type Env struct {
	Dir     string
	Options target.Options

	OnFind  func() error
	OnKill  func() error
	OnStart func() error

	Kills, Starts atomic.Int64 // ordered by this process
}

var (
	_ target.Site   = (*Env)(nil)
	_ target.Locker = (*Env)(nil)
)

// New makes an environment in a folder.
func New(dir string, components ...target.Component) (*Env, error) {
	e := &Env{Dir: dir}
	for _, c := range components {
		if err := e.Put(c); err != nil {
			return nil, err
		}
	}
	return e, nil
}

const suffix = ".component"

// Put makes a component what is given. An ID, a state and health that are not set are
// the name's, running and good.
func (e *Env) Put(c target.Component) error {
	if c.ID == "" {
		c.ID = c.Name
	}
	if c.State == "" {
		c.State, c.Healthy = target.Running, true
	}
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(e.Dir, c.Name+suffix), 0o600, data)
}

// Remove removes the component with a name.
func (e *Env) Remove(name string) error { return os.Remove(filepath.Join(e.Dir, name+suffix)) }

// ID implements [target.Site].
func (e *Env) ID() string { return "toy-" + e.Dir }

// Close implements [target.Site].
func (*Env) Close() error { return nil }

// String is the environment as an error names it.
func (*Env) String() string { return "a toy environment" }

// Find implements [target.Environment].
func (e *Env) Find(_ context.Context, s target.Selector) ([]target.Component, error) {
	if e.OnFind != nil {
		if err := e.OnFind(); err != nil {
			return nil, err
		}
	}
	found, err := e.All()
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(c target.Component) bool {
		return !s.Match(c) || s.Role != "" && !e.Options.Roles[s.Role].Among.Match(c)
	})
	if s.Role != "" && len(found) == 0 {
		return nil, fmt.Errorf("role %s: %w", s.Role, target.ErrNoRole)
	}
	return found, nil
}

// All are the components, by name, whatever the hooks say.
func (e *Env) All() ([]target.Component, error) {
	paths, err := filepath.Glob(filepath.Join(e.Dir, "*"+suffix))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var found []target.Component
	for _, path := range paths {
		c, err := e.read(path)
		if errors.Is(err, target.ErrGone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}

func (e *Env) read(path string) (c target.Component, err error) {
	data, err := os.ReadFile(path) //nolint:gosec // G304: the environment's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("component %s %w", strings.TrimSuffix(filepath.Base(path), suffix), target.ErrGone)
	}
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	for _, p := range e.Options.Protect {
		c.Protected = c.Protected || p.Match(c)
	}
	return c, err
}

// Open implements [target.Environment].
func (e *Env) Open(_ context.Context, id string) (target.Handle, error) {
	all, err := e.All()
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.ID == id {
			return &handle{e, c.Name, id}, nil
		}
	}
	return nil, fmt.Errorf("component %s %w", id, target.ErrGone)
}

// handle is one component.
type handle struct {
	env  *Env
	name string
	id   string
}

var (
	_ target.Killer  = (*handle)(nil)
	_ target.Starter = (*handle)(nil)
	_ target.Pauser  = (*handle)(nil)
)

// Look implements [target.Handle].
func (h *handle) Look(context.Context) (target.Component, error) {
	c, err := h.env.read(filepath.Join(h.env.Dir, h.name+suffix))
	if err == nil && c.ID != h.id {
		err = fmt.Errorf("component %s %w", h.id, target.ErrGone)
	}
	return c, err
}

func (h *handle) become(ctx context.Context, hook func() error, to target.State) error {
	if hook != nil {
		if err := hook(); err != nil {
			return err
		}
	}
	c, err := h.Look(ctx)
	if err != nil || c.State == to {
		return err
	}
	if c.State == target.Stopped {
		c.Started = time.Now()
	}
	c.State, c.Healthy = to, true
	return h.env.Put(c)
}

// Kill implements [target.Killer].
func (h *handle) Kill(ctx context.Context) error {
	h.env.Kills.Add(1)
	return h.become(ctx, h.env.OnKill, target.Stopped)
}

// Start implements [target.Starter].
func (h *handle) Start(ctx context.Context) error {
	h.env.Starts.Add(1)
	return h.become(ctx, h.env.OnStart, target.Running)
}

// Pause implements [target.Pauser].
func (h *handle) Pause(ctx context.Context) error { return h.become(ctx, nil, target.Paused) }

// Unpause implements [target.Pauser].
func (h *handle) Unpause(ctx context.Context) error { return h.become(ctx, nil, target.Running) }
