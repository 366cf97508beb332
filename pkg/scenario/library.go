package scenario

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/gameday-dev/gameday/internal/kind"
	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Library finds files by name: a user's own first, then the bundled ones.
type Library struct {
	Scenarios fs.FS         // bundled scenarios, NAME.yaml
	Labs      fs.FS         // bundled labs, NAME/gameday.yaml and NAME/journeys/*.yaml
	Dir       string        // where to look for the user's own: gameday.yaml is searched from here upwards
	Kinds     kind.Set[any] // of faults
	Drivers   target.Drivers
	Receivers Receiver // checks the addresses of notices; nil lets all pass
	Reading   *Reading // one reading of all; nil reads each file whenever it is asked for
}

// Bundled are the names of the bundled scenarios.
func (l Library) Bundled() []string {
	paths, _ := fs.Glob(l.Scenarios, "*.yaml") // the pattern is a good one
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(p, ".yaml")
	}
	return paths
}

// Scenario finds a scenario: a path where the name looks like one, else
// scenarios/NAME.yaml below the user's folder or beside the nearest gameday.yaml, else a
// bundled one.
func (l Library) Scenario(name string, overrides ...Override) (Scenario, error) {
	file, data, err := l.find(name)
	if err != nil {
		return Scenario{}, err
	}
	return Load(file, data, l.Kinds, overrides...)
}

func (l Library) find(name string) (file string, data []byte, err error) {
	if strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") {
		data, err = l.read(filepath.Join(l.base(name), name))
		if err != nil {
			return name, nil, fmt.Errorf("read scenario: %w; check the path, or give a name without .yaml", err)
		}
		return name, data, nil
	}
	own, data, err := l.own(name)
	if !absent(err) {
		if err != nil {
			err = fmt.Errorf("read scenario: %w", err)
		}
		return own, data, err
	}
	bundled := name + ".yaml"
	if data, err = fs.ReadFile(l.Scenarios, bundled); err == nil {
		return path.Join("scenarios", bundled), data, nil
	}
	return "", nil, fmt.Errorf("there is no scenario %q, neither as %s nor bundled: %s",
		name, own, strictyaml.Suggest(name, l.Names()))
}

// absent reports whether an error of reading says that there is no such file.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// base is the folder that a relative path starts from.
func (l Library) base(name string) string {
	if filepath.IsAbs(name) {
		return ""
	}
	return l.Dir
}

// Environment finds the environment of a name: that of a lab, or one of the
// nearest gameday.yaml.
func (l Library) Environment(name string) (Environment, error) {
	if lab, ok := target.LabOf(name); ok {
		env, err := l.lab(lab.Name)
		env.Name = name
		return env, err
	}
	all, file, err := l.declared()
	if err != nil {
		return Environment{}, err
	}
	if file == "" {
		return Environment{}, fmt.Errorf("environment %q: there is no %s in this folder or its parents: run gameday init, or use a bundled lab, for example lab/checkout", name, EnvironmentFile)
	}
	return pick(all, name, file)
}

// Connected is an environment for a run: with the content of the files that it names.
func (l Library) Connected(name string) (Environment, error) {
	env, err := l.Environment(name)
	if err != nil {
		return env, err
	}
	if lab, ok := target.LabOf(name); ok {
		return env, env.ReadFiles(func(file string) ([]byte, error) { return fs.ReadFile(l.Labs, path.Join(lab.Name, file)) })
	}
	declared, err := l.environmentFile()
	if err != nil {
		return env, err
	}
	return env, env.ReadFiles(l.Beside(declared))
}

// Known checks that there is an environment, or a lab, of a name. The error names all. The
// weaknesses of a lab are not checked.
func (l Library) Known(name string) error {
	known := l.LabNames()
	if lab, ok := target.LabOf(name); ok && slices.Contains(known, lab.Name) {
		return nil
	}
	declared, err := l.Environments()
	if err != nil {
		return err
	}
	for i := range known {
		known[i] = target.LabPrefix + known[i]
	}
	known = append(known, slices.Sorted(maps.Keys(declared))...)
	if slices.Contains(known, name) {
		return nil
	}
	near := ""
	if word := strictyaml.Nearest(name, known); word != "" {
		near = fmt.Sprintf(": did you mean %q?", word)
	}
	return fmt.Errorf("found environment %q, expected one of %s%s", plaintext.OneLine(name, 100), strings.Join(known, ", "), near)
}

// Environments are those of the nearest gameday.yaml; none if there is no such file.
func (l Library) Environments() (map[string]Environment, error) {
	all, _, err := l.declared()
	return all.Environments, err
}

