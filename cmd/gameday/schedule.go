package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
	"github.com/gameday-dev/gameday/pkg/session"
)

func (p program) scheduleCommand() *cli.Command {
	return &cli.Command{
		Name: "schedule", Usage: "show, check and export schedules",
		Description: "Schedules are under schedules: in gameday.yaml. gameday serve runs them. To run them without it, for example as a\nsystemd timer: gameday schedule export NAME --systemd",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list schedules with their next run", Flags: []cli.Flag{jsonFlag()}, Action: p.scheduleList},
			{
				Name: "next", Usage: "show the next run times, and which are blocked", ArgsUsage: "[NAME]",
				Flags:  []cli.Flag{jsonFlag(), &cli.IntFlag{Name: "count", Value: 5, Usage: "number of run times per schedule"}, fromFlag()},
				Action: p.scheduleNext,
			},
			{
				Name: "check", Usage: "check whether a schedule may start now (exit 1 if not)", ArgsUsage: "NAME",
				Flags:  []cli.Flag{fromFlag(), &cli.DurationFlag{Name: "due", Usage: "also require that the schedule was due within this time before now"}},
				Action: p.scheduleCheck,
			},
			{
				Name: "export", Usage: "export a schedule for cron, systemd, GitHub or Kubernetes", ArgsUsage: "NAME",
				Flags: exportFlags(), Action: p.scheduleExport,
			},
		},
	}
}

func exportFlags() []cli.Flag {
	usages := map[string]string{
		"cron": "a line for crontab", "systemd": "a service and a timer", "github-actions": "a workflow", "kubernetes": "a CronJob",
	}
	var all []cli.Flag
	for _, to := range schedule.Exports() {
		all = append(all, &cli.BoolFlag{Name: to, Usage: usages[to]})
	}
	return all
}

func (p program) scheduleExport(c *cli.Context) error {
	name, err := one(c, "a schedule")
	if err != nil {
		return err
	}
	var to []string
	for _, flag := range schedule.Exports() {
		if c.Bool(flag) {
			to = append(to, flag)
		}
	}
	if len(to) != 1 {
		return usageError("expected one of --%s", strings.Join(schedule.Exports(), ", --"))
	}
	all, err := p.schedules(name)
	if err != nil {
		return err
	}
	return schedule.Export(c.App.Writer, all[0], to[0], time.Now())
}

func fromFlag() cli.Flag {
	return &cli.TimestampFlag{Name: "at", Layout: time.RFC3339, Usage: "use this `TIME` instead of now, for example 2026-12-24T09:00:00Z"}
}

func moment(c *cli.Context) time.Time {
	if at := c.Timestamp("at"); at != nil {
		return *at
	}
	return time.Now()
}

// schedules are those that a person names, or all of them.
func (p program) schedules(name string) ([]scenario.Schedule, error) {
	all, err := p.library().Schedules()
	if err != nil || name == "" {
		return all, err
	}
	names := make([]string, 0, len(all))
	for _, s := range all {
		names = append(names, s.Name)
	}
	i := slices.Index(names, name)
	if i < 0 {
		return nil, usageError("there is no schedule %q in %s: %s", name, scenario.EnvironmentFile, strictyaml.Suggest(name, names))
	}
	return all[i : i+1], nil
}

func (p program) scheduleList(c *cli.Context) error {
	all, err := p.schedules("")
	if err != nil {
		return err
	}
	if len(all) == 0 && !c.Bool("json") {
		_, err := fmt.Fprintf(c.App.Writer, "no schedules: add schedules: to %s\n", scenario.EnvironmentFile)
		return err
	}
	type listed struct {
		Name        string     `json:"name"`
		Scenario    string     `json:"scenario"`
		Environment string     `json:"environment,omitempty"`
		Cron        string     `json:"cron"`
		TimeZone    string     `json:"time_zone"`
		Next        *time.Time `json:"next"` // null where it never comes
		Error       string     `json:"error,omitempty"`
	}
	documents := []listed{}
	var rows [][]string
	var wrong []error
	for _, s := range all {
		one := listed{Name: s.Name, Scenario: s.Scenario, Environment: s.Environment, Cron: s.Cron, TimeZone: s.Zone()}
		next := "never: a window or blackout excludes every time"
		switch at, ok, err := schedule.Next(s, time.Now()); {
		case err != nil: // the others are listed nevertheless
			one.Error, next = err.Error(), "cannot run: see below"
			wrong = append(wrong, err)
		case ok:
			one.Next, next = &at, spoken(at)
		}
		documents = append(documents, one)
		rows = append(rows, []string{s.Name, s.Scenario, cmp.Or(s.Environment, "-"), s.Cron, one.TimeZone, next})
	}
	if c.Bool("json") {
		return errors.Join(append(wrong, report.Document(c.App.Writer, documents))...)
	}
	return errors.Join(append(wrong, table(c.App.Writer, []string{"schedule", "scenario", "environment", "cron", "time zone", "next"}, rows))...)
}

// spoken is a moment where the reader is, and what the clock shows where it counts.
func spoken(at time.Time) string {
	here := at.Local().Format("Mon 2006-01-02 15:04 MST")
	if there := at.Format("Mon 2006-01-02 15:04 MST"); there != here {
		return here + " (" + there + ")"
	}
	return here
}

func (p program) scheduleNext(c *cli.Context) error {
	all, err := p.schedules(c.Args().First())
	if err != nil {
		return err
	}
	if c.Int("count") < 1 {
		return usageError("--count %d: expected 1 or more", c.Int("count"))
	}
	documents := map[string][]schedule.Due{}
	var rows [][]string
	var wrong []error
	for _, s := range all {
		due, err := schedule.Upcoming(s, moment(c), c.Int("count"))
		if err != nil { // the others are listed nevertheless
			wrong = append(wrong, err)
			rows = append(rows, []string{s.Name, "-", "cannot run: see below"})
			continue
		}
		documents[s.Name] = due
		for _, d := range due {
			rows = append(rows, []string{s.Name, spoken(d.At), cmp.Or(d.Refused, "runs")})
		}
	}
	if c.Bool("json") {
		return errors.Join(append(wrong, report.Document(c.App.Writer, documents))...)
	}
	return errors.Join(append(wrong, table(c.App.Writer, []string{"schedule", "time", "status"}, rows))...)
}

func (p program) scheduleCheck(c *cli.Context) error {
	name, err := one(c, "a schedule")
	if err != nil {
		return err
	}
	all, err := p.schedules(name)
	if err != nil {
		return err
	}
	why, err := schedule.Refused(all[0], moment(c))
	if err != nil {
		return err
	}
	if within := c.Duration("due"); why == "" && within > 0 {
		named, err := schedule.Named(all[0], moment(c), within)
		if err != nil {
			return err
		}
		if !named {
			why = fmt.Sprintf("not due within the last %v", within)
		}
	}
	if why != "" {
		return &exitError{session.ExitProven, fmt.Errorf("schedule %s may not start now: %s", name, why)}
	}
	_, err = fmt.Fprintf(c.App.Writer, "schedule %s may start now\n", name)
	return err
}
