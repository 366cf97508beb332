package skeleton_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/skeleton"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
	"github.com/gameday-dev/gameday/scenarios"
)

// files writes files below a new folder, which is the user's.
func files(t *testing.T, texts map[string]string) scenario.Library {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return scenario.Library{Scenarios: scenarios.Files, Labs: labs.Files, Dir: dir, Kinds: fault.Specs(), Drivers: target.Drivers{docker.Driver(nil)}}
}

func environments(name, more string) string {
	return "version: 1\nenvironments:\n  " + name + ":\n    docker: {project: shop}\n    entry: http://127.0.0.1:1\n" + more
}

const roles = "    roles: {\"1\": {among: {service: pg}, label: primary}}\n"

// What is written is found by its name, and valid with the environment, role and journey
// that it names, whatever those are called.
func TestSkeletonsAreValidAsWritten(t *testing.T) {
	t.Parallel()
	for name, texts := range map[string]map[string]string{
		"nothing is there":    nil,
		"an environment":      {"gameday.yaml": environments("staging", "")},
		"one with a role":     {"gameday.yaml": environments("staging", roles)},
		"a name like a value": {"gameday.yaml": environments(`"true"`, "")},
		"a name with syntax":  {"gameday.yaml": environments(`"a: b # {c}"`, roles)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := files(t, texts)
			for _, journey := range []string{"checkout", "1e3", "null"} {
				if _, err := skeleton.Journey(l, journey); err != nil {
					t.Fatal(err)
				}
				if _, err := l.Journey("staging", journey); err != nil {
					t.Error(err)
				}
			}
			for _, name := range []string{"db-loss", "123", "true"} {
				w, err := skeleton.Scenario(l, name)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := (session.Session{Library: l}).Find(name, ""); err != nil {
					t.Error(err)
				}
				if w.Path != filepath.Join("scenarios", name+".yaml") || w.Next != "gameday plan "+name {
					t.Errorf("%+v", w)
				}
			}
		})
	}
}

// In a folder below gameday.yaml, files go beside it, and are found from there.
func TestFilesGoBesideGamedayYAML(t *testing.T) {
	t.Parallel()
	l := files(t, map[string]string{"gameday.yaml": environments("staging", ""), "sub/x": ""})
	root := l.Dir
	l.Dir = filepath.Join(root, "sub")
	if w, err := skeleton.Journey(l, "buy"); err != nil || w.Path != "../journeys/buy.yaml" {
		t.Errorf("%+v %v", w, err)
	}
	if w, err := skeleton.Scenario(l, "loss"); err != nil || w.Path != "../scenarios/loss.yaml" {
		t.Errorf("%+v %v", w, err)
	}
	if _, err := (session.Session{Library: l}).Find("loss", ""); err != nil {
		t.Error(err)
	}
	all, err := l.List()
	if err != nil || all[0].Name != "loss" || all[0].File != filepath.Join(root, "scenarios", "loss.yaml") || all[0].Problem != "" {
		t.Errorf("%+v %v", all, err)
	}
}

func TestWhatIsNotWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		texts map[string]string
		do    func(scenario.Library, string) (skeleton.Written, error)
		is    string
		want  string
	}{
		"a path":           {nil, skeleton.Scenario, "../x", "expected a name for the scenario"},
		"an empty name":    {nil, skeleton.Journey, "", "expected a name for the journey"},
		"capital letters":  {nil, skeleton.Scenario, "DB_Loss", "expected a name for the scenario of lowercase letters"},
		"an extension":     {nil, skeleton.Scenario, "x.yaml", "expected a name"},
		"there is one":     {map[string]string{"scenarios/x.yaml": "mine"}, skeleton.Scenario, "x", "scenarios/x.yaml is already there, and is not overwritten"},
		"a journey, too":   {map[string]string{"journeys/x.yaml": "mine"}, skeleton.Journey, "x", "is already there"},
		"no journey":       {map[string]string{"gameday.yaml": environments("staging", "")}, skeleton.Scenario, "x", "run gameday new journey checkout first"},
		"a bad file":       {map[string]string{"gameday.yaml": "version: 1\nenvironmnts: {}"}, skeleton.Scenario, "x", "gameday.yaml:2:1"},
		"a file as folder": {map[string]string{"scenarios": "a file"}, skeleton.Scenario, "x", "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := files(t, c.texts)
			if _, err := c.do(l, c.is); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, expected %q", err, c.want)
			}
			for name, text := range c.texts {
				if got, err := os.ReadFile(filepath.Join(l.Dir, name)); err != nil || string(got) != text {
					t.Errorf("%s is %q (%v)", name, got, err)
				}
			}
		})
	}
}
