package lab

import (
	"context"
	"errors"
	"os"
	"os/exec"
)

// errNoCompose says what to do if there is no compose.
var errNoCompose = errors.New("labs need Docker Compose, and neither `docker compose` nor `docker-compose` is installed: see https://docs.docker.com/compose/install")

// compose runs docker compose if it is installed, else docker-compose, on the
// compose.yaml in dir.
func (p Provisioner) compose(ctx context.Context, dir string, environ []string, args ...string) error {
	command, err := composeCommand(ctx)
	if err != nil {
		return err
	}
	args = append(append(command[1:], "-f", "compose.yaml"), args...)
	cmd := exec.CommandContext(ctx, command[0], args...) //nolint:gosec // G204: our own command
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "DOCKER_HOST="+p.Engine.Host(), "COMPOSE_ANSI=never"), environ...)
	return p.run(cmd)
}

func composeCommand(ctx context.Context) ([]string, error) {
	if docker, err := exec.LookPath("docker"); err == nil {
		if exec.CommandContext(ctx, docker, "compose", "version").Run() == nil { //nolint:gosec // G204: docker
			return []string{docker, "compose"}, nil
		}
	}
	if standalone, err := exec.LookPath("docker-compose"); err == nil {
		return []string{standalone}, nil
	}
	return nil, errNoCompose
}
