package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/lab"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

func labCommand() *cli.Command {
	return &cli.Command{
		Name:  "lab",
		Usage: "bring the bundled environments up and down",
		Subcommands: []*cli.Command{
			{
				Name: "up", Usage: "start a lab, and wait until it serves", ArgsUsage: "NAME", Action: labDo(lab.Labs.Up, "is up"),
				Flags: []cli.Flag{&cli.StringSliceFlag{Name: "with", Usage: "switch a `WEAKNESS` of the lab on; the same as NAME+WEAKNESS"}},
			},
			{Name: "down", Usage: "remove a lab: containers, networks and volumes", ArgsUsage: "NAME", Action: labDo(lab.Labs.Down, "is down")},
			{Name: "list", Usage: "list the labs", Action: labList},
		},
	}
}

// labDo does something with a lab that no game day is using meanwhile.
func labDo(do func(lab.Labs, context.Context, string) error, done string) cli.ActionFunc {
	return func(c *cli.Context) (err error) {
		name, err := one(c, "a lab")
		if err != nil {
			return err
		}
		name = strings.Join(append([]string{name}, c.StringSlice("with")...), "+")
		env, err := library().Environment(scenario.LabPrefix + name)
		if err != nil {
			return err
		}
		engine, err := openEnvironment(c.Context, env)
		if err != nil {
			return err
		}
		defer engine.Close()
		state, err := stateDir()
		if err != nil {
			return err
		}
		lock, err := journal.Acquire(run.LockDir(state), engine.ID(), journal.Header{
			Run: c.Command.FullName(), Environment: env.Name, PID: os.Getpid(), Started: time.Now(),
		})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lock.Release()) }()
		progress := newProgress(c.App.ErrWriter)
		defer progress.clear()
		if err := do(lab.Labs{Files: labs.Files, Engine: engine.Engine, Progress: progress.show, Detail: progress.detail}, c.Context, name); err != nil {
			return err
		}
		progress.clear()
		_, err = fmt.Fprintf(c.App.Writer, "lab %s %s%s\n", name, done, map[string]string{"up": ": " + env.Entry}[c.Command.Name])
		return err
	}
}

func labList(c *cli.Context) error {
	all := lab.Labs{Files: labs.Files}
	var rows [][]string
	for _, name := range all.Names() {
		spec, err := all.Spec(name)
		if err != nil {
			return err
		}
		state := "engine not reached"
		env, err := library().Environment(scenario.LabPrefix + name)
		if err != nil {
			return err
		}
		if engine, err := openEnvironment(c.Context, env); err == nil {
			found, err := engine.Project(c.Context, lab.Project(name))
			switch {
			case err != nil:
				state = err.Error()
			case found.Empty():
				state = "down"
			case found.Running == found.Containers && found.Containers > 0:
				state = "up"
				if found.With != "" {
					state += " with " + found.With
				}
			default:
				state = fmt.Sprintf("partly up: %d of %d containers run", found.Running, found.Containers)
			}
			_ = engine.Close()
		}
		title := spec.Title
		if with := all.Variants(name); len(with) > 0 {
			title += "; --with " + strings.Join(with, ", ")
		}
		rows = append(rows, []string{name, state, title})
	}
	return table(c.App.Writer, nil, rows)
}

func targetAll() target.Selector { return target.Selector{} }
