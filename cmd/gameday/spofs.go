package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/register"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// registerFile is where the register is: in the current folder, or else beside the nearest
// gameday.yaml, as the scenarios are.
func (p program) registerFile() string {
	if _, err := os.Lstat(register.File); err == nil {
		return register.File
	}
	return filepath.Join(p.library().Root(), register.File)
}

// openRegister reads spofs.yaml, if there is one.
func (p program) openRegister() (register.Register, error) {
	file := p.registerFile()
	data, err := bounded.File(file, bounded.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return register.Register{}, nil
	}
	if err != nil {
		return register.Register{}, fmt.Errorf("read the register: %w", err)
	}
	return register.Load(file, data)
}

func (p program) spofsCommand() *cli.Command {
	out := &cli.StringFlag{Name: "out", Value: "gameday-runs", Usage: "`FOLDER` with the runs, which are the evidence"}
	return &cli.Command{
		Name: "spofs", Usage: "manage decisions on SPOFs in " + register.File,
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list decisions", Flags: []cli.Flag{out}, Action: p.spofsList},
			{
				Name: "check", Usage: "fail on incomplete decisions and undecided SPOFs",
				Flags:  []cli.Flag{out, &cli.DurationFlag{Name: "max-age", Value: 90 * 24 * time.Hour, Usage: "maximum age of evidence"}},
				Action: p.spofsCheck,
			},
			{
				Name: "add", Usage: "add a decision", ArgsUsage: "COMPONENT",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "env", Required: true, Usage: "environment: `NAME` in gameday.yaml, or lab/NAME"},
					&cli.StringFlag{Name: "decision", Value: "accept", Usage: "`DECISION`: accept or fix"},
					&cli.StringFlag{Name: "owner", Usage: "`PERSON` who is responsible"},
					&cli.DurationFlag{Name: "rto", Usage: "accepted outage, for example 30m"},
					&cli.StringFlag{Name: "reason", Usage: "`REASON` for the decision"},
					&cli.StringFlag{Name: "plan", Usage: "`PLAN` to remove the SPOF"},
					&cli.StringFlag{Name: "review", Usage: "date of the next review: `YYYY-MM-DD`"},
					&cli.Float64Flag{Name: "hour-down", Usage: "cost of one hour of outage; needs --failures-a-year and --redundancy-a-month"},
					&cli.Float64Flag{Name: "failures-a-year", Usage: "failures per year"},
					&cli.Float64Flag{Name: "redundancy-a-month", Usage: "cost of redundancy per month"},
					&cli.StringFlag{Name: "currency", Usage: "`CURRENCY` of the amounts, for example EUR"},
				},
				Action: p.spofsAdd,
			},
			{Name: "cost", Usage: "compare yearly outage cost with cost of redundancy", Flags: []cli.Flag{out}, Action: p.spofsCost},
		},
	}
}

func (p program) spofsList(c *cli.Context) error {
	decisions, err := p.openRegister()
	if err != nil {
		return err
	}
	if len(decisions.SPOFs) == 0 {
		_, err := fmt.Fprintf(c.App.Writer, "no decisions yet: run gameday spofs add, or edit %s\n", register.File)
		return err
	}
	runs, err := allRuns(c)
	if err != nil {
		return err
	}
	issues := history.Issues(runs)
	rows := make([][]string, 0, len(decisions.SPOFs))
	for _, d := range decisions.SPOFs {
		review := "-"
		if !d.Review.IsZero() {
			review = d.Review.String()
		}
		rows = append(rows, []string{
			d.Component, d.Environment, string(d.Decision), cmp.Or(d.Owner, "-"), d.RTO.String(), review,
			cmp.Or(strings.Join(d.Lacks(time.Now()), ", "), "-"), issuesCell(issues[[2]string{d.Environment, d.Component}]),
		})
	}
	return table(c.App.Writer, []string{"component", "environment", "decision", "owner", "rto", "review", "problems", "issues"}, rows)
}

// issuesCell is the issues about a component, in a table.
func issuesCell(all []report.Issue) string {
	var texts []string
	for _, i := range all {
		texts = append(texts, i.URL+" ("+i.State+")")
	}
	return cmp.Or(strings.Join(texts, ", "), "-")
}

// allRuns are all runs, the oldest first.
func allRuns(c *cli.Context) (runs []history.Entry, err error) {
	err = withHistory(c, func(h *history.History) error {
		runs, err = h.Runs(c.Context, history.Filter{})
		return err
	})
	if errors.Is(err, history.ErrNoRun) {
		return nil, nil // nothing was run yet
	}
	return runs, err
}

