package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
)

func (p program) validateCommand() *cli.Command {
	return &cli.Command{
		Name:      "validate",
		Usage:     "check scenarios, journeys and gameday.yaml files",
		ArgsUsage: "FILE...",
		Description: "A file named gameday.yaml is checked as environments, a file in a folder journeys as a journey, and any other file\n" +
			"as a scenario.",
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return usageError("no file given: gameday validate FILE...")
			}
			var errs []error
			for _, file := range c.Args().Slice() {
				metrics, err := p.validate(file)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				fmt.Fprintln(c.App.Writer, shown(file+": valid"))
				for _, m := range metrics {
					fmt.Fprintln(c.App.Writer, shown("  observes "+m))
				}
			}
			if err := errors.Join(errs...); err != nil {
				return usageError("invalid:\n%w", err)
			}
			return nil
		},
	}
}

// validate reads a file as what its name and folder say that it is. A scenario
// is checked with the environment that it names, too. It returns the metrics that runs would
// observe.
func (p program) validate(file string) (metrics []string, err error) {
	data, err := bounded.File(file, bounded.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file: check the path", file)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case filepath.Base(file) == scenario.EnvironmentFile:
		var all scenario.Environments
		all, err = scenario.LoadEnvironments(file, data, p.drivers, attach.Check)
		for _, name := range slices.Sorted(maps.Keys(all.Environments)) {
			for _, m := range (scenario.Scenario{}).In(all.Environments[name]).Observe {
				metrics = append(metrics, name+": "+m.String())
			}
		}
	case filepath.Base(filepath.Dir(absolute(file))) == "journeys":
		_, err = scenario.LoadJourney(file, data, p.library().Beside(absolute(file)))
	default:
		files := session.Session{Library: p.library()}
		var what scenario.Scenario
		if what, err = scenario.Load(file, data, files.Library.Kinds); err == nil && what.Environment != "" {
			var in session.Input
			in, err = files.Bind(what, "")
			what = in.Scenario
		}
		for _, m := range what.Observe {
			metrics = append(metrics, m.String())
		}
	}
	return metrics, err
}

func absolute(file string) string {
	path, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	return path
}
