package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// version is that of the module, with the revision where it is known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func versionCommand() *cli.Command {
	return &cli.Command{Name: "version", Usage: "print the version", Action: func(c *cli.Context) error {
		_, err := fmt.Fprintf(c.App.Writer, "gameday %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	}}
}

func schemaCommand() *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "print the JSON Schema of a kind of file, for editors", ArgsUsage: "scenario|journey|environment|verdict",
		Action: func(c *cli.Context) error {
			of, err := one(c, "one of scenario, journey, environment, verdict")
			if err != nil {
				return err
			}
			var data []byte
			if of == "verdict" {
				data, err = json.MarshalIndent(report.VerdictSchema(), "", "  ")
			} else {
				data, err = scenario.Schema(of, library().Kinds)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.App.Writer, "%s\n", data)
			return err
		},
	}
}
