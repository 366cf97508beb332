// Package skeleton writes the first version of a user's files: scenarios and journeys with
// comments that say what to change. What it writes is valid as it is.
package skeleton

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

//go:embed scenario.yaml journey.yaml
var files embed.FS

// Written is a file that was written.
type Written struct {
	Path string // relative to the user's folder if it is below it
	Next string // the command to type next
}

// Scenario writes scenarios/NAME.yaml. It names an environment, a role and a journey that
// are there. It overwrites nothing.
func Scenario(l scenario.Library, name string) (Written, error) {
	if err := check("scenario", name); err != nil {
		return Written{}, err
	}
	env, err := l.Default()
	if err != nil {
		return Written{}, err
	}
	journey := "checkout"
	if _, lab := target.LabOf(env.Name); !lab {
		found, _ := filepath.Glob(filepath.Join(l.Root(), "journeys", "*.yaml")) // the pattern is a good one
		if len(found) == 0 {
			return Written{}, fmt.Errorf("there is no journey that users of environment %s could walk: run gameday new journey checkout first", env.Name)
		}
		journey = strings.TrimSuffix(filepath.Base(found[0]), ".yaml")
	}
	selected := "{service: db}"
	if roles := slices.Sorted(maps.Keys(env.Roles)); len(roles) > 0 {
		selected = fmt.Sprintf("{role: %s}", scalar(roles[0]))
	}
	path, err := write(l, "scenario.yaml", filepath.Join("scenarios", name+".yaml"),
		"NAME", scalar(name), "ENVIRONMENT", scalar(env.Name), "JOURNEY", scalar(journey), "TARGET", selected)
	return Written{path, "gameday plan " + name}, err
}

// Journey writes journeys/NAME.yaml. It overwrites nothing.
func Journey(l scenario.Library, name string) (Written, error) {
	if err := check("journey", name); err != nil {
		return Written{}, err
	}
	path, err := write(l, "journey.yaml", filepath.Join("journeys", name+".yaml"), "NAME", scalar(name))
	return Written{path, "gameday validate " + path}, err
}

// maxName is the length of the longest name, in bytes.
const maxName = 100

// check refuses names that are no file names, or not the same on every system.
func check(what, name string) error {
	if !scenario.IsName(name) || len(name) > maxName {
		return fmt.Errorf("found %q, expected a name for the %s of lowercase letters, digits and hyphens, such as db-loss", name, what)
	}
	return nil
}

// scalar is a text as YAML reads it back: what could be a number, a truth value or syntax
// is quoted.
func scalar(text string) string {
	if regexp.MustCompile(`^[A-Za-z_]+[-/+][A-Za-z0-9_/+-]*$|^[A-Za-z_]{6,}$`).MatchString(text) {
		return text
	}
	return strconv.Quote(text)
}

// write writes a file of the user's that must not be there yet, with the words of the
// skeleton replaced.
func write(l scenario.Library, skeleton, file string, words ...string) (path string, err error) {
	text, err := files.ReadFile(skeleton)
	if err != nil {
		return "", err
	}
	path = filepath.Join(l.Root(), file)
	shown := path
	if relative, err := filepath.Rel(l.Dir, path); err == nil {
		shown = relative
	}
	err = atomicfile.Create(path, []byte(strings.NewReplacer(words...).Replace(string(text))))
	if errors.Is(err, fs.ErrExist) {
		return shown, fmt.Errorf("%s is already there, and is not overwritten: choose another name", shown)
	}
	return shown, err
}
