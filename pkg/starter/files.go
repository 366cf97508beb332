package starter

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/topology"
)

// Journey is the name of the first journey.
const Journey = "home"

//go:embed *.tmpl
var templates embed.FS

// File is a file that could be written, by its path below the user's folder.
type File struct{ Path, Text string }

// Environment is what gameday.yaml says of what runs.
type Environment struct {
	Name  string
	Found target.Discovered
	Entry Entry
	Roles []Role
}

// Named is the environment of what was found, under a name that files may have.
func Named(found target.Discovered, name string, entry Entry) Environment {
	if name == "" {
		name = scenario.NameOf(found.Name)
	}
	return Environment{name, found, entry, roles(found.Services)}
}

// Block is the environment in gameday.yaml, without the keys above it.
func (e Environment) Block() (string, error) {
	zones := map[string]bool{}
	var names []string
	for _, s := range e.Found.Services {
		for _, zone := range s.Zones {
			if !zones[zone] {
				zones[zone], names = true, append(names, zone)
			}
		}
	}
	slices.Sort(names)
	settings, err := yaml.MarshalWithOptions(e.Found.Settings, yaml.Flow(true))
	if err != nil {
		return "", err
	}
	return render("environment.tmpl", map[string]any{
		"Name": e.Name, "Kind": e.Found.Kind, "Settings": strings.TrimSpace(string(settings)), "Fence": e.Found.Settings.Fence(), "Entry": e.Entry.URL, "Roles": e.Roles, "Zones": names,
	})
}

// Files are gameday.yaml and the first journey.
func (e Environment) Files() ([]File, error) {
	block, err := e.Block()
	if err != nil {
		return nil, err
	}
	all, err := render("gameday.yaml.tmpl", map[string]any{"Block": strings.TrimRight(block, "\n")})
	if err != nil {
		return nil, err
	}
	journey, err := render("journey.tmpl", map[string]any{
		"Journey": Journey, "Timeout": e.within() * 4, "Follow": redirects, "Status": e.Entry.Status, "Title": e.Entry.Title, "JSON": e.Entry.JSON,
	})
	return []File{{"gameday.yaml", all}, {filepath.Join("journeys", Journey+".yaml"), journey}}, err
}

// within is how fast a user should be served: five times what was seen, and not less than
// half a second.
func (e Environment) within() time.Duration {
	const least = 500 * time.Millisecond
	return max(least, (5 * e.Entry.Latency).Round(least))
}

// Scenarios are one for each tier that users reach, the most suspicious one first: what is
// predicted to be a single point of failure, the farthest from the users.
func (e Environment) Scenarios(m topology.Map) (all []File, err error) {
	nodes := slices.DeleteFunc(slices.Clone(m.Nodes), func(n topology.Node) bool { return n.Layer < 0 || n.Protected || n.Target.Service == "" })
	slices.SortStableFunc(nodes, func(a, b topology.Node) int {
		if a.Predicted != b.Predicted {
			return map[bool]int{true: -1, false: 1}[a.Predicted]
		}
		return b.Layer - a.Layer
	})
	seen := map[string]bool{}
	for _, n := range nodes {
		if seen[n.Target.Service] {
			continue
		}
		seen[n.Target.Service] = true
		f, err := e.scenario(n, m)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func (e Environment) scenario(n topology.Node, m topology.Map) (File, error) {
	service := n.Target.Service
	name := scenario.NameOf(service) + "-loss"
	because := "users reach it; it is one of several, and the others may not take over"
	if n.Predicted {
		because = n.Why
	}
	selected, comment := fmt.Sprintf("{service: %q}", service), ""
	if count(m, service) > 1 {
		selected = fmt.Sprintf("{service: %q, any: 1}", service)
	}
	for _, r := range e.Roles {
		if r.Service == service && r.Problem == "" {
			selected, comment = fmt.Sprintf("{role: %q}", r.Name), " # gameday looks up which component has the role when it injects the fault"
			break
		}
	}
	text, err := render("scenario.tmpl", map[string]any{
		"Name": name, "Title": "One container of service " + service + " is killed", "Environment": e.Name, "Service": service, "Because": because,
		"Within": e.within(), "Journey": Journey, "Target": selected, "Comment": comment,
	})
	return File{filepath.Join("scenarios", name+".yaml"), text}, err
}

// count is the number of components of a service.
func count(m topology.Map, service string) (n int) {
	for _, node := range m.Nodes {
		if node.Target.Service == service {
			n++
		}
	}
	return n
}

func render(name string, data any) (string, error) {
	t, err := template.New(name).Funcs(template.FuncMap{
		"quote": strconv.Quote, "join": func(all []string) string { return strings.Join(all, ", ") },
	}).ParseFS(templates, name)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = t.Execute(&b, data)
	return b.String(), err
}

// Write writes a file below a folder, if there is none of its name. wrote is whether it
// did.
func (f File) Write(dir string) (wrote bool, err error) {
	err = atomicfile.Create(filepath.Join(dir, f.Path), []byte(f.Text))
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}
