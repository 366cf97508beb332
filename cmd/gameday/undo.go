package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/session"
)

func (p program) undoCommand() *cli.Command {
	return &cli.Command{
		Name:  "undo",
		Usage: "revert faults left by interrupted runs",
		Description: "A run reverts its faults by itself, and its guard does if the run is killed. This command undoes what neither\n" +
			"could, for example after a power cut. A run that is still going is left alone, and named.",
		Action: func(c *cli.Context) error {
			s, err := p.session("", nil)
			if err != nil {
				return err
			}
			say := func(text string) { fmt.Fprintln(c.App.ErrWriter, shown(text)) }
			done, err := s.Replay(say).All(fault.WithPerson(c.Context, newPerson(say)))
			if err != nil {
				return err
			}
			if done.Left != nil {
				return &exitError{session.ExitNotPutBack, fmt.Errorf("some faults could not be reverted: remove the cause and run gameday undo again: %w", done.Left)}
			}
			_, err = fmt.Fprintln(c.App.Writer, undoneText(done))
			return err
		},
	}
}

func undoneText(done run.Replayed) string {
	switch {
	case done.Undone == 1:
		return "reverted 1 fault"
	case done.Undone > 1:
		return fmt.Sprintf("reverted %d faults", done.Undone)
	case done.Busy == 1:
		return "nothing was undone: 1 run still holds what it has broken, and puts it back itself"
	case done.Busy > 1:
		return fmt.Sprintf("nothing was undone: %d runs still hold what they have broken, and put it back themselves", done.Busy)
	}
	return "nothing was left to undo"
}
