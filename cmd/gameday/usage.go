package main

import (
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

// wrongUse is the error of a flag that is unknown, or whose value is not one.
func wrongUse(c *cli.Context, err error, _ bool) error {
	name := c.Command.HelpName
	text := strings.TrimPrefix(err.Error(), "flag provided but not defined: ")
	if text != err.Error() {
		return usageError("there is no flag -%s%s; %s --help lists the flags", text, near(strings.TrimLeft(text, "-"), flagNames(c.Command.Flags), "--"), name)
	}
	return usageError("%w; %s --help lists the flags", err, name)
}

// noCommand is the error of a command that its parent does not have.
func noCommand(c *cli.Context) error {
	parent := c.Command.HelpName
	var names []string
	for _, command := range c.Command.Subcommands {
		if !command.Hidden {
			names = append(names, command.Name)
		}
	}
	return usageError("there is no command %q%s; %s --help lists them", strings.TrimPrefix(parent+" "+c.Args().First(), "gameday "), near(c.Args().First(), names, ""), parent)
}

// near is the nearest known word as the middle of a message, or "".
func near(word string, known []string, prefix string) string {
	if found := strictyaml.Nearest(word, known); found != "" {
		return ": did you mean " + prefix + found + "?"
	}
	return ""
}

func flagNames(flags []cli.Flag) []string {
	var names []string
	for _, f := range flags {
		for _, name := range f.Names() {
			if len(name) > 1 {
				names = append(names, name)
			}
		}
	}
	return names
}

// strict has commands refuse what they would ignore, arguments that they do not take and
// subcommands that they do not have, and what they lack: flags that are required.
func strict(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = wrongUse
		strict(c.Subcommands)
		do := demanding(c)
		switch {
		case c.Action == nil && len(c.Subcommands) > 0:
			c.Action = func(c *cli.Context) error {
				if c.Args().Present() {
					return noCommand(c)
				}
				return cli.ShowSubcommandHelp(c)
			}
		case len(c.Subcommands) == 0 && c.ArgsUsage == "" && !c.Hidden:
			c.Action = func(c *cli.Context) error {
				if c.Args().Present() {
					return usageError("unexpected argument %q, expected none: %s --help shows the usage", c.Args().First(), c.Command.HelpName)
				}
				return do(c)
			}
		case do != nil:
			c.Action = do
		}
	}
}

// demanding is the action of a command that first checks that its required flags are set,
// and names all that are missing. gameday checks them itself: urfave/cli answers a missing
// one with the whole help, and does not say what to type.
func demanding(c *cli.Command) cli.ActionFunc {
	do := c.Action
	var required []requirement
	for _, f := range c.Flags {
		if r, ok := require(f); ok {
			required = append(required, r)
		}
	}
	if len(required) == 0 || do == nil {
		return do
	}
	return func(c *cli.Context) error {
		var missing, all []string
		for _, r := range required {
			all = append(all, r.text)
			if !c.IsSet(r.name) {
				missing = append(missing, r.text)
			}
		}
		if len(missing) > 0 {
			usage := strings.TrimSpace(c.Command.HelpName + " " + c.Command.ArgsUsage)
			return usageError("missing %s: %s %s; %s --help explains the flags", strings.Join(missing, " and "), usage, strings.Join(all, " "), c.Command.HelpName)
		}
		return do(c)
	}
}

// requirement is a flag that must be set: its name, and how it is typed.
type requirement struct{ name, text string }

// require takes the check of a required flag over from urfave/cli. Its help still says
// that it is required.
func require(f cli.Flag) (r requirement, is bool) {
	var required *bool
	var usage *string
	switch f := f.(type) {
	case *cli.StringFlag:
		required, usage = &f.Required, &f.Usage
	case *cli.StringSliceFlag:
		required, usage = &f.Required, &f.Usage
	case *cli.IntFlag:
		required, usage = &f.Required, &f.Usage
	case *cli.DurationFlag:
		required, usage = &f.Required, &f.Usage
	case *cli.BoolFlag:
		required, usage = &f.Required, &f.Usage
	}
	if required == nil || !*required {
		return r, false
	}
	text := strings.TrimSpace("--" + f.Names()[0] + " " + placeholder(f, *usage))
	*required = false
	*usage += " (required)"
	return requirement{f.Names()[0], text}, true
}

// placeholder is what stands for the value of a flag in texts: the word that its usage has
// in backquotes, else that of its type; "" for a flag without a value.
func placeholder(f cli.Flag, usage string) string {
	if _, rest, found := strings.Cut(usage, "`"); found {
		word, _, _ := strings.Cut(rest, "`")
		return word
	}
	switch f.(type) {
	case *cli.BoolFlag:
		return ""
	case *cli.DurationFlag:
		return "DURATION"
	case *cli.IntFlag, *cli.Float64Flag:
		return "N"
	default:
		return "VALUE"
	}
}

// flagHelp improves how urfave/cli shows a flag in help: no defaults that say nothing, no
// zeros behind a duration, and the unit where it says "value".
func flagHelp(shown cli.FlagStringFunc) cli.FlagStringFunc {
	unset := regexp.MustCompile(` \(default: (0|0s|false)\)`)
	zeros := regexp.MustCompile(`(\d[hm])(0m)?0s\b`)
	return func(f cli.Flag) string {
		text := zeros.ReplaceAllString(unset.ReplaceAllString(shown(f), ""), "$1")
		if of := placeholder(f, ""); of != "" && of != "VALUE" {
			text = strings.Replace(text, " value\t", " "+of+"\t", 1)
		}
		return text
	}
}
