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
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/strictyaml"
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

// Project is the compose project of a lab, whichever variant of it.
func Project(name string) string { return "gameday-" + base(name) }

// base is a lab's name without its variants: checkout-ha of checkout-ha+one-lb.
func base(name string) string {
	name, _, _ = strings.Cut(name, "+")
	return name
}

// variants are the weaknesses that are switched on, sorted.
func variants(name string) []string {
	_, after, ok := strings.Cut(name, "+")
	if !ok {
		return nil
	}
	with := strings.Split(after, "+")
	slices.Sort(with)
	return slices.Compact(with)
}

// Variants are the weaknesses that a lab can be brought up with.
func (l Labs) Variants(name string) []string {
	paths, _ := fs.Glob(l.Files, path.Join(base(name), "with", "*.yaml")) // the pattern is a good one
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(path.Base(p), ".yaml")
	}
	return paths
}

// Labs brings labs up and down on an engine.
type Labs struct {
	Files    fs.FS
	Engine   *docker.Engine
	Progress func(string) // is told what takes longer than a moment
	Detail   func(string) // and the lines in which that goes on
}

// Spec reads a lab's lab.yaml.
func (l Labs) Spec(name string) (Spec, error) {
	for _, v := range variants(name) {
		if known := l.Variants(name); !slices.Contains(known, v) {
			return Spec{}, fmt.Errorf("lab %s has no variant %q: %s", base(name), v, strictyaml.Suggest(v, known))
		}
	}
	name = base(name)
	file := path.Join(name, "lab.yaml")
	data, err := fs.ReadFile(l.Files, file)
	if err != nil {
		return Spec{}, fmt.Errorf("there is no lab %q: %s", name, strictyaml.Suggest(name, l.Names()))
	}
	doc := strictyaml.Parse(path.Join("labs", file), data)
	var s Spec
	doc.Decode(&s)
	return s, doc.Problems.Err()
}

// Names are the labs there are.
func (l Labs) Names() []string {
	paths, _ := fs.Glob(l.Files, "*/lab.yaml") // the pattern is a good one
	for i, p := range paths {
		paths[i] = path.Dir(p)
	}
	return paths
}

// Up makes what a lab lacks and waits until it serves.
func (l Labs) Up(ctx context.Context, name string) error {
	spec, err := l.Spec(name)
	if err != nil {
		return err
	}
	state, err := l.Engine.Project(ctx, Project(name))
	if err != nil {
		return err
	}
	if err := sameVariant(name, state); err != nil {
		return err
	}
	if state.Running == 0 && spec.Port != 0 {
		if err := portFree(ctx, spec.Port); err != nil {
			return err
		}
	}
	environ, err := l.images(ctx, base(name), spec)
	if err != nil {
		return err
	}
	dir, err := l.extract(base(name))
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l.Progress("starting lab " + name)
	environ = append(environ, "GAMEDAY_PORT="+strconv.Itoa(spec.Port), "GAMEDAY_WITH="+strings.Join(variants(name), "+"))
	var args []string
	for _, v := range variants(name) {
		args = append(args, "-f", path.Join("with", v+".yaml"))
	}
	if err := l.compose(ctx, dir, environ, append(args, "-p", Project(name), "up", "-d", "--remove-orphans")...); err != nil {
		return fmt.Errorf("start lab %s: %w", name, err)
	}
	return l.await(ctx, name, spec)
}

// sameVariant refuses to make one variant of another: what was made at the first
// start, such as a cluster, would stay as it was.
func sameVariant(name string, state docker.ProjectState) error {
	if want := strings.Join(variants(name), "+"); !state.Empty() && state.With != want {
		is := base(name)
		if state.With != "" {
			is += "+" + state.With
		}
		return fmt.Errorf("lab %s is up, and not %s: gameday lab down %s first", is, name, base(name))
	}
	return nil
}

// Serving tells whether a lab is up and serves, without touching it.
func (l Labs) Serving(ctx context.Context, name string) (bool, error) {
	spec, err := l.Spec(name)
	if err != nil {
		return false, err
	}
	state, err := l.Engine.Project(ctx, Project(name))
	if err != nil {
		return false, err
	}
	if err := sameVariant(name, state); err != nil {
		return false, err
	}
	return state.Running > 0 && state.Running == state.Containers && spec.ask(ctx) == nil, nil
}

func (s Spec) url() string {
	if s.Entry != "" {
		return s.Entry + s.Ready
	}
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) + s.Ready
}

// Down removes all that there is of a lab but its images.
func (l Labs) Down(ctx context.Context, name string) error {
	if _, err := l.Spec(name); err != nil {
		return err
	}
	return l.Engine.RemoveProject(ctx, Project(name))
}

// portFree tells early, and in one sentence, what compose tells late and in
// many.
func portFree(ctx context.Context, port int) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("port %d on 127.0.0.1, where the lab is reached, is taken: stop what listens there (ss -ltnp 'sport = :%d' shows it)", port, port)
	}
	return listener.Close()
}

// extract lays a lab's files out for compose.
func (l Labs) extract(name string) (string, error) {
	dir, err := os.MkdirTemp("", "gameday-lab-*")
	if err != nil {
		return "", fmt.Errorf("lay out lab %s: %w", name, err)
	}
	files, err := fs.Sub(l.Files, name)
	if err == nil {
		err = os.CopyFS(filepath.Join(dir, name), files)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("lay out lab %s: %w", name, err), os.RemoveAll(dir))
	}
	return filepath.Join(dir, name), nil
}

// readyTimeout is how long a lab may take to serve once its containers run.
const readyTimeout = 2 * time.Minute

// readyAnswers is how many good answers in a row make a lab ready.
const readyAnswers = 6

// await waits until the lab serves.
func (l Labs) await(ctx context.Context, name string, spec Spec) error {
	l.Progress("waiting until lab " + name + " serves")
	deadline := time.NewTimer(readyTimeout)
	defer deadline.Stop()
	for good := 0; ; {
		err := spec.ask(ctx)
		if err == nil {
			// More than one of several servers must have said so.
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
			return fmt.Errorf("lab %s does not serve after %v: %w; see docker logs of its containers", name, readyTimeout, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// ask tells whether the lab serves, and is what it shall be.
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
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return errors.Join(err, response.Body.Close())
}
