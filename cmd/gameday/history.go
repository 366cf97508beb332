package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/sweep"
)

func outFlag() cli.Flag {
	return &cli.StringFlag{Name: "out", Value: "gameday-runs", Usage: "`FOLDER` that contains the runs"}
}

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "write JSON instead of a table"}
}

func historyCommand() *cli.Command {
	return &cli.Command{
		Name: "history", Usage: "list and analyze past runs",
		Description: "Each run is a folder in --out. gameday keeps an index of the runs there, and rebuilds a missing index.",
		Flags: []cli.Flag{
			outFlag(), jsonFlag(),
			&cli.StringFlag{Name: "scenario", Usage: "only runs of the scenario `NAME`"},
			&cli.StringFlag{Name: "env", Usage: "only runs in the environment `NAME`"},
			&cli.StringFlag{Name: "component", Usage: "only runs that suspect the component `NAME`"},
			&cli.StringFlag{Name: "verdict", Usage: "only runs with this `VERDICT`"},
			&cli.DurationFlag{Name: "since", Usage: "only runs newer than this, for example 720h"},
		},
		Action: historyList,
		Subcommands: []*cli.Command{
			{
				Name: "trend", Usage: "show recovery times and verdicts over time", ArgsUsage: "SCENARIO",
				Flags: []cli.Flag{outFlag(), jsonFlag(), &cli.StringFlag{Name: "env", Usage: "environment `NAME` (default: that of the newest run)"}}, Action: historyTrend,
			},
			{
				Name: "score", Usage: "show which components have evidence of redundancy",
				Flags:  []cli.Flag{outFlag(), jsonFlag(), &cli.DurationFlag{Name: "fresh", Value: history.DefaultFresh, Usage: "maximum age of evidence"}},
				Action: historyScore,
			},
			{
				Name: "prune", Usage: "remove old runs of each scenario and environment",
				Flags:  []cli.Flag{outFlag(), &cli.IntFlag{Name: "keep", Required: true, Usage: "number of newest runs to keep for each scenario and environment"}, &cli.BoolFlag{Name: "dry-run", Usage: "only print what would be removed"}},
				Action: historyPrune,
			},
		},
	}
}

// withHistory opens the history of the folder that --out names.
func withHistory(c *cli.Context, do func(*history.History) error) error {
	h, err := history.Open(c.Context, c.String("out"))
	if err != nil {
		return err
	}
	if err := do(h); err != nil {
		_ = h.Close() // what went wrong before counts
		return err
	}
	return h.Close()
}

// findRun finds a run by what a person calls it, or by its folder.
func findRun(c *cli.Context, reference string) (dir string, err error) {
	if info, statErr := os.Stat(filepath.Join(reference, "events.jsonl")); statErr == nil && !info.IsDir() {
		return reference, nil
	}
	err = withHistory(c, func(h *history.History) error {
		e, err := h.Find(c.Context, reference)
		dir = e.Dir
		return err
	})
	return dir, err
}

// builtRun is a run that a person means, judged and summed up from its record.
func builtRun(c *cli.Context, reference string) (dir string, r report.Report, err error) {
	if dir, err = findRun(c, reference); err != nil {
		return dir, r, err
	}
	r, err = report.Build(dir)
	return dir, r, err
}

func historyList(c *cli.Context) error {
	if c.Args().Present() {
		return noCommand(c)
	}
	f := history.Filter{Scenario: c.String("scenario"), Environment: c.String("env"), Component: c.String("component"), Verdict: c.String("verdict")}
	if since := c.Duration("since"); since > 0 {
		f.Since = time.Now().Add(-since)
	}
	return withHistory(c, func(h *history.History) error {
		runs, err := h.Runs(c.Context, f)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			reports := []report.Report{}
			for _, e := range runs {
				if e.Problem == "" {
					reports = append(reports, e.Report)
				}
			}
			return report.Document(c.App.Writer, reports)
		}
		rows := make([][]string, 0, len(runs))
		for _, e := range runs {
			if e.Problem != "" {
				rows = append(rows, []string{e.ID, "-", "-", "no verdict", e.Problem})
				continue
			}
			r := e.Report
			rows = append(rows, []string{e.ID, r.Environment, cmp.Or(r.Suspect.Component, "-"), string(r.Outcome), report.RecoveryOf(r)})
		}
		return table(c.App.Writer, []string{"run", "environment", "suspect", "verdict", "recovery"}, rows)
	})
}

func historyTrend(c *cli.Context) error {
	scenario, err := one(c, "a scenario")
	if err != nil {
		return err
	}
	return withHistory(c, func(h *history.History) error {
		runs, err := h.Runs(c.Context, history.Filter{Scenario: scenario, Environment: c.String("env")})
		if err != nil {
			return err
		}
		if len(runs) == 0 {
			return fmt.Errorf("%s: %w: run gameday history for a list", scenario, history.ErrNoRun)
		}
		environment := runs[len(runs)-1].Report.Environment
		var same []history.Entry
		for _, e := range runs {
			if e.Report.Environment == environment {
				same = append(same, e)
			}
		}
		t := history.TrendOf(same)
		if c.Bool("json") {
			return report.Document(c.App.Writer, trendDocument(scenario, environment, t))
		}
		rows := make([][]string, 0, len(t.Runs))
		for _, e := range t.Runs {
			rows = append(rows, []string{e.Started.Local().Format("2006-01-02 15:04"), string(e.Report.Outcome), report.RecoveryOf(e.Report), e.ID})
		}
		if err := table(c.App.Writer, []string{"when", "verdict", "recovery", "run"}, rows); err != nil {
			return err
		}
		text := "no regression"
		switch {
		case t.Regression != "":
			text = "REGRESSION: " + t.Regression
		case t.Expected == nil:
			text = "too few recovery times to detect a regression"
		}
		_, err = fmt.Fprintf(c.App.Writer, "\n%s\n", plaintext.Line(fmt.Sprintf("%s in %s: %s", scenario, environment, text)))
		return err
	})
}