// load reads the nearest gameday.yaml; see [Library.declared].
func (l Library) load() (all Environments, file string, err error) {
	file, err = l.environmentFile()
	if err != nil || file == "" {
		return all, "", err
	}
	data, err := l.read(file)
	if err != nil {
		return all, file, fmt.Errorf("read environments: %w", err)
	}
	all, err = LoadEnvironments(file, data, l.Drivers, l.receivers()...)
	return all, file, err
}

func (l Library) receivers() []Receiver {
	if l.Receivers == nil {
		return nil
	}
	return []Receiver{l.Receivers}
}

// Schedules are those of the nearest gameday.yaml; none if there is no such file.
func (l Library) Schedules() ([]Schedule, error) {
	all, file, err := l.declared()
	if err != nil {
		return nil, err
	}
	for _, s := range all.Schedules {
		for k, b := range s.Blackout {
			if b.ICal == "" {
				continue
			}
			path := b.ICal
			if !filepath.IsAbs(path) {
				path = filepath.Join(filepath.Dir(file), path)
			}
			if s.Blackout[k].Calendar, err = l.read(path); err != nil {
				return nil, fmt.Errorf("schedule %s: read the calendar of its blackout: %w", s.Name, err)
			}
		}
	}
	return all.Schedules, nil
}

func (l Library) lab(name string) (Environment, error) {
	file := path.Join(name, EnvironmentFile)
	data, err := fs.ReadFile(l.Labs, file)
	if err != nil {
		return Environment{}, fmt.Errorf("there is no lab %q: %s", name, strictyaml.Suggest(name, l.LabNames()))
	}
	all, err := LoadEnvironments(path.Join("labs", file), data, l.Drivers)
	if err != nil {
		return Environment{}, err
	}
	return pick(all, target.LabPrefix+name, path.Join("labs", file))
}

// LabNames are the names of the bundled labs.
func (l Library) LabNames() []string {
	paths, _ := fs.Glob(l.Labs, "*/"+EnvironmentFile) // the pattern is a good one
	for i, p := range paths {
		paths[i] = path.Dir(p)
	}
	return paths
}

func pick(all Environments, name, file string) (Environment, error) {
	env, ok := all.Environments[name]
	if !ok {
		known := make([]string, 0, len(all.Environments))
		for other := range all.Environments {
			known = append(known, other)
		}
		slices.Sort(known)
		return env, fmt.Errorf("%s declares no environment %q: %s", file, name, strictyaml.Suggest(name, known))
	}
	return env, nil
}

// environmentFile is the nearest gameday.yaml from the user's folder upwards,
// or "".
func (l Library) environmentFile() (string, error) {
	dir, err := filepath.Abs(l.Dir)
	if err != nil {
		return "", err
	}
	for {
		file := filepath.Join(dir, EnvironmentFile)
		l.Reading.note(file)
		if _, err := os.Stat(file); err == nil {
			return file, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", nil
		}
		dir = parent
	}
}

// Journey finds a journey of an environment: journeys/NAME.yaml of a lab, else
// beside the nearest gameday.yaml, else below the user's folder.
func (l Library) Journey(environment, name string) (probe.Journey, error) {
	file := path.Join("journeys", name+".yaml")
	if lab, ok := target.LabOf(environment); ok {
		data, err := fs.ReadFile(l.Labs, path.Join(lab.Name, file))
		if err == nil {
			return LoadJourney(path.Join("labs", lab.Name, file), data, func(name string) ([]byte, error) {
				return fs.ReadFile(l.Labs, path.Join(lab.Name, "journeys", name))
			})
		}
	}
	dirs := []string{l.Dir}
	if declared, err := l.environmentFile(); err == nil && declared != "" {
		dirs = append([]string{filepath.Dir(declared)}, dirs...)
	}
	for _, dir := range dirs {
		own := filepath.Join(dir, file)
		data, err := l.read(own)
		if absent(err) {
			continue
		}
		if err != nil {
			return probe.Journey{}, fmt.Errorf("read journey: %w", err)
		}
		return LoadJourney(own, data, l.Beside(own))
	}
	place := "beside " + EnvironmentFile
	if _, ok := target.LabOf(environment); ok {
		place += ", or with the lab"
	}
	return probe.Journey{}, fmt.Errorf("there is no journey %q: expected %s %s", name, file, place)
}

// Beside reads files beside a journey's file.
func (l Library) Beside(file string) Beside {
	return func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(file), name)
		}
		return l.read(name)
	}
}
