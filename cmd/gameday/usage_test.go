package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// Help names what a flag takes: a unit, N, or a word of its own, and never just "value".
func TestHelpNamesWhatAFlagTakes(t *testing.T) {
	t.Parallel()
	show := flagHelp(cli.FlagStringer)
	seen := 0
	var walk func(of string, commands []*cli.Command)
	walk = func(of string, commands []*cli.Command) {
		for _, c := range commands {
			for _, f := range c.Flags {
				seen++
				if name, _, _ := strings.Cut(show(f), "\t"); slices.Contains(strings.Fields(name), "value") {
					t.Errorf("%s %s: %q does not say what it takes", of, c.Name, name)
				}
			}
			walk(of+" "+c.Name, c.Subcommands)
		}
	}
	walk("gameday", program{drivers()}.app(io.Discard, io.Discard).Commands)
	if seen < 100 {
		t.Errorf("saw %d flags: too few to be all", seen)
	}
}

// A default without meaning is left out, and a duration has no zeros behind it.
func TestDefaultsInHelp(t *testing.T) {
	t.Parallel()
	show := flagHelp(cli.FlagStringer)
	for want, f := range map[string]cli.Flag{
		"--fresh DURATION\tmaximum age (default: 720h)":  &cli.DurationFlag{Name: "fresh", Value: 720 * 3600e9, Usage: "maximum age"},
		"--within DURATION\tmaximum time (default: 30s)": &cli.DurationFlag{Name: "within", Value: 30e9, Usage: "maximum time"},
		"--for DURATION\tlength (default: 1h0m1s)":       &cli.DurationFlag{Name: "for", Value: 3601e9, Usage: "length"},
		"--since DURATION\tage":                          &cli.DurationFlag{Name: "since", Usage: "age"},
		"--keep N\tnumber of runs to keep":               &cli.IntFlag{Name: "keep", Usage: "number of runs to keep"},
		"--to WHERE\tWHERE to send":                      &cli.StringFlag{Name: "to", Usage: "`WHERE` to send"},
		"--json\twrite a value":                          &cli.BoolFlag{Name: "json", Usage: "write a value"},
	} {
		if got := show(f); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
