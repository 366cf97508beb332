package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/lab"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

func undoCommand() *cli.Command {
	return &cli.Command{
		Name:  "undo",
		Usage: "put back what unfinished runs have left, after a power cut for example",
		Description: "A run undoes what it did by itself, and its guard does when the run is killed.\n" +
			"This plays what neither could. A run that is still going is left alone.",
		Action: func(c *cli.Context) error {
			state, err := stateDir()
			if err != nil {
				return err
			}
			undone, left, err := run.UndoAll(fault.WithPerson(c.Context, newPerson(func(text string) { fmt.Fprintln(c.App.ErrWriter, text) })), state, opener(c.Context))
			if err != nil {
				return err
			}
			if left != nil {
				return &exitError{exitNotPutBack, fmt.Errorf("some things could not be put back: %w", left)}
			}
			_, err = fmt.Fprintln(c.App.Writer, undoneText(undone))
			return err
		},
	}
}

func undoneText(n int) string {
	switch n {
	case 0:
		return "nothing was left to undo"
	case 1:
		return "1 thing was put back"
	}
	return fmt.Sprintf("%d things were put back", n)
}

// opener reaches the environment of a journal again.
func opener(ctx context.Context) run.Opener {
	return func(h journal.Header) (run.Undoer, func() error, error) {
		var config docker.Config
		if err := json.Unmarshal(h.Address, &config); err != nil {
			return nil, nil, errors.Join(errors.New("read the environment's address"), err)
		}
		env, err := docker.Open(context.WithoutCancel(ctx), docker.Options{Config: config})
		if err != nil {
			return nil, nil, err
		}
		quiet := func(string) {}
		return run.Undoing(env, lab.Labs{Files: labs.Files, Engine: env.Engine, Progress: quiet, Detail: quiet}), env.Close, nil
	}
}
