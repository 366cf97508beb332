package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/x/term"
	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
)

// pickHeight is the number of lines of the list of scenarios, with its title.
const pickHeight = 12

// pick lets the person at the terminal choose a scenario. Elsewhere it is a usage error
// that lists them. The terminal is in raw mode only until one is chosen.
func (p program) pick(c *cli.Context) (string, error) {
	all, err := p.library().List()
	if err != nil {
		return "", err
	}
	out, ok := asks(c)
	if !ok {
		return "", usageError("missing argument, expected a scenario: %s %s; %s", c.Command.HelpName, c.Command.ArgsUsage, available(all))
	}
	width, _, err := term.GetSize(out.Fd())
	if err != nil || width <= 0 {
		width = 80
	}
	name, err := choose(c, out, os.Stdin, options(all, width))
	if err != nil {
		return "", err
	}
	fmt.Fprintln(out, "gameday run "+plaintext.Line(name))
	return name, nil
}

// choose shows the list and returns the name that is chosen.
func choose(c *cli.Context, out io.Writer, in io.Reader, all []huh.Option[string]) (name string, err error) {
	field := huh.NewSelect[string]().Title("Which scenario?").Description("/ filters, Ctrl-C ends").Options(all...).Height(pickHeight).Value(&name)
	err = form(c, out, in, field, "no scenario was chosen, and nothing was run")
	return name, err
}

// asks is the terminal at which a person can be asked.
func asks(c *cli.Context) (out *os.File, ok bool) {
	out, ok = c.App.ErrWriter.(*os.File)
	return out, ok && isTerminal(out) && isatty.IsTerminal(os.Stdin.Fd())
}

// form shows one question. undone is what did not happen if the person ends it.
func form(c *cli.Context, out io.Writer, in io.Reader, field huh.Field, undone string) error {
	err := huh.NewForm(huh.NewGroup(field)).WithTheme(huh.ThemeBase()).WithShowHelp(false).
		WithProgramOptions(tea.WithOutput(out), tea.WithInput(in), tea.WithoutSignalHandler()).RunWithContext(c.Context)
	if errors.Is(err, huh.ErrUserAborted) || c.Err() != nil {
		return &exitError{session.ExitAborted, errors.New("ended by a person: " + undone)}
	}
	return err
}

// options are the lines of the list, none longer than the terminal. Scenarios that cannot
// be read are not among them.
func options(all []scenario.Listed, width int) []huh.Option[string] {
	longest := 0
	for _, s := range all {
		longest = max(longest, len(s.Name))
	}
	var found []huh.Option[string]
	for _, s := range all {
		if s.Problem == "" {
			text := fmt.Sprintf("%-*s  %s", longest, plaintext.Line(s.Name), plaintext.Line(s.Title))
			found = append(found, huh.NewOption(clip(strings.TrimSpace(text), width-6), s.Name)) // beside the frame and the cursor
		}
	}
	return found
}

// available is the end of a message to one who has named no scenario.
func available(all []scenario.Listed) string {
	names := make([]string, 0, len(all))
	for _, s := range all {
		names = append(names, s.Name)
	}
	return "there are " + strings.Join(names, ", ") + " (gameday scenarios describes them)"
}
