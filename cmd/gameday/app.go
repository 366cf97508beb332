package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/probe/steps"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/scenarios"
)

// program is gameday with the kinds of environments that it can reach.
type program struct{ drivers target.Drivers }

// run is the program: arguments in, exit code out.
func (p program) run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	log.SetOutput(io.Discard)    // net/http quotes there what a server sends beside its responses
	app := p.app(stdout, stderr) //nolint:contextcheck // closing an environment must not be cut off
	err := app.RunContext(ctx, permute(helpLast(args), app))
	if err == nil {
		return session.ExitOK
	}
	var coded *exitError
	if !errors.As(err, &coded) {
		coded = &exitError{session.ExitUsage, err}
	}
	if coded.err != nil {
		fmt.Fprintln(stderr, "gameday: "+shown(coded.err.Error()))
	}
	return coded.code
}

// Groups of commands, in the order in which --help shows them: by their names.
const (
	groupRun    = "1. Run game days"
	groupUndo   = "2. Undo and stop"
	groupFiles  = "3. Write scenarios"
	groupReview = "4. Review results"
	groupServe  = "5. Run on a schedule"
	groupOther  = "6. Other"
)

func (p program) app(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                 "gameday",
		Usage:                "if this box dies, are we down? Prove it, or disprove it, by experiment",
		Version:              version(),
		Writer:               stdout,
		ErrWriter:            stderr,
		HideHelpCommand:      true,
		EnableBashCompletion: true,
		Description:          exitCodeHelp,
		// Errors are for run above to print, and exit codes for main.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   wrongUse,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return noCommand(c)
			}
			return cli.ShowAppHelp(c)
		},
	}
	group := func(name string, commands ...*cli.Command) {
		for _, c := range commands {
			c.Category = name
		}
		app.Commands = append(app.Commands, commands...)
	}
	group(groupRun, p.doctorCommand(), p.scenariosCommand(), p.runCommand(), p.planCommand(), p.labCommand(), p.mapCommand(), p.sweepCommand(), p.noteCommand(), p.recoveredCommand())
	group(groupUndo, p.undoCommand(), stopCommand())
	group(groupFiles, endable(p.initCommand(), p.newCommand(), p.validateCommand(), p.journeyCommand(), faultsCommand(), p.schemaCommand())...)
	group(groupReview, endable(reportCommand(), historyCommand(), compareCommand(), p.attachCommand(), p.spofsCommand(), judgeCommand())...)
	group(groupServe, p.serveCommand(), p.scheduleCommand(), p.approveCommand(), p.holdCommand(), releaseCommand(), tokenCommand())
	group(groupOther, completionCommand(), manCommand(), versionCommand())
	app.Commands = append(app.Commands, p.guardCommand())
	strict(app.Commands)
	return app
}

// library is where files are found by name.
func (p program) library() scenario.Library {
	return scenario.Library{Scenarios: scenarios.Files, Labs: labs.Files, Dir: ".", Kinds: fault.Specs(), Drivers: p.drivers, Receivers: attach.Check}
}

// session is what a command works with. warn receives problems beside a run.
func (p program) session(out string, warn func(error)) (session.Session, error) {
	outlive(os.Stderr)
	state, err := stateDir()
	return session.Session{
		Library: p.library(), StateDir: state, Out: out, Version: version(),
		Guard: startGuard, Register: p.openRegister, Warn: warn, Protocols: steps.All(),
	}, err
}

// stateDir is where journals and locks live: they must survive the run, and be
// found from any folder.
func stateDir() (string, error) {
	if dir := os.Getenv("GAMEDAY_STATE_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "gameday"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a folder for journals: %w; set GAMEDAY_STATE_DIR", err)
	}
	return filepath.Join(home, ".local", "state", "gameday"), nil
}

// one is the only argument of a command.
func one(c *cli.Context, what string) (string, error) {
	switch c.NArg() {
	case 0:
		return "", usageError("missing argument, expected %s: %s %s", what, c.Command.HelpName, c.Command.ArgsUsage)
	case 1:
		return c.Args().First(), nil
	}
	return "", usageError("unexpected argument %q, expected only %s: %s %s", c.Args().Get(1), what, c.Command.HelpName, c.Command.ArgsUsage)
}
