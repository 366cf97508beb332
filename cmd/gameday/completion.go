package main

import (
	"embed"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/scenarios"
)

// completing is the flag with which a shell asks what could come next.
const completing = "--generate-bash-completion"

// The scripts for bash and zsh are those of urfave/cli v2, for a program of this name.
//
//go:embed completion
var completions embed.FS

func completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print a shell completion script", ArgsUsage: "bash|zsh|fish|powershell",
		Description: "bash: source <(gameday completion bash)\n" +
			"zsh: source <(gameday completion zsh)\n" +
			"fish: gameday completion fish | source\n" +
			"powershell: gameday completion powershell | Out-String | Invoke-Expression",
		Action: func(c *cli.Context) error {
			shell, err := one(c, "one of bash, zsh, fish, powershell")
			if err != nil {
				return err
			}
			if shell == "fish" {
				text, err := c.App.ToFishCompletion()
				if err == nil {
					_, err = fmt.Fprintln(c.App.Writer, text)
				}
				return err
			}
			data, err := completions.ReadFile("completion/" + filepath.Base(shell))
			if err != nil {
				return usageError("found %q, expected one of bash, zsh, fish, powershell", shell)
			}
			_, err = c.App.Writer.Write(data)
			return err
		},
	}
}

// completeScenarios says what scenarios there are.
func completeScenarios(c *cli.Context) {
	cli.DefaultCompleteWithFlags(c.Command)(c)
	if c.NArg() > 0 {
		return
	}
	for _, name := range (scenario.Library{Scenarios: scenarios.Files, Dir: "."}).Names() {
		fmt.Fprintln(c.App.Writer, name)
	}
}

func manCommand() *cli.Command {
	return &cli.Command{
		Name: "man", Usage: "print the manual page (gameday man | man -l -)",
		Action: func(c *cli.Context) error {
			text, err := c.App.ToManWithSection(1)
			if err == nil {
				_, err = fmt.Fprintln(c.App.Writer, text)
			}
			return err
		},
	}
}
