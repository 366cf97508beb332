// Package lab starts and removes the bundled environments, with real servers
// from Debian's packages.
//
// A lab is a folder: compose.yaml, a folder with a Dockerfile for each image,
// journeys, gameday.yaml, and lab.yaml, which says what this package needs to
// know. Its compose project is named after it, so that no other project on the
// engine is ever touched.
package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/direct"
	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// Spec is a lab.yaml.
type Spec struct {
	Version int      `yaml:"version" jsonschema:"required,enum=1"`
	Title   string   `yaml:"title" jsonschema:"required"`
	Images  []string `yaml:"images" jsonschema:"required"`
	Port    int      `yaml:"port,omitempty"`              // published on 127.0.0.1, where users come in there
	Entry   string   `yaml:"entry,omitempty"`             // else the base URL by which they do
	Ready   string   `yaml:"ready" jsonschema:"required"` // path that answers 200 once the lab serves
	Also    []string `yaml:"also,omitempty"`              // URLs that answer 200 once it is what it shall be
}

// project is the compose project of a lab, whichever variant of it.
func project(l target.Lab) string { return "gameday-" + l.Name }

// Labs are labs as data: a folder each.
type Labs struct{ Files fs.FS }

var _ target.Labs = Labs{}

// List implements [target.Labs].
func (l Labs) List() ([]target.LabInfo, error) {
	var all []target.LabInfo
	for _, name := range l.names() {
		spec, err := l.spec(target.Lab{Name: name})
		if err != nil {
			return nil, err
		}
		all = append(all, target.LabInfo{Name: name, Title: spec.Title, Weaknesses: l.weaknesses(name)})
	}
	return all, nil
}

// weaknesses are those that a lab can be brought up with.
func (l Labs) weaknesses(name string) []string {
	paths, _ := fs.Glob(l.Files, path.Join(name, "with", "*.yaml")) // the pattern is a good one
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(path.Base(p), ".yaml")
	}
	return paths
}

// names are the labs there are.
func (l Labs) names() []string {
	paths, _ := fs.Glob(l.Files, "*/lab.yaml") // the pattern is a good one
	for i, p := range paths {
		paths[i] = path.Dir(p)
	}
	return paths
}

// spec reads a lab's lab.yaml.
func (l Labs) spec(lab target.Lab) (Spec, error) {
	for _, w := range lab.With {
		if known := l.weaknesses(lab.Name); !slices.Contains(known, w) {
			return Spec{}, fmt.Errorf("lab %s has no weakness %q: %s", lab.Name, w, strictyaml.Suggest(w, known))
		}
	}
	file := path.Join(lab.Name, "lab.yaml")
	data, err := fs.ReadFile(l.Files, file)
	if err != nil {
		return Spec{}, fmt.Errorf("there is no lab %q: %s", lab.Name, strictyaml.Suggest(lab.Name, l.names()))
	}
	doc := strictyaml.Parse(path.Join("labs", file), data)
	var s Spec
	doc.Decode(&s)
	return s, doc.Problems.Err()
}

// Provisioner brings labs up and down on an engine.
type Provisioner struct {
	Labs
	Engine   *docker.Engine
	Progress target.Progress
}

var _ target.Provisioner = Provisioner{}

// On implements [target.Labs].
func (l Labs) On(site target.Site, progress target.Progress) (target.Provisioner, error) {
	env, ok := site.(*docker.Environment)
	if !ok {
		return nil, fmt.Errorf("the bundled labs run on a Docker engine, and not on %T", site)
	}
	return Provisioner{l, env.Engine, progress}, nil
}

// Check implements [target.Provisioner].
func (p Provisioner) Check(ctx context.Context, lab target.Lab) error {
	if _, err := composeCommand(ctx); err == nil {
		return nil
	}
	if found, err := p.Engine.Project(ctx, project(lab)); err != nil || found.Running > 0 {
		return err // it is up already
	}
	return errNoCompose
}

