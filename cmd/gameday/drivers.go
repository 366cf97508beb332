package main

import (
	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
	"github.com/gameday-dev/gameday/pkg/target/docker/lab"
)

// drivers are the kinds of environments that gameday can reach. This is the one
// place that names them.
func drivers() target.Drivers {
	return target.Drivers{docker.Driver(lab.Labs{Files: labs.Files})}
}
