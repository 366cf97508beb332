package main

import (
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/topology"
)

// walkFlags are those of commands about a whole environment.
func walkFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "lab", Usage: "bundled lab `NAME`; if it is not up, gameday starts it and removes it afterwards"},
		&cli.StringFlag{Name: "env", Usage: "environment `NAME` in gameday.yaml"},
		&cli.StringSliceFlag{Name: "journey", Usage: "`JOURNEY` of the users (repeatable) (default: checkout, or the only journey)"},
		&cli.StringFlag{Name: "rate", Value: session.DefaultRate, Usage: "arrival `RATE` of users"},
		&cli.BoolFlag{Name: "keep-lab", Usage: "do not remove the lab afterwards"},
		outFlag(),
	}
}

func (p program) mapCommand() *cli.Command {
	formats := append(slices.Sorted(maps.Keys(topology.Formats())), "json")
	return &cli.Command{
		Name:  "map",
		Usage: "draw the architecture and predict its SPOFs",
		Description: "gameday reads the open connections of every component while users walk their journeys; nothing is installed.\n" +
			"It predicts that a component is a SPOF if all user traffic passes through it and it has no redundant peer.\n" +
			"gameday sweep tests the predictions.",
		Flags: append(walkFlags(),
			&cli.DurationFlag{Name: "for", Value: 5 * time.Second, Usage: "observation time"},
			&cli.StringFlag{Name: "format", Value: "text", Usage: "`FORMAT`: " + strings.Join(formats, ", ")},
		),
		Action: func(c *cli.Context) error {
			if !slices.Contains(formats, c.String("format")) {
				return usageError("--format %s: %s", c.String("format"), strictyaml.Suggest(c.String("format"), formats))
			}
			s, in, err := p.walk(c)
			if err != nil {
				return err
			}
			s, request, view := watched(c, s, in)
			m, err := s.Map(c.Context, request, c.Duration("for"))
			view.close()
			if err != nil {
				return ending(err, session.ExitOK)
			}
			return drawMap(c.App.Writer, c.String("format"), m)
		},
	}
}

// walk finds the environment and the journeys of a command about a whole environment.
func (p program) walk(c *cli.Context) (s session.Session, in session.Input, err error) {
	environment := c.String("env")
	if c.String("lab") != "" {
		environment = target.LabPrefix + c.String("lab")
	}
	if environment == "" || c.String("env") != "" && c.String("lab") != "" {
		return s, in, usageError("set either --lab NAME, for example --lab checkout, or --env NAME of gameday.yaml")
	}
	w := session.Walk{Name: c.Command.Name, Environment: environment, Journeys: c.StringSlice("journey")}
	if err := w.Rate.UnmarshalText([]byte(c.String("rate"))); err != nil {
		return s, in, usageError("--rate %s: %w", c.String("rate"), err)
	}
	if s, err = p.session(c.String("out"), nil); err == nil {
		in, err = s.Bound(w)
	}
	return s, in, err
}

func drawMap(out io.Writer, format string, m topology.Map) error {
	if format == "json" {
		return report.Document(out, struct {
			Schema string `json:"schema"`
			topology.Map
		}{"gameday/map/v1", m})
	}
	return topology.Formats()[format](out, m, nil)
}
