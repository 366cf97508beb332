package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

func faultsCommand() *cli.Command {
	return &cli.Command{
		Name: "faults", Usage: "list the kinds of faults, or describe one", ArgsUsage: "[KIND]",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "markdown", Usage: "print all kinds as Markdown (docs/faults.md)"}},
		Action: func(c *cli.Context) error {
			if c.Bool("markdown") {
				_, err := fmt.Fprint(c.App.Writer, faultsPage())
				return err
			}
			if name := c.Args().First(); name != "" {
				k, ok := fault.Specs().Find(name)
				if !ok {
					return usageError("unknown kind of fault %q: %s", name, strictyaml.Suggest(name, fault.Specs().Names()))
				}
				_, err := fmt.Fprint(c.App.Writer, aboutKind(k.Name, k.Doc, k.New()))
				return err
			}
			var rows [][]string
			for _, k := range fault.Specs() {
				rows = append(rows, []string{k.Name, k.Doc})
			}
			return table(c.App.Writer, nil, rows)
		},
	}
}

const faultsHead = `# Faults

Written by ` + "`gameday faults --markdown`" + `; do not edit.

Every fault of a scenario has exactly one kind. Besides the settings of its kind, a fault has:

| setting | |
| --- | --- |
| ` + "`target`" + ` | components to fault: ` + "`service`, `name`, `label`, `zone`, `role`" + `, and ` + "`any: N` or `percent: N`" + ` of them at random. A role is resolved when the fault is injected |
| ` + "`at`" + ` | delay after the first fault (default: 0s); at least one fault must be at 0 |
| ` + "`for`" + ` | duration (default: until the end of the watch) |

` + "`seed:`" + ` of the scenario determines the random choices. Each run records its seed, so that the run can be repeated.

Some kinds need a helper: a small gameday program in a separate container, with only the capability that it needs. gameday starts the helper
during the baseline, so that the injection takes only 1 to 2 ms. The helper reverts its fault on request, when gameday dies, and when the
connection to gameday is lost. Nothing is installed in the component, and no image is pulled.

`

// faultsPage is docs/faults.md.
func faultsPage() string {
	var b strings.Builder
	b.WriteString(faultsHead)
	for _, k := range fault.Specs() {
		b.WriteString(aboutKind(k.Name, k.Doc, k.New()) + "\n")
	}
	return strings.TrimSpace(b.String()) + "\n"
}

// aboutKind is all about a kind, in Markdown.
func aboutKind(name, doc string, spec any) string {
	note := fault.Notes()[name]
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n```yaml\nfaults:\n  - %s\n```\n\n", name, doc, note.Example)
	if settings := scenario.KeysTable(reflect.TypeOf(spec).Elem(), "setting"); settings != "" {
		b.WriteString(settings + "\n")
	}
	fmt.Fprintf(&b, "How: %s\n\nUndone: %s\n", note.How, note.Undone)
	if note.Kernel != "" {
		fmt.Fprintf(&b, "\nKernel requirements: %s. `gameday plan` reports a kernel that lacks them.\n", note.Kernel)
	}
	return b.String()
}
