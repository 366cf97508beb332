package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/session"
)

func (p program) noteCommand() *cli.Command {
	return &cli.Command{
		Name: "note", Usage: "write a note into the timeline of a run", ArgsUsage: "TEXT [RUN]",
		Description: "RUN is current, the run that goes on (the default), or one that has ended: a run ID or a unique prefix of it, last, last~1,\n" +
			"or a run's folder. The reports of a run that has ended are written again. A note changes no verdict.",
		Flags: []cli.Flag{
			outFlag(),
			&cli.StringFlag{Name: "by", Usage: "`NAME` of who says it (default: the user)"},
			&cli.StringFlag{Name: "at", Usage: "when it was: `TIME` since the fault, such as +12s, or an RFC 3339 time (default: now)"},
		},
		Action: p.note,
	}
}

func (p program) note(c *cli.Context) error {
	if c.NArg() < 1 || c.NArg() > 2 {
		return usageError("found %d arguments, expected a text and a run: %s %s", c.NArg(), c.Command.HelpName, c.Command.ArgsUsage)
	}
	s, err := p.session(c.String("out"), func(err error) { fmt.Fprintln(c.App.ErrWriter, shown("gameday: warning: "+err.Error())) })
	if err != nil {
		return err
	}
	dir, err := saidOf(c, c.Args().Get(1))
	if err != nil {
		return err
	}
	by := c.String("by")
	if by == "" {
		by = typist()
	}
	e, err := s.Note(dir, run.Note{Text: c.Args().First(), By: by, At: c.String("at")})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.App.Writer, session.EventLine(e))
	return err
}

// saidOf is the folder of the run that something is said about.
func saidOf(c *cli.Context, reference string) (dir string, err error) {
	if reference != "" && reference != run.Current {
		return findRun(c, reference)
	}
	return run.CurrentDir(c.String("out"))
}
