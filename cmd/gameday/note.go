package main

import (
	"cmp"
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
	return p.say(c, c.Args().Get(1), run.Note{Text: c.Args().First(), At: c.String("at")})
}

func (p program) recoveredCommand() *cli.Command {
	return &cli.Command{
		Name: "recovered", Usage: "say that people have recovered service", ArgsUsage: "[RUN]",
		Description: "This is for a run whose scenario has undo: by-hand. gameday then checks that users are served for the hold, and reverts\n" +
			"the faults. RUN is current, the run that goes on (the default), a run ID, or a run's folder.",
		Flags: []cli.Flag{outFlag(), &cli.StringFlag{Name: "by", Usage: "`NAME` of who says it (default: the user)"}},
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 {
				_, err := one(c, "a run")
				return err
			}
			return p.say(c, c.Args().First(), run.Note{Recovered: true})
		},
	}
}

// say writes what the user says into the record of a run.
func (p program) say(c *cli.Context, of string, n run.Note) error {
	s, err := p.session(c.String("out"), func(err error) { fmt.Fprintln(c.App.ErrWriter, shown("gameday: warning: "+err.Error())) })
	if err != nil {
		return err
	}
	dir, err := saidOf(c, of)
	if err != nil {
		return err
	}
	n.By = cmp.Or(c.String("by"), typist())
	e, err := s.Note(dir, n)
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
