// Package enginetest gives tests a real Docker engine and containers that are removed
// after the test.
//
// The containers run the shop of the labs, which gameday builds itself, so that no image
// is pulled. The shop serves /healthz without a database.
package enginetest

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/nat"

	"github.com/gameday-dev/gameday/internal/program"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// Bed is a test's own part of the engine: the containers with its label.
type Bed struct {
	T      testing.TB
	Env    *docker.Environment
	Client *client.Client // independent of the code under test
	Label  string         // the label of its containers: key=value

	networks atomic.Int32
}

// Options are what a test opens its environment with.
type Options struct {
	target.Options

	Config docker.Config
}

// New returns a test's own bed. Without an engine the test is skipped, or fails if CI is
// set.
func New(tb testing.TB, options ...func(*Options)) *Bed {
	tb.Helper()
	c := Client(tb)
	b := &Bed{T: tb, Client: c, Label: "gameday.test=" + strings.ToLower(rand.Text()[:10])}
	o := Options{Config: docker.Config{Labels: []string{b.Label}}}
	for _, option := range options {
		option(&o)
	}
	env, err := docker.Open(tb.Context(), &o.Config, o.Options)
	if err != nil {
		tb.Fatal(err)
	}
	b.Env = env
	Guard(tb, b.Label)
	Guard(tb, "gameday.fence="+b.Label) // of its helpers
	tb.Cleanup(func() { _ = env.Close() })
	return b
}

// Client returns a client of the engine that owes nothing to the code under test.
// Without an engine the test is skipped, or fails if CI is set; with -short it is
// always skipped.
func Client(tb testing.TB) *client.Client {
	tb.Helper()
	if testing.Short() {
		tb.Skip("it needs a Docker engine, and -short means none")
	}
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	if _, err := c.Ping(tb.Context()); err != nil {
		Missing(tb, err)
	}
	if _, err := Folder(); err != nil {
		tb.Fatal(err)
	}
	return c
}

// Missing skips a test because something that it needs is missing. In CI the test fails.
func Missing(tb testing.TB, why any) {
	tb.Helper()
	if os.Getenv("CI") != "" {
		tb.Fatalf("no test may be skipped in CI: %v", why)
	}
	tb.Skipf("no Docker engine: %v", why)
}

// Start starts a container with the bed's label and waits until it serves. The container
// is removed after the test.
func (b *Bed) Start(restart container.RestartPolicyMode, labels ...string) string {
	b.T.Helper()
	return b.StartWith(container.HostConfig{RestartPolicy: container.RestartPolicy{Name: restart}}, labels...)
}

// StartWith is [Bed.Start] with the engine's full host configuration.
func (b *Bed) StartWith(host container.HostConfig, labels ...string) string {
	b.T.Helper()
	exposed := nat.PortSet{}
	for port := range host.PortBindings {
		exposed[port] = struct{}{}
	}
	id := b.Run(container.Config{ExposedPorts: exposed, Labels: b.Labels(labels...), Env: Shop(":8080")}, host)
	b.Eventually("the container serves", func() bool { return b.Serves(id) })
	return id
}

// Shop is the environment of a shop that listens at an address, and has no database.
func Shop(listen string) []string {
	return []string{"SHOP_LISTEN=" + listen, "SHOP_DATABASE=postgres://nobody@127.0.0.1:1/none"}
}

// Run starts a container of the lab's shop as it is configured, and does not wait until it
// serves. It is removed after the test.
func (b *Bed) Run(config container.Config, host container.HostConfig) (id string) {
	b.T.Helper()
	ctx := b.T.Context()
	image, err := b.Env.ProgramImage(ctx, program.Lab)
	if err != nil {
		b.T.Fatal(err)
	}
	config.Image, config.Cmd = image, []string{"shop"}
	created, err := b.Client.ContainerCreate(ctx, &config, &host, nil, nil, "")
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(func() { b.Remove(created.ID) })
	if err := b.Client.ContainerStart(ctx, created.ID, container.StartOptions{}); err != nil {
		b.T.Fatal(err)
	}
	return created.ID
}

// Labels are the bed's label, and others.
func (b *Bed) Labels(others ...string) map[string]string {
	all := map[string]string{}
	for _, label := range append(others, b.Label) {
		key, value, _ := strings.Cut(label, "=")
		all[key] = value
	}
	return all
}

// Remove removes a container in any state.
func (b *Bed) Remove(id string) {
	_ = b.Client.ContainerRemove(b.afterwards(), id, container.RemoveOptions{Force: true})
}

// afterwards is a context for cleanup after the test's own context has ended.
func (b *Bed) afterwards() context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.T.Context()), 30*time.Second)
	time.AfterFunc(30*time.Second, cancel)
	return ctx
}

// Inspect is the engine's view of a container.
func (b *Bed) Inspect(id string) container.InspectResponse {
	b.T.Helper()
	r, err := b.Client.ContainerInspect(b.T.Context(), id)
	if err != nil {
		b.T.Fatal(err)
	}
	return r
}

// Serves reports whether the container answers a request within half a second.
func (b *Bed) Serves(id string) bool {
	ctx, cancel := context.WithTimeout(b.T.Context(), 500*time.Millisecond)
	defer cancel()
	address := b.Address(id)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+":8080/healthz", nil)
	if err != nil || address == "" {
		return false
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Address is the container's address on its first network.
func (b *Bed) Address(id string) string {
	b.T.Helper()
	for _, n := range b.Inspect(id).NetworkSettings.Networks {
		return n.IPAddress
	}
	return ""
}

// Open opens a container as the code under test does.
func (b *Bed) Open(id string) target.Handle {
	b.T.Helper()
	h, err := b.Env.Open(b.T.Context(), id)
	if err != nil {
		b.T.Fatal(err)
	}
	return h
}

// Eventually waits up to 20 seconds for a condition.
func (b *Bed) Eventually(what string, holds func() bool) {
	b.T.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			b.T.Fatalf("%s: not within 20s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// Soon is the timeout of one request to a container of a test.
const Soon = 2 * time.Second

// FreePort is a port of this machine that is free now.
func FreePort(tb testing.TB) string {
	tb.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return port
}
