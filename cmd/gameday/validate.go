package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

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
				if err := p.validate(file); err != nil {
					errs = append(errs, err)
					continue
				}
				fmt.Fprintln(c.App.Writer, shown(file+": valid"))
			}
			if err := errors.Join(errs...); err != nil {
				return usageError("invalid:\n%w", err)
			}
			return nil
		},
	}
}

// validate reads a file as what its name and folder say that it is. A scenario
// is checked with the environment that it names, too.
func (p program) validate(file string) error {
	data, err := bounded.File(file, bounded.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no such file: check the path", file)
	}
	if err != nil {
		return err
	}
	switch {
	case filepath.Base(file) == scenario.EnvironmentFile:
		_, err = scenario.LoadEnvironments(file, data, p.drivers, attach.Check)
	case filepath.Base(filepath.Dir(absolute(file))) == "journeys":
		_, err = scenario.LoadJourney(file, data, p.library().Beside(absolute(file)))
	default:
		files := session.Session{Library: p.library()}
		var what scenario.Scenario
		if what, err = scenario.Load(file, data, files.Library.Kinds); err == nil && what.Environment != "" {
			_, err = files.Bind(what, "")
		}
	}
	return err
}

func absolute(file string) string {
	path, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	return path
}
