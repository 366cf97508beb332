package backendtest_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/gamedaytest"
	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker/lab"
)

// system is two back ends and a proxy on a network of their own, and gameday in a folder.
type system struct {
	*enginetest.Bed
	gameday gamedaytest.Gameday

	network string // its ID
	prefix  string // of the addresses on it: three numbers
}

// The last numbers of the addresses.
const (
	first  = 11 // users of the proxy come here
	second = 12 // and here if the first is gone
	proxy  = 10
)

// newSystem starts the system. It is removed after the test.
func newSystem(t *testing.T) *system {
	t.Helper()
	s := &system{Bed: enginetest.New(t), gameday: gamedaytest.New(t, t.TempDir())}
	s.connect(t)
	program, err := os.ReadFile(gamedaytest.Build(t, "internal/backendtest/backend"))
	if err != nil {
		t.Fatal(err)
	}
	all := lab.Provisioner{
		Labs: lab.Labs{Files: labs.Files}, Engine: s.Env.Engine,
		Progress: target.Progress{Step: func(text string) { t.Log(text) }, Detail: func(string) {}},
	}
	image, err := all.Image(t.Context(), "checkout", "haproxy")
	if err != nil {
		t.Fatal(err)
	}
	for _, last := range []int{first, second} {
		s.start(t, last, container.Config{Image: image, Cmd: []string{"/backend"}}, file{"backend", program, 0o755})
	}
	s.start(t, proxy, container.Config{Image: image}, file{"etc/haproxy/haproxy.cfg", []byte(s.settings()), 0o644})
	s.write(t, "gameday.yaml", fmt.Sprintf("version: 1\nenvironments:\n  direct: {docker: {labels: [%[1]s]}, entry: \"http://%[2]s\"}\n  proxy: {docker: {labels: [%[1]s]}, entry: \"http://%[3]s\"}\n",
		s.Label, s.address(first)+":8080", s.address(proxy)+":8080"))
	return s
}

func (s *system) address(last int) string { return fmt.Sprintf("%s.%d", s.prefix, last) }

// connect makes the network, where addresses are those of no other test.
func (s *system) connect(t *testing.T) {
	t.Helper()
	for range 20 {
		s.prefix = fmt.Sprintf("198.19.%d", rand.IntN(256))
		made, err := s.Client.NetworkCreate(t.Context(), "gameday-test-"+strings.TrimPrefix(s.Label, "gameday.test="), network.CreateOptions{
			Labels: s.Labels(), IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: s.prefix + ".0/24"}}},
		})
		if err == nil {
			s.network = made.ID
			t.Cleanup(func() {
				if err := s.Client.NetworkRemove(context.WithoutCancel(t.Context()), made.ID); err != nil {
					t.Error(err)
				}
			})
			return
		}
		t.Log(err) // another one has these addresses
	}
	t.Fatal("no network can be made")
}

// file is a file in a container.
type file struct {
	path string
	data []byte
	mode int64
}

// start starts a container with a file.
func (s *system) start(t *testing.T, last int, config container.Config, with file) {
	t.Helper()
	ctx := t.Context()
	config.Labels = s.Labels(fmt.Sprintf("backend=%d", last))
	created, err := s.Client.ContainerCreate(ctx, &config, &container.HostConfig{NetworkMode: container.NetworkMode(s.network)}, &network.NetworkingConfig{
		EndpointsConfig: map[string]*network.EndpointSettings{s.network: {IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: s.address(last)}}},
	}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Remove(created.ID) })
	var content bytes.Buffer
	w := tar.NewWriter(&content)
	err = w.WriteHeader(&tar.Header{Name: with.path, Size: int64(len(with.data)), Mode: with.mode})
	if err == nil {
		_, err = w.Write(with.data)
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = s.Client.CopyToContainer(ctx, created.ID, "/", &content, container.CopyToContainerOptions{})
	}
	if err == nil {
		err = s.Client.ContainerStart(ctx, created.ID, container.StartOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Eventually("the container serves", func() bool { return s.Serves(created.ID) })
}

// settings are those of the proxy: the second back end serves if the first does not answer.
// What the first one holds is left to it.
func (s *system) settings() string {
	var text strings.Builder
	text.WriteString("defaults\n mode tcp\n timeout connect 500ms\n timeout client 1m\n timeout server 1m\n timeout check 1s\n option httpchk GET /healthz\n")
	for name, port := range map[string]int{"web": 8080, "calls": 50051} {
		fmt.Fprintf(&text, "listen %s\n bind :%d\n default-server check port 8080 inter 300ms fall 2 rise 1\n server first %[3]s:%[2]d\n server second %[4]s:%[2]d backup\n",
			name, port, s.address(first), s.address(second))
	}
	return text.String()
}

// write writes a file beside gameday.yaml.
func (s *system) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(s.gameday.Dir, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// breaks runs a scenario, and returns its folder.
func (s *system) breaks(t *testing.T, name, scenario string) run.Folder {
	t.Helper()
	s.write(t, "scenarios/"+name+".yaml", scenario)
	enginetest.Alone(t)
	code, out, text := s.gameday.Run(t, "run", name, "--out", filepath.Join(s.gameday.Dir, "runs"))
	t.Logf("exit code %d\n%s", code, out)
	found, err := filepath.Glob(filepath.Join(s.gameday.Dir, "runs", "*", run.MetaFile))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d runs: %v\n%s", len(found), err, text)
	}
	f, err := run.Open(filepath.Dir(found[0]))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
