package scenario

import (
	"embed"
	"encoding"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/target"
)

// KeysTable is a table in Markdown of the keys of a struct that files are decoded into;
// "" if it has none.
func KeysTable(t reflect.Type, head string) string {
	all := strictyaml.Fields(t)
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | value | |\n| --- | --- | --- |\n", head)
	for _, f := range all {
		required := map[bool]string{true: ", required"}[f.Required]
		fmt.Fprintf(&b, "| `%s` | %s%s | %s |\n", f.Key, valueOf(f), required, inCell(f.Tag.Get("jsonschema_description")))
	}
	return b.String()
}

// inCell is a text in a cell of a table, which a bar would end.
func inCell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// valueOf is what can be written there.
func valueOf(f strictyaml.Field) string {
	if len(f.Enum) > 0 {
		return "`" + strings.Join(f.Enum, "`, `") + "`"
	}
	switch f.Type {
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[unit.Ratio]():
		return "share"
	case reflect.TypeFor[unit.Size]():
		return "size"
	case reflect.TypeFor[unit.BitRate]():
		return "bandwidth"
	case reflect.TypeFor[target.Selector]():
		return "selector"
	}
	if reflect.PointerTo(f.Type).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "text"
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() { //nolint:exhaustive // those that files are made of
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		if t.Implements(reflect.TypeFor[strictyaml.Several]()) {
			return "text or list"
		}
		return "list"
	case reflect.String:
		return "text"
	case reflect.Struct, reflect.Map:
		return "mapping"
	case reflect.Interface:
		return "any value"
	default:
		return "number"
	}
}

// Example is a journey that shows one feature.
type Example struct{ Title, Text, YAML string }

//go:embed examples
var examples embed.FS

// JourneyExamples show the features of journeys, one each.
func JourneyExamples() (all []Example) {
	files, _ := fs.Glob(examples, "examples/*.yaml") // the pattern is a good one
	for _, file := range files {
		data, _ := fs.ReadFile(examples, file) // it is embedded
		title, rest, _ := strings.Cut(string(data), "\n")
		text, journey, _ := strings.Cut(rest, "\n")
		all = append(all, Example{strings.TrimPrefix(title, "# "), strings.TrimPrefix(text, "# "), journey})
	}
	return all
}

//go:embed journeys.md
var journeysHead string

//go:embed clients.md
var clientsPart string

// JourneysPage is docs/journeys.md: every key of a journey, and an example of every
// feature.
func JourneysPage() string {
	var b strings.Builder
	b.WriteString(journeysHead)
	for _, e := range JourneyExamples() {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n```yaml\n%s```\n", e.Title, e.Text, e.YAML)
	}
	others := probe.Requests()
	b.WriteString("\n## Steps that are not HTTP\n\nThey have the same `expect`, `capture`, `acknowledges`, `pause`, `retry` and `poll`.\n")
	for _, key := range slices.Sorted(maps.Keys(others)) {
		t := reflect.TypeOf(others[key]).Elem()
		fmt.Fprintf(&b, "\n### %s\n\n", key)
		if e, ok := others[key].(interface{ Example() string }); ok {
			fmt.Fprintf(&b, "```yaml\nversion: 1\nname: %s\nsteps:\n%s```\n\n", key, Indent(e.Example()))
		}
		b.WriteString(KeysTable(t, "key of "+key))
	}
	b.WriteString("\n## All keys\n")
	for _, part := range []struct {
		title string
		of    reflect.Type
	}{
		{"journey", reflect.TypeFor[probe.Journey]()},
		{"users", reflect.TypeFor[probe.Users]()},
		{"step", reflect.TypeFor[probe.Step]()},
		{"expect", reflect.TypeFor[probe.Expect]()},
		{"capture", reflect.TypeFor[probe.Capture]()},
		{"retry", reflect.TypeFor[probe.Retry]()},
		{"poll", reflect.TypeFor[probe.Poll]()},
		{"multipart", reflect.TypeFor[probe.Part]()},
	} {
		fmt.Fprintf(&b, "\n### Keys of %s\n\n%s", part.title, KeysTable(part.of, "key"))
	}
	b.WriteString(loadPage())
	b.WriteString("\n## Functions of templates\n\n| template | value |\n| --- | --- |\n")
	for _, f := range probe.Functions() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f[0], f[1])
	}
	b.WriteString("\nThe functions of Go's [text/template](https://pkg.go.dev/text/template#hdr-Functions) are there, too.\n")
	return b.String()
}

// loadPage is about how many users walk, and how they connect.
func loadPage() string {
	var b strings.Builder
	b.WriteString(`
## How many users walk

` + "`load:`" + ` of a scenario says how many users arrive, whatever the system responds. Stages begin when the first fault is ordered, so that
the baseline is steady.

` + "```yaml" + `
version: 1
name: db-loss
title: The database dies while many users come
environment: staging
suspect: {component: db, because: It was never tried.}
objective: {rto: 30s, good: 99%, within: 500ms}
faults: [{kill: {target: {service: db}}}]
load:
  - {journey: checkout, rate: 50/s, critical: true}
  - journey: browse
    rate: 20/s
    arrivals: poisson
    stages: [{to: 100/s, over: 10s}, {hold: 30s}]
` + "```" + `

`)
	b.WriteString(KeysTable(reflect.TypeFor[JourneyLoad](), "key of load"))
	b.WriteString(clientsPart)
	b.WriteString(KeysTable(reflect.TypeFor[Client](), "key of clients"))
	b.WriteString("\n## How users connect\n\n`connect:` of an environment in gameday.yaml, and of its `inside:`. Files are beside gameday.yaml.\n\n" +
		"```yaml\nversion: 1\nenvironments:\n  staging:\n    docker: {project: shop}\n    entry: https://shop.example\n" +
		"    connect: {ca: ca.pem, resolve: {shop.example: 192.0.2.10}, http2: true}\n```\n\n")
	b.WriteString(KeysTable(reflect.TypeFor[probe.Connect](), "key of connect"))
	return b.String()
}

// Indent is the YAML of a step as an item of steps.
func Indent(step string) string {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(step), "\n") {
		b.WriteString(map[bool]string{true: "  - ", false: "    "}[i == 0 && !strings.HasPrefix(line, "- ")] + strings.TrimPrefix(line, "- ") + "\n")
	}
	return b.String()
}
