package docker

import (
	"context"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Driver is the driver of Docker engines. Labs are those that it can bring up.
func Driver(labs target.Labs) target.Driver {
	return target.Driver{
		Kind: "docker",
		Doc:  "Containers on a Docker engine, fenced by a compose project or by labels.",
		New:  func() target.Settings { return new(Config) },
		Open: func(ctx context.Context, settings target.Settings, options target.Options) (target.Site, error) {
			config, ok := settings.(*Config)
			if !ok {
				return nil, fmt.Errorf("open a Docker environment: the settings are %T", settings)
			}
			return Open(ctx, config, options)
		},
		Labs:     labs,
		Discover: discover,
	}
}
