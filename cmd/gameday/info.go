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

// version is that of the module, with the revision if it is known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// build is what this program was built of.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of its source; empty if it is not known
	Time     string `json:"time,omitempty"`     // of that revision
	Modified bool   `json:"modified"`           // the source was not as it is in that revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func buildOf() build {
	b := build{Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func versionCommand() *cli.Command {
	return &cli.Command{Name: "version", Usage: "print version and build information", Flags: []cli.Flag{jsonFlag()}, Action: func(c *cli.Context) error {
		b := buildOf()
		if c.Bool("json") {
			return report.Document(c.App.Writer, b)
		}
		text := fmt.Sprintf("gameday %s %s %s", b.Version, b.Go, b.Platform)
		if b.Revision != "" {
			text += fmt.Sprintf("\nrevision %s of %s%s", b.Revision, b.Time, map[bool]string{true: ", modified"}[b.Modified])
		}
		_, err := fmt.Fprintln(c.App.Writer, text)
		return err
	}}
}

func (p program) schemaCommand() *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "print a JSON Schema for editors", ArgsUsage: "scenario|journey|environment|verdict",
		Action: func(c *cli.Context) error {
			of, err := one(c, "one of scenario, journey, environment, verdict")
			if err != nil {
				return err
			}
			var data []byte
			if of == "verdict" {
				data, err = json.MarshalIndent(report.VerdictSchema(), "", "  ")
			} else {
				data, err = scenario.Schema(of, p.library().Kinds, p.drivers)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.App.Writer, "%s\n", data)
			return err
		},
	}
}