// decidedAndSeen are the decisions, and the evidence about them.
func (p program) decidedAndSeen(c *cli.Context) (register.Register, map[[2]string]report.Report, error) {
	decisions, err := p.openRegister()
	if err != nil {
		return decisions, nil, err
	}
	runs, err := allRuns(c)
	return decisions, history.Evidence(runs), err
}

func (p program) spofsCheck(c *cli.Context) error {
	decisions, newest, err := p.decidedAndSeen(c)
	if err != nil {
		return err
	}
	now := time.Now()
	var wrong []string
	for _, d := range decisions.SPOFs {
		for _, lack := range d.Lacks(now) {
			wrong = append(wrong, fmt.Sprintf("%s: %s in %s: %s", d.Where, d.Component, d.Environment, lack))
		}
		if text := contradicted(d, newest, now.Add(-c.Duration("max-age"))); text != "" {
			wrong = append(wrong, fmt.Sprintf("%s: %s in %s: %s", d.Where, d.Component, d.Environment, text))
		}
	}
	for key, r := range newest {
		if _, decided := decisions.Find(key[0], key[1]); !decided && r.Outcome == verdict.Proven {
			wrong = append(wrong, fmt.Sprintf("%s: %s in %s was proven by run %s and has no decision: run gameday spofs add %s --env %s --owner NAME --rto DURATION --plan TEXT --review YYYY-MM-DD",
				register.File, key[1], key[0], r.ID, key[1], key[0]))
		}
	}
	if len(wrong) == 0 {
		_, err := fmt.Fprintf(c.App.Writer, "%d decisions: all complete and consistent with the evidence\n", len(decisions.SPOFs))
		return err
	}
	slices.Sort(wrong)
	return &exitError{session.ExitProven, errors.New(strings.Join(wrong, "\n"))}
}

// contradicted says what the evidence has against a decision.
func contradicted(d register.Decision, newest map[[2]string]report.Report, since time.Time) string {
	r, known := newest[[2]string{d.Environment, d.Component}]
	switch {
	case !known:
		return "no run has proven or disproved this SPOF: run gameday sweep"
	case r.Started.Before(since):
		return "the evidence, run " + r.ID + ", is too old: run the scenario or the sweep again"
	case r.Outcome == verdict.Disproved:
		return "the newest run, " + r.ID + ", disproves it: remove the decision"
	case d.Decision == register.Accept:
		if ok, why := d.Accepts(r.Lasted(), time.Now()); !ok && len(d.Lacks(time.Now())) == 0 {
			return why
		}
	}
	return ""
}

func (p program) spofsAdd(c *cli.Context) error {
	component, err := one(c, "a component")
	if err != nil {
		return err
	}
	d := register.Decision{
		Component: component, Environment: c.String("env"), Decision: register.Verb(c.String("decision")),
		Owner: c.String("owner"), RTO: c.Duration("rto"), Reason: c.String("reason"), Plan: c.String("plan"),
	}
	if review := c.String("review"); review != "" {
		if err := d.Review.UnmarshalText([]byte(review)); err != nil {
			return usageError("--review %s: %w", review, err)
		}
	}
	if c.IsSet("hour-down") || c.IsSet("failures-a-year") || c.IsSet("redundancy-a-month") {
		d.Cost = &register.Cost{
			HourDown: c.Float64("hour-down"), Failures: c.Float64("failures-a-year"),
			Redundancy: c.Float64("redundancy-a-month"), Currency: c.String("currency"),
		}
	}
	if lacks := d.Lacks(time.Now()); len(lacks) > 0 {
		return usageError("the decision is incomplete: %s; give --owner, --rto, --plan and --review", strings.Join(lacks, ", "))
	}
	file := p.registerFile()
	before, err := bounded.File(file, bounded.MaxFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	after, err := register.Append(before, d)
	if err != nil {
		return err
	}
	err = atomicfile.WriteThrough(file, 0o644, func(w io.Writer) error {
		_, err := w.Write(after)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, "written to %s\n", file)
	return err
}

func (p program) spofsCost(c *cli.Context) error {
	decisions, newest, err := p.decidedAndSeen(c)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, d := range decisions.SPOFs {
		if d.Cost == nil {
			continue
		}
		r, known := newest[[2]string{d.Environment, d.Component}]
		if !known {
			rows = append(rows, []string{d.Component, d.Environment, "not measured", "-", "-", "-"})
			continue
		}
		outage, living, redundancy, even := report.CostOf(*d.Cost, r.Verdict).Cells()
		rows = append(rows, []string{d.Component, d.Environment, outage, living, redundancy, even})
	}
	return table(c.App.Writer, []string{"component", "environment", "outage", "outage cost", "redundancy cost", "break-even"}, rows)
}
