package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/pkg/journeyfrom"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

func (p program) journeyImportCommand() *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "make a journey of a recording, an API or a command", ArgsUsage: "FILE",
		Description: "FILE is a browser's recording (HAR: in the network panel, \"Save all as HAR with content\"), an OpenAPI 3 document, a script\n" +
			"with curl commands or such a command itself, a k6 script, or a Postman collection; - is standard input.\n\n" +
			"What is no part of the journey is left out, and listed: assets, other sites, analytics. Values that recur, such as tokens\n" +
			"of forms and IDs, are captured from responses. Secrets become {{env \"NAME\"}}: no value of theirs is in the journey.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "name", Usage: "`NAME` of the journey (default: that of the file)"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the journey to `FILE`, or to standard output if it is - (default: journeys/NAME.yaml)"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite a journey that exists"},
			&cli.StringFlag{Name: "format", Aliases: []string{"from"}, Usage: "`FORMAT` of the file: " + formats() + " (default: recognized)"},
			&cli.StringFlag{Name: "entry", Usage: "base `URL` of the system in the file; other sites are left out (default: that of the first page)"},
			&cli.StringSliceFlag{Name: "path", Usage: "operations of OpenAPI below this `PATH` only (repeatable)"},
			&cli.StringSliceFlag{Name: "operation", Usage: "operations of OpenAPI by their `ID`s, in this order"},
		},
		Action: func(c *cli.Context) error {
			source, err := one(c, "a file")
			if err != nil {
				return err
			}
			return p.importJourney(c, source)
		},
	}
}

func formats() string {
	all := make([]string, 0, len(journeyfrom.Formats()))
	for _, f := range journeyfrom.Formats() {
		all = append(all, string(f))
	}
	return strings.Join(all, ", ")
}

// importJourney makes a journey of a source, and writes it.
func (p program) importJourney(c *cli.Context, source string) error {
	format := journeyfrom.Format(c.String("format"))
	if format != "" && !slices.Contains(journeyfrom.Formats(), format) {
		return usageError("--format: found %q, expected one of %s", format, formats())
	}
	in, named, err := openSource(c, source)
	if err != nil {
		return err
	}
	defer in.Close()
	o := journeyfrom.Options{
		Name: c.String("name"), Format: format, Entry: c.String("entry"),
		Paths: c.StringSlice("path"), Operations: c.StringSlice("operation"),
	}
	if o.Name == "" {
		o.Name = journeyName(named)
	}
	target := c.String("output")
	if target == "" {
		target = filepath.Join("journeys", o.Name+".yaml")
	}
	if !scenario.IsName(o.Name) {
		return usageError("found the name %q, expected small letters, digits and hyphens: set --name", o.Name)
	}
	if err := mayWrite(c, target); err != nil {
		return err
	}
	r, err := journeyfrom.Import(in, o)
	if err != nil {
		return usageError("import %s: %w", named, err)
	}
	return p.writeJourney(c, target, o.Name, r)
}

// openSource opens a file, standard input, or a command that is the argument itself.
func openSource(c *cli.Context, source string) (in io.ReadCloser, name string, err error) {
	switch {
	case source == "-":
		return io.NopCloser(c.App.Reader), "standard input", nil
	case strings.HasPrefix(strings.TrimSpace(source), "curl "):
		return io.NopCloser(strings.NewReader(source)), "curl", nil
	}
	info, err := os.Stat(source)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", usageError("%s: no such file: check the path", source)
	case err != nil:
		return nil, "", err
	case info.IsDir():
		return nil, "", usageError("%s: found a folder, expected a file", source)
	}
	file, err := os.Open(source) //nolint:gosec // G304: what a person asks for
	return file, source, err
}

// journeyName is the name of a journey from that of a file.
func journeyName(file string) string {
	base := filepath.Base(file)
	name := scenario.NameOf(strings.TrimSuffix(base, filepath.Ext(base)))
	if name == "" || file == "standard input" {
		return "imported"
	}
	return name
}

// mayWrite refuses to overwrite a file unless a person says so.
func mayWrite(c *cli.Context, target string) error {
	if target == "-" || c.Bool("force") {
		return nil
	}
	if _, err := os.Lstat(target); err == nil {
		return usageError("%s exists: set --name to another one, or --force to overwrite it", target)
	}
	return nil
}

// writeJourney writes a journey with its files, and says what a person should know.
func (p program) writeJourney(c *cli.Context, target, name string, r journeyfrom.Result) error {
	say := func(format string, args ...any) { fmt.Fprintln(c.App.ErrWriter, shown(fmt.Sprintf(format, args...))) }
	for _, line := range r.LeftOut {
		say("left out: %s", line)
	}
	for _, note := range r.Notes {
		say("note: %s", note)
	}
	environment := p.entering(r.Entry)
	if r.Entry != "" && environment == "" {
		say("entry: of the environment in gameday.yaml should be like %s", r.Entry)
	}
	if len(r.Variables) > 0 {
		say("add to the environment in gameday.yaml, and set them before a run: variables: [%s]", strings.Join(r.Variables, ", "))
	}
	out := c.App.Writer
	if target == "-" {
		if _, err := out.Write(r.Journey); err != nil {
			return err
		}
		out = c.App.ErrWriter
		if len(r.Files) > 0 {
			say("left out: the files beside the journey: %s", strings.Join(slices.Sorted(maps.Keys(r.Files)), ", "))
		}
	} else if err := writeFiles(c, target, r); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "next: gameday journey try %s --env %s\n", name, cmp.Or(environment, "NAME"))
	return err
}

// entering is the environment of gameday.yaml that has an entry, or "". A file that cannot be
// read is no reason to import nothing.
func (p program) entering(entry string) string {
	declared, err := p.library().Environments()
	if err != nil {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if strings.TrimSuffix(declared[name].Entry, "/") == strings.TrimSuffix(entry, "/") {
			return name
		}
	}
	return ""
}

// writeFiles writes a journey and the files beside it.
func writeFiles(c *cli.Context, target string, r journeyfrom.Result) error {
	dir := filepath.Dir(target)
	for name := range r.Files {
		if err := mayWrite(c, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if err := atomicfile.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, content := range r.Files {
		if err := atomicfile.WriteBytes(filepath.Join(dir, name), 0o644, content); err != nil {
			return err
		}
	}
	if err := atomicfile.WriteBytes(target, 0o644, r.Journey); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.App.Writer, shown(fmt.Sprintf("written to %s: %s, from %s", target, stepCount(r.Steps), r.Format)))
	return err
}

func stepCount(n int) string {
	if n == 1 {
		return "1 step"
	}
	return fmt.Sprintf("%d steps", n)
}
