package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/scenarios"
)

// gameday is the program: arguments in, exit code out.
func gameday(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	app := newApp(stdout, stderr) //nolint:contextcheck // closing an environment must not be cut off
	err := app.RunContext(ctx, permute(args, app))
	if err == nil {
		return exitOK
	}
	var coded *exitError
	if !errors.As(err, &coded) {
		coded = &exitError{exitUsage, err}
	}
	if coded.err != nil {
		fmt.Fprintln(stderr, "gameday: "+coded.err.Error())
	}
	return coded.code
}

func newApp(stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:                 "gameday",
		Usage:                "if this box dies, are we down? Prove it, or disprove it, by experiment",
		Version:              version(),
		Writer:               stdout,
		ErrWriter:            stderr,
		HideHelpCommand:      true,
		Suggest:              true,
		EnableBashCompletion: true,
		Description:          exitCodeHelp,
		Commands: []*cli.Command{
			runCommand(), planCommand(), validateCommand(), judgeCommand(), undoCommand(),
			mapCommand(), sweepCommand(), labCommand(), faultsCommand(), spofsCommand(), historyCommand(), reportCommand(), compareCommand(), attachCommand(),
			scheduleCommand(), serveCommand(), tokenCommand(), stopCommand(), holdCommand(), releaseCommand(), approveCommand(), schemaCommand(), versionCommand(), completionCommand(), manCommand(),
			guardCommand(), helperCommand(), shopCommand(),
		},
		// Errors are for gameday above to print, and exit codes for main.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError: func(_ *cli.Context, err error, _ bool) error {
			return usageError("%w; gameday --help lists commands and flags", err)
		},
		CommandNotFound: nil,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usageError("there is no command %q; gameday --help lists them", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
}

// library is where files are found by name.
func library() scenario.Library {
	return scenario.Library{Scenarios: scenarios.Files, Labs: labs.Files, Dir: ".", Kinds: fault.Specs()}
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
	if c.NArg() != 1 {
		return "", usageError("found %d arguments, expected %s: gameday %s", c.NArg(), what, c.Command.HelpName)
	}
	return c.Args().First(), nil
}

var _ fs.FS = labs.Files