// Up implements [target.Provisioner].
func (p Provisioner) Up(ctx context.Context, lab target.Lab) error {
	spec, err := p.spec(lab)
	if err != nil {
		return err
	}
	found, err := p.Engine.Project(ctx, project(lab))
	if err != nil {
		return err
	}
	if err := stateOf(found).Refusal(lab); err != nil {
		return err
	}
	if found.Running == 0 && spec.Port != 0 {
		if err := portFree(ctx, spec.Port); err != nil {
			return err
		}
	}
	environ, err := p.images(ctx, lab.Name, spec)
	if err != nil {
		return err
	}
	dir, err := p.extract(lab.Name)
	if err != nil {
		return err
	}
	p.Progress.Step("starting lab " + lab.String())
	environ = append(environ, "GAMEDAY_PORT="+strconv.Itoa(spec.Port), "GAMEDAY_WITH="+strings.Join(lab.With, "+"))
	var args []string
	for _, w := range lab.With {
		args = append(args, "-f", path.Join("with", w+".yaml"))
	}
	if err := p.compose(ctx, dir, environ, append(args, "-p", project(lab), "up", "-d", "--remove-orphans")...); err != nil {
		return fmt.Errorf("start lab %s: %w", lab, err)
	}
	return p.await(ctx, lab, spec)
}

// State implements [target.Provisioner].
func (p Provisioner) State(ctx context.Context, lab target.Lab) (target.LabState, error) {
	spec, err := p.spec(lab)
	if err != nil {
		return target.LabState{}, err
	}
	found, err := p.Engine.Project(ctx, project(lab))
	if err != nil {
		return target.LabState{}, err
	}
	state := stateOf(found)
	state.Serves = found.Running > 0 && found.Running == found.Containers && spec.ask(ctx) == nil
	return state, nil
}

// stateOf is what there is of a compose project, as the state of a lab that is not
// known to serve.
func stateOf(found docker.ProjectState) target.LabState {
	state := target.LabState{Exists: !found.Empty(), With: target.ParseLab("+" + found.With).With}
	if found.With == "" {
		state.With = nil
	}
	switch {
	case found.Empty():
		state.Text = "down"
	case found.Running == found.Containers && found.Containers > 0:
		state.Text = "up"
		if found.With != "" {
			state.Text += " with " + found.With
		}
	default:
		state.Text = fmt.Sprintf("partly up: %d of %d containers run", found.Running, found.Containers)
	}
	return state
}

// Down implements [target.Provisioner].
func (p Provisioner) Down(ctx context.Context, lab target.Lab) error {
	if _, err := p.spec(lab); err != nil {
		return err
	}
	return p.Engine.RemoveProject(ctx, project(lab))
}

func (s Spec) url() string {
	if s.Entry != "" {
		return s.Entry + s.Ready
	}
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) + s.Ready
}

// portFree tells early, and in one sentence, what compose tells late and in
// many.
func portFree(ctx context.Context, port int) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("port %d on 127.0.0.1 is in use, but the lab needs it: stop the process that uses it (ss -ltnp 'sport = :%d' shows the process)", port, port)
	}
	return listener.Close()
}

// readyTimeout is how long a lab may take to serve once its containers run.
const readyTimeout = 2 * time.Minute

// readyAnswers is how many good answers in a row make a lab ready.
const readyAnswers = 6

// await waits until the lab serves.
func (p Provisioner) await(ctx context.Context, lab target.Lab, spec Spec) error {
	p.Progress.Step("waiting until lab " + lab.String() + " serves")
	deadline := time.NewTimer(readyTimeout)
	defer deadline.Stop()
	for good := 0; ; {
		err := spec.ask(ctx)
		if err == nil {
			// More than one of several servers must answer so.
			if good++; good == readyAnswers {
				return nil
			}
			continue
		}
		good = 0
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("lab %s does not serve after %v: %w; see docker logs of its containers", lab, readyTimeout, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// ask reports whether the lab serves, and is what it shall be.
func (s Spec) ask(ctx context.Context) error {
	for _, url := range append([]string{s.url()}, s.Also...) {
		if err := ask(ctx, url); err != nil {
			return fmt.Errorf("%s: %w", url, err)
		}
	}
	return nil
}

func ask(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := direct.Client().Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return errors.Join(err, response.Body.Close())
}
