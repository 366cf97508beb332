package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/client"

	"github.com/gameday-dev/gameday/internal/program"
)

// Engine is a Docker engine, without a fence: for what is not a component,
// such as images.
type Engine struct {
	client *client.Client
	id     string
	arch   string

	loading sync.Mutex // guards programs
	// programs are the references of the images of gameday's programs, once loaded.
	programs map[program.Name]string
}

// Connect reaches an engine, and asks it who it is. The caller closes it.
func Connect(ctx context.Context, config *Config) (*Engine, error) {
	opts, err := config.options()
	if err != nil {
		return nil, err
	}
	c, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, fmt.Errorf("reach the Docker engine: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	info, err := c.Info(ctx)
	if err != nil {
		return nil, errors.Join(unreachable(c.DaemonHost(), err), c.Close())
	}
	return &Engine{client: c, id: identity(info), arch: goArch(info.Architecture), programs: map[program.Name]string{}}, nil
}

// identity tells one engine from another. The engine's own ID is not enough: it comes
// from a key in /etc/docker, which the engines of one machine share, and which cloned
// machines have in common. Where its data are, and the name of its machine, tell those
// apart.
func identity(info system.Info) string {
	sum := sha256.Sum256([]byte(info.DockerRootDir))
	return strings.Join([]string{info.ID, info.Name, hex.EncodeToString(sum[:4])}, "@")
}

func unreachable(host string, err error) error {
	if strings.Contains(err.Error(), "permission denied") {
		return fmt.Errorf("this user may not use the Docker engine at %s: run gameday as root, or as a member of the group docker (%w)", host, err)
	}
	return fmt.Errorf("no Docker engine answers at %s: start it, or correct DOCKER_HOST, or docker: {host: …} in gameday.yaml (%w)", host, err)
}

// goArch is Go's word for an architecture that the engine names as uname does.
func goArch(machine string) string {
	switch machine {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return machine
}

// Host is where the engine listens.
func (e *Engine) Host() string { return e.client.DaemonHost() }

// Close closes the connection to the engine.
func (e *Engine) Close() error { return e.client.Close() }
