package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/topology"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// walkFlags are those of commands about a whole environment.
func walkFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "lab", Usage: "a bundled lab; it is brought up and taken down, unless it is up already"},
		&cli.StringFlag{Name: "env", Usage: "an environment of gameday.yaml"},
		&cli.StringSliceFlag{Name: "journey", Value: cli.NewStringSlice("checkout"), Usage: "what users do meanwhile"},
		&cli.StringFlag{Name: "rate", Value: "50/s", Usage: "how many users set out"},
		&cli.BoolFlag{Name: "keep-lab", Usage: "leave the lab up"},
		outFlag(),
	}
}

func mapCommand() *cli.Command {
	formats := append(slices.Sorted(maps.Keys(topology.Formats())), "json")
	return &cli.Command{
		Name:  "map",
		Usage: "draw who talks to whom while users walk their journeys, and predict SPOFs",
		Description: "The map is read from the open connections of every component, with no tool in them. It predicts:\n" +
			"what every way of the users leads through, and what there is only one of. gameday sweep proves.",
		Flags: append(walkFlags(),
			&cli.DurationFlag{Name: "for", Value: 5 * time.Second, Usage: "how long to look"},
			&cli.StringFlag{Name: "format", Value: "text", Usage: strings.Join(formats, ", ")},
		),
		Action: func(c *cli.Context) error {
			if !slices.Contains(formats, c.String("format")) {
				return usageError("--format %s: %s", c.String("format"), strictyaml.Suggest(c.String("format"), formats))
			}
			w, err := newWalk(c, "map")
			if err != nil {
				return err
			}
			defer w.in.engine.Close()
			var m topology.Map
			err = w.day.Hold(w.ctx, func(run.Stage) error {
				m, err = w.observe(c.Duration("for"))
				return err
			})
			w.view.close()
			if err != nil {
				return notPutBack(err)
			}
			return drawMap(c.App.Writer, c.String("format"), m)
		},
	}
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

// walk is a command about a whole environment under way.
type walk struct {
	ctx  context.Context //nolint:containedctx // that of the command, which this is
	in   input
	day  run.Day
	view *view
	rate probe.Rate
}

// newWalk finds the environment and its journeys.
func newWalk(c *cli.Context, name string) (*walk, error) {
	environment := c.String("env")
	if c.String("lab") != "" {
		environment = scenario.LabPrefix + c.String("lab")
	}
	if environment == "" || c.String("env") != "" && c.String("lab") != "" {
		return nil, usageError("name either a lab (--lab checkout) or an environment of gameday.yaml (--env staging)")
	}
	w := &walk{}
	if err := w.rate.UnmarshalText([]byte(c.String("rate"))); err != nil {
		return nil, usageError("--rate %s: %w", c.String("rate"), err)
	}
	s := scenario.Scenario{
		Name: name + "-" + filepath.Base(environment), Environment: environment,
		Objective: scenario.Objective{Good: verdict.DefaultGood, Within: verdict.DefaultWithin},
	}
	for _, j := range c.StringSlice("journey") {
		s.Load = append(s.Load, scenario.JourneyLoad{Journey: j, Rate: w.rate, Critical: true})
	}
	var err error
	if w.in, err = bindFiles(library(), s, ""); err != nil {
		return nil, err
	}
	if w.in.engine, err = openEnvironment(c.Context, w.in.environment); err != nil {
		return nil, err
	}
	if w.day, w.view, err = newDay(c, w.in); err != nil {
		return nil, errors.Join(err, w.in.engine.Close())
	}
	w.ctx = withPerson(c.Context, w.view)
	return w, nil
}

// observe looks at the environment while users walk.
func (w *walk) observe(lasts time.Duration) (topology.Map, error) {
	w.view.progress(fmt.Sprintf("looking at who talks to whom, for %v", lasts))
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	wait := walkAll(ctx, w.day, func(int, probe.Visit) {})
	m, err := topology.Observe(ctx, w.in.engine, w.in.environment.Name, w.users(), lasts)
	cancel()
	err = errors.Join(err, wait())
	if err == nil && w.ctx.Err() != nil {
		err = w.ctx.Err()
	}
	return m, err
}

// walkAll lets users walk all journeys of a day until ctx ends; on is told what those of
// the n-th met. wait waits until none walks any more.
func walkAll(ctx context.Context, day run.Day, on func(n int, v probe.Visit)) (wait func() error) {
	ended := make(chan error, len(day.Journeys))
	for n := range day.Journeys {
		load := day.Traffic(n, uint64(n))
		go func() { ended <- load.Run(ctx, func(v probe.Visit) { on(n, v) }) }()
	}
	return func() (err error) {
		for range day.Journeys {
			err = errors.Join(err, <-ended)
		}
		return err
	}
}

// users is what is declared of them.
func (w *walk) users() (u topology.Users) {
	for _, l := range w.in.scenario.Load {
		u.Inside = u.Inside || w.in.environment.Comes(l) == scenario.FromInside
	}
	if inside := w.in.environment.Inside; u.Inside && inside != nil {
		u.Ask = inside.DNS
	}
	return u
}
