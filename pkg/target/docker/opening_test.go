package docker_test

import (
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// opening is all that an environment is opened with.
type opening struct {
	target.Options

	Config docker.Config
}

// pinOf is a configuration with all that the surroundings choose written down.
func pinOf(c docker.Config) (*docker.Config, error) {
	pinned, err := c.Pin()
	return pinned.(*docker.Config), err
}