func trendDocument(scenario, environment string, t history.Trend) any {
	reports := make([]report.Report, 0, len(t.Runs))
	for _, e := range t.Runs {
		reports = append(reports, e.Report)
	}
	return struct {
		Schema      string          `json:"schema"`
		Scenario    string          `json:"scenario"`
		Environment string          `json:"environment"`
		Regression  string          `json:"regression"`
		Expected    any             `json:"expected_up_to_s"`
		Runs        []report.Report `json:"runs"`
	}{"gameday/trend/v1", scenario, environment, t.Regression, t.Expected, reports}
}

func historyScore(c *cli.Context) error {
	return withHistory(c, func(h *history.History) error {
		runs, err := h.Runs(c.Context, history.Filter{})
		if err != nil {
			return err
		}
		known, err := knownComponents(c.String("out"))
		if err != nil {
			return err
		}
		scores := history.Scores(runs, known, c.Duration("fresh"), time.Now())
		if c.Bool("json") {
			return report.Document(c.App.Writer, scores)
		}
		return scoreTables(c, scores)
	})
}

// scoreTables writes a table and a number for each environment.
func scoreTables(c *cli.Context, scores []history.Score) error {
	for i, s := range scores {
		if i > 0 {
			fmt.Fprintln(c.App.Writer)
		}
		rows := make([][]string, 0, len(s.Components))
		for _, one := range s.Components {
			when := "-"
			if !one.When.IsZero() {
				when = one.When.Local().Format("2006-01-02")
			}
			rows = append(rows, []string{s.Environment, one.Component, string(one.Standing), when, cmp.Or(one.Run, "-")})
		}
		if err := table(c.App.Writer, []string{"environment", "component", "evidence", "date", "run"}, rows); err != nil {
			return err
		}
		fmt.Fprintf(c.App.Writer, "%s: score %.0f%%, the share of its %d components whose loss users survived in a run of the last %v\n",
			plaintext.Line(s.Environment), s.Percent, len(s.Components), c.Duration("fresh"))
	}
	return nil
}

// knownComponents are those that the maps of sweeps show, by environment.
func knownComponents(out string) (map[string][]string, error) {
	paths, err := filepath.Glob(filepath.Join(out, "*", sweep.File))
	if err != nil {
		return nil, err
	}
	known := map[string][]string{}
	for _, path := range paths {
		s, err := sweep.Load(filepath.Dir(path))
		if err != nil {
			return nil, err
		}
		known[s.Environment] = nil // the newest map counts; they are sorted by time
		for _, n := range s.Map.Nodes {
			if s.Map.Serves(n) && !n.Protected {
				known[s.Environment] = append(known[s.Environment], n.Component)
			}
		}
	}
	return known, nil
}

func historyPrune(c *cli.Context) error {
	if c.Int("keep") < 1 {
		return usageError("--keep %d: expected 1 or more", c.Int("keep"))
	}
	remove, verb := os.RemoveAll, "removed"
	if c.Bool("dry-run") {
		remove, verb = func(string) error { return nil }, "would remove"
	}
	return withHistory(c, func(h *history.History) error {
		gone, err := h.Prune(c.Context, c.Int("keep"), time.Now(), remove)
		for _, e := range gone {
			fmt.Fprintf(c.App.Writer, "%s %s\n", verb, plaintext.Line(e.ID))
		}
		if err == nil && len(gone) == 0 {
			fmt.Fprintln(c.App.Writer, "nothing to remove")
		}
		return err
	})
}

func compareCommand() *cli.Command {
	return &cli.Command{
		Name: "compare", Usage: "compare two runs: what got better or worse", ArgsUsage: "RUN RUN",
		Description: "RUN is a run ID or a unique prefix of it, last, or last~1. If the bounds of two figures overlap, gameday reports no\nchange.",
		Flags:       []cli.Flag{outFlag(), jsonFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() != 2 {
				return usageError("expected two runs, for example: gameday compare last~1 last")
			}
			var two [2]report.Report
			for i := range two {
				var err error
				if _, two[i], err = builtRun(c, c.Args().Get(i)); err != nil {
					return err
				}
			}
			all := history.Compare(two[0], two[1])
			if c.Bool("json") {
				return report.Document(c.App.Writer, struct {
					Schema  string               `json:"schema"`
					A       string               `json:"a"`
					B       string               `json:"b"`
					Figures []history.Difference `json:"figures"`
				}{"gameday/compare/v1", two[0].ID, two[1].ID, all})
			}
			if two[0].Scenario != two[1].Scenario || two[0].Environment != two[1].Environment {
				fmt.Fprintln(c.App.ErrWriter, "gameday: warning: the runs are of different scenarios or environments")
			}
			rows := make([][]string, 0, len(all))
			for _, d := range all {
				rows = append(rows, []string{d.Name, d.A, d.B, d.Change})
			}
			return table(c.App.Writer, []string{"", two[0].ID, two[1].ID, "change"}, rows)
		},
	}
}
