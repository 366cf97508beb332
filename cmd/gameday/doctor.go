package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/doctor"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/target"
)

func (p program) doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "check whether game days can be run here",
		Description: "gameday looks at the engine, the kinds of faults that it can inject, images, disks, sockets and clocks. For all that is\n" +
			"missing it prints what does not work without it, and a command that mends it. What is needed depends on the scenarios\n" +
			"of the environment. gameday changes nothing: helpers that try what the kernel can do are gone afterwards.\n\n" +
			"Exit codes:\n" +
			"   0  everything that is needed is there\n" +
			"   1  something that is needed is missing\n" +
			"   2  usage error or invalid file\n" +
			"   4  interrupted",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "env", Usage: "environment: `NAME` in gameday.yaml, or lab/NAME (default: the first in gameday.yaml, else lab/checkout)"},
			outFlag(), &cli.BoolFlag{Name: "json", Usage: "write one JSON document"},
		},
		Action: func(c *cli.Context) error {
			env, patient, err := p.patient(c)
			if err != nil {
				return err
			}
			found := doctor.Examine(c.Context, patient.Checks(c.Context), func(names []string) {
				fmt.Fprintln(c.App.ErrWriter, "still checking: "+strings.Join(names, ", "))
			})
			if err := patient.Close(); err != nil {
				return err
			}
			if c.Err() != nil {
				return &exitError{session.ExitAborted, errors.New("interrupted before everything was checked")}
			}
			return printFindings(c, env, found)
		},
	}
}

// patient is what a doctor looks at.
func (p program) patient(c *cli.Context) (env scenario.Environment, patient *doctor.Patient, err error) {
	s, err := p.session(c.String("out"), nil)
	if err != nil {
		return env, nil, err
	}
	if name := c.String("env"); name != "" {
		env, err = s.Library.Environment(name)
	} else {
		env, err = s.Library.Default()
	}
	if err != nil {
		return env, nil, err
	}
	demand, err := doctor.DemandOf(s.Library, env)
	if err != nil {
		return env, nil, err
	}
	lab, _ := target.LabOf(env.Name)
	quiet := func(string) {}
	return env, &doctor.Patient{
		Open: func(ctx context.Context) (target.Site, error) { return s.Open(ctx, env) },
		Labs: func(site target.Site) (target.Provisioner, error) {
			return s.Provisioner(env.Kind, site, target.Progress{Step: quiet, Detail: quiet})
		},
		Lab: lab, Demand: demand, Out: s.Out, Machine: doctor.ThisMachine(),
	}, nil
}

// next is what is next if nothing is missing. Without a gameday.yaml, the demo lab was
// checked.
func next(c *cli.Context, env scenario.Environment) string {
	if _, isLab := target.LabOf(env.Name); isLab && c.String("env") == "" {
		return "There is no gameday.yaml here, so the demo lab was checked. Next: gameday init"
	}
	return "Next: gameday run"
}

func printFindings(c *cli.Context, env scenario.Environment, found []doctor.Finding) error {
	missing := doctor.Missing(found)
	var err error
	if c.Bool("json") {
		err = report.Document(c.App.Writer, map[string]any{"schema": "gameday/doctor/v1", "environment": env.Name, "ready": len(missing) == 0, "findings": found})
	} else {
		_, err = fmt.Fprintln(c.App.Writer, shown(doctor.Text(env.Name, next(c, env), found)))
	}
	if err == nil && len(missing) > 0 {
		err = &exitError{code: session.ExitProven}
	}
	return err
}
