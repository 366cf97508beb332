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
		Description: "A run reverts its faults itself. If the run is killed, its guard reverts them. This command reverts faults that\n" +
			"neither could revert, for example after a power cut. It skips runs that are still in progress, and names them.",
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
		return "nothing to undo: 1 run is still in progress and reverts its faults itself"
	case done.Busy > 1:
		return fmt.Sprintf("nothing to undo: %d runs are still in progress and revert their faults themselves", done.Busy)
	}
	return "nothing to undo"
}
