package scenario

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Listed is a scenario that [Library.Scenario] finds by its name.
type Listed struct {
	Name        string   `json:"name"`
	Title       string   `json:"title,omitempty"`
	Environment string   `json:"environment,omitempty"` // its own; "" if it names none
	Kinds       []string `json:"faults,omitempty"`      // each once, in their order
	Bundled     bool     `json:"bundled"`
	File        string   `json:"file,omitempty"`    // the user's own file; "" if it is bundled
	Problem     string   `json:"problem,omitempty"` // why it cannot be read; then it has no title, environment and kinds
}

// List is all scenarios that can be run by a name: the user's own, then the bundled ones,
// each by name. A bundled scenario that an own one replaces is left out.
func (l Library) List() ([]Listed, error) {
	var all []Listed
	seen := map[string]bool{}
	add := func(name, file string) {
		if seen[name] {
			return
		}
		seen[name] = true
		listed := Listed{Name: name, Bundled: file == "", File: file}
		// By its name: what is listed is what would run.
		if s, err := l.Scenario(name); err == nil {
			listed.Title, listed.Environment, listed.Kinds = s.Title, s.Environment, s.Kinds()
		} else {
			listed.Problem = err.Error()
		}
		all = append(all, listed)
	}
	own, err := l.files()
	if err != nil {
		return nil, err
	}
	for _, f := range own {
		add(f.Name, f.File)
	}
	slices.SortStableFunc(all, func(a, b Listed) int { return strings.Compare(a.Name, b.Name) })
	for _, name := range l.Bundled() {
		add(name, "")
	}
	return all, nil
}

// files are the user's own scenarios by name and file; of one name, the first counts.
func (l Library) files() (all []Listed, err error) {
	for _, dir := range l.scenarioDirs() {
		files, err := os.ReadDir(filepath.Join(l.base(dir), dir))
		if err != nil && !absent(err) {
			return all, err
		}
		for _, f := range files {
			if name, ok := strings.CutSuffix(f.Name(), ".yaml"); ok && name != "" && !f.IsDir() {
				all = append(all, Listed{Name: name, File: filepath.Join(dir, f.Name())})
			}
		}
	}
	return all, nil
}

// Names are the names of all scenarios that can be run, sorted.
func (l Library) Names() []string {
	names := l.Bundled()
	own, _ := l.files() // what cannot be read has no names
	for _, f := range own {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Kinds are the kinds of a scenario's faults, each once, in their order.
func (s Scenario) Kinds() []string {
	var kinds []string
	for _, f := range s.Faults {
		if !slices.Contains(kinds, f.Kind) {
			kinds = append(kinds, f.Kind)
		}
	}
	return kinds
}

// scenarioDirs are the folders of the user's own scenarios: that of the user's folder,
// relative to it, then the one beside the nearest gameday.yaml if that is in a parent.
func (l Library) scenarioDirs() []string {
	dirs := []string{"scenarios"}
	here, err := filepath.Abs(l.Dir)
	if root := l.Root(); err == nil && root != l.Dir && root != here {
		dirs = append(dirs, filepath.Join(root, "scenarios"))
	}
	return dirs
}

// Root is the folder that a user's files are in: that of the nearest gameday.yaml from the
// user's folder upwards, else the user's folder itself.
func (l Library) Root() string {
	if file, err := l.environmentFile(); err == nil && file != "" {
		return filepath.Dir(file)
	}
	return l.Dir
}

// defaultLab is the environment of a user who has declared none.
const defaultLab = target.LabPrefix + "checkout"

// Default is the environment that is meant if none is named: the first of gameday.yaml by
// name, else a lab.
func (l Library) Default() (Environment, error) {
	declared, err := l.Environments()
	if err != nil {
		return Environment{}, err
	}
	if names := slices.Sorted(maps.Keys(declared)); len(names) > 0 {
		return declared[names[0]], nil
	}
	return l.Environment(defaultLab)
}

// own reads a scenario of the user's by its name. The error is an [fs.ErrNotExist] if
// there is none.
func (l Library) own(name string) (file string, data []byte, err error) {
	for _, dir := range l.scenarioDirs() {
		file = filepath.Join(dir, name+".yaml")
		if data, err = l.read(filepath.Join(l.base(dir), file)); !absent(err) {
			return file, data, err
		}
	}
	return filepath.Join("scenarios", name+".yaml"), nil, errors.Join(err, fs.ErrNotExist)
}
