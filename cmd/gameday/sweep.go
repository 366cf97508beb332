package main

import (
	"io"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/sweep"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

func (p program) sweepCommand() *cli.Command {
	return &cli.Command{
		Name:  "sweep",
		Usage: "fault every component in turn and list the SPOFs",
		Description: "gameday faults one component at a time, reverts the fault, and judges. Results so far are in sweep.json in the\n" +
			"sweep's folder; --resume DIR continues an interrupted sweep.\n\n" + exitCodeHelp,
		Flags: append(walkFlags(),
			&cli.StringSliceFlag{Name: "fault", Value: cli.NewStringSlice(session.DefaultKind), Usage: "`KIND` of fault to inject; only kinds without required settings (repeatable)"},
			&cli.StringSliceFlag{Name: "only", Usage: "fault only this `COMPONENT` (repeatable)"},
			&cli.StringSliceFlag{Name: "except", Usage: "skip this `COMPONENT` (repeatable)"},
			&cli.BoolFlag{Name: "zones", Usage: "also fault every zone, after the components"},
			&cli.BoolFlag{Name: "pairs", Usage: "also fault every pair of components of a tier at once"},
			&cli.IntFlag{Name: "repeat", Value: 1, Usage: "number of trials of each experiment; the worst verdict counts"},
			&cli.DurationFlag{Name: "rto", Value: session.DefaultRTO, Usage: "recovery time objective"},
			&cli.DurationFlag{Name: "within", Value: verdict.DefaultWithin, Usage: "a user whose whole journey takes longer counts as slow"},
			&cli.StringFlag{Name: "good", Value: unit.Ratio(verdict.DefaultGood).String(), Usage: "`SHARE` of users that must be served within that time"},
			&cli.DurationFlag{Name: "baseline", Value: session.DefaultBaseline, Usage: "length of the baseline before each fault"},
			&cli.StringFlag{Name: "until", Value: scenario.UntilDecided, Usage: "`WHEN` faults are reverted: decided (as soon as the verdict is certain) or watch (RTO + 10s after the injection)"},
			&cli.StringFlag{Name: "resume", Usage: "continue the sweep in this `DIR`"},
			&cli.BoolFlag{Name: "json", Usage: "write sweep.json to standard output instead of the table"},
		),
		Action: p.sweepEnvironment,
	}
}

func (p program) sweepEnvironment(c *cli.Context) error {
	s, in, err := p.walk(c)
	if err != nil {
		return err
	}
	for _, kind := range c.StringSlice("fault") {
		if err := s.PlainKind(kind); err != nil {
			return usageError("--fault: %w", err)
		}
	}
	if err := checkRepeat(c); err != nil {
		return err
	}
	if until := c.String("until"); until != scenario.UntilDecided && until != scenario.UntilWatch {
		return usageError("--until: found %q, expected %s or %s", until, scenario.UntilDecided, scenario.UntilWatch)
	}
	var good unit.Ratio
	if err := good.UnmarshalText([]byte(c.String("good"))); err != nil {
		return usageError("--good: %w", err)
	}
	if c.Duration("within") <= 0 {
		return usageError("--within %s: expected more than 0s", c.Duration("within"))
	}
	s, request, view := watched(c, s, in)
	swept, err := s.Sweep(c.Context, session.SweepRequest{
		Request: request,
		Choice: sweep.Choice{
			Kinds: c.StringSlice("fault"), Only: c.StringSlice("only"), Except: c.StringSlice("except"),
			Zones: c.Bool("zones"), Pairs: c.Bool("pairs"),
		},
		Until:  c.String("until"),
		Within: c.Duration("within"), Good: good,
		RTO: c.Duration("rto"), Baseline: c.Duration("baseline"), Repeat: c.Int("repeat"), Resume: c.String("resume"),
	})
	view.close()
	if swept == nil {
		return ending(err, session.ExitOK)
	}
	unprinted(c, swept.Dir, showSweep(c, swept))
	return ending(err, swept.Sweep.ExitCode())
}

func showSweep(c *cli.Context, swept *session.Swept) error {
	if c.Bool("json") {
		return report.Document(c.App.Writer, &swept.Sweep)
	}
	if err := swept.Sweep.Terminal(c.App.Writer); err != nil {
		return err
	}
	_, err := io.WriteString(c.App.Writer, "\nReport      "+filepath.Join(swept.Dir, "sweep.md")+"\n")
	return err
}
