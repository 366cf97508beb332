package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/target"
)

func (p program) labCommand() *cli.Command {
	return &cli.Command{
		Name:  "lab",
		Usage: "start and remove the bundled environments",
		Subcommands: []*cli.Command{
			{
				Name: "up", Usage: "start a lab and wait until it serves users", ArgsUsage: "NAME", Action: p.labDo(target.Provisioner.Up, "is up"),
				Flags: []cli.Flag{&cli.StringSliceFlag{Name: "with", Usage: "switch on a `WEAKNESS` of the lab; the same as NAME+WEAKNESS"}},
			},
			{Name: "down", Usage: "remove a lab: containers, networks and volumes", ArgsUsage: "NAME", Action: p.labDo(target.Provisioner.Down, "is down")},
			{Name: "list", Usage: "list the labs", Action: p.labList},
		},
	}
}

// labDo does something with a lab while no game day uses it.
func (p program) labDo(do func(target.Provisioner, context.Context, target.Lab) error, done string) cli.ActionFunc {
	return func(c *cli.Context) (err error) {
		name, err := one(c, "a lab")
		if err != nil {
			return err
		}
		lab := target.ParseLab(strings.Join(append([]string{name}, c.StringSlice("with")...), "+"))
		s, err := p.session("", nil)
		if err != nil {
			return err
		}
		env, err := s.Library.Environment(target.LabPrefix + lab.String())
		if err != nil {
			return err
		}
		site, err := s.Open(c.Context, env)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, site.Close()) }()
		view := newView(c.App.ErrWriter, scenario.Scenario{Name: "lab " + lab.String()}, nil)
		defer view.close()
		labs, err := provisioner(s, env, site, run.Progress(view.observe))
		if err != nil {
			return err
		}
		if err := check(c, labs, lab); err != nil {
			return err
		}
		lock, err := run.Locks{StateDir: s.StateDir, Note: view.progress}.Acquire(c.Context, site, journal.HolderNow(run.NewID("lab-"+c.Command.Name, time.Now()), env.Name))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lock.Release(c.Context)) }()
		if err := do(labs, c.Context, lab); err != nil {
			return err
		}
		view.close()
		text := fmt.Sprintf("lab %s %s", lab, done)
		if c.Command.Name == "up" {
			text += ": " + env.Entry
		}
		_, err = fmt.Fprintln(c.App.Writer, text)
		return err
	}
}

// check reports at once what is missing to bring a lab up.
func check(c *cli.Context, labs target.Provisioner, lab target.Lab) error {
	if c.Command.Name != "up" {
		return nil
	}
	return labs.Check(c.Context, lab)
}

// provisioner is the one of an environment, which must have one.
func provisioner(s session.Session, env scenario.Environment, site target.Site, progress target.Progress) (target.Provisioner, error) {
	labs, err := s.Provisioner(env.Kind, site, progress)
	if err == nil && labs == nil {
		err = fmt.Errorf("environments of kind %s have no labs", env.Kind)
	}
	return labs, err
}

func (p program) labList(c *cli.Context) error {
	s, err := p.session("", nil)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, driver := range p.drivers {
		if driver.Labs == nil {
			continue
		}
		all, err := driver.Labs.List()
		if err != nil {
			return err
		}
		for _, info := range all {
			state, err := labState(c, s, info)
			if err != nil {
				return err
			}
			title := info.Title
			if len(info.Weaknesses) > 0 {
				title += "; --with " + strings.Join(info.Weaknesses, ", ")
			}
			rows = append(rows, []string{info.Name, state, title})
		}
	}
	return table(c.App.Writer, nil, rows)
}

// labState says what there is of a lab.
func labState(c *cli.Context, s session.Session, info target.LabInfo) (text string, err error) {
	env, err := s.Library.Environment(target.LabPrefix + info.Name)
	if err != nil {
		return "", err
	}
	site, err := s.Open(c.Context, env)
	if err != nil {
		return "engine not reached", nil
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	quiet := func(string) {}
	labs, err := provisioner(s, env, site, target.Progress{Step: quiet, Detail: quiet})
	if err != nil {
		return "", err
	}
	state, err := labs.State(c.Context, target.Lab{Name: info.Name})
	if err != nil {
		return err.Error(), nil
	}
	return state.Text, nil
}
