package topology

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

// Mark is how a component is shown beside its prediction: what an experiment has
// found.
type Mark string

// The marks.
const (
	Unmarked Mark = ""
	Red      Mark = "proven"    // a single point of failure
	Green    Mark = "disproved" // none
	Amber    Mark = "unclear"   // degraded, or inconclusive
)

// Format draws a map. marks are by component; none is nil.
type Format func(w io.Writer, m Map, marks map[string]Mark) error

// Formats are the ways to draw a map, by name.
func Formats() map[string]Format {
	return map[string]Format{"text": Text, "mermaid": Mermaid, "dot": DOT, "svg": SVG}
}

// layers are the nodes by their layer; those that users do not reach are the last.
func (m Map) layers() [][]Node {
	var all [][]Node
	var rest []Node
	for _, n := range m.Nodes {
		if n.Layer < 0 {
			rest = append(rest, n)
			continue
		}
		for len(all) < n.Layer {
			all = append(all, nil)
		}
		all[n.Layer-1] = append(all[n.Layer-1], n)
	}
	if len(rest) > 0 {
		all = append(all, rest)
	}
	return all
}

func (n Node) label(mark Mark) string {
	text := n.Component
	if n.Zone != "" {
		text += " (zone " + n.Zone + ")"
	}
	switch {
	case mark != Unmarked:
		text += ": " + string(mark)
	case n.Layer < 0:
		text += ": no user"
	case n.Predicted:
		text += ": predicted SPOF"
	}
	return text
}

// Text draws layers as lines.
func Text(w io.Writer, m Map, marks map[string]Mark) error {
	var b strings.Builder
	line := plaintext.Line
	fmt.Fprintf(&b, "%s\n", Entry)
	for _, layer := range m.layers() {
		if layer[0].Layer < 0 {
			b.WriteString("\nnot reached by users\n")
		} else {
			b.WriteString("  ↓\n")
		}
		for _, n := range layer {
			fmt.Fprintf(&b, "  %s%s\n", line(n.label(marks[n.Component])), line(m.needs(n.Component)))
			if n.Why != "" {
				fmt.Fprintf(&b, "      %s\n", line(n.Why))
			}
		}
	}
	for _, z := range m.Zones() {
		if len(z.Tiers) > 0 {
			fmt.Fprintf(&b, "\nzone %s contains all components of: %s", line(z.Zone), line(strings.Join(z.Tiers, ", ")))
		}
	}
	text := strings.TrimRight(b.String(), "\n") + "\n" + m.outsideText()
	_, err := io.WriteString(w, text)
	return err
}

func (m Map) needs(component string) string {
	var others []string
	for _, e := range m.Edges {
		if e.From == component {
			others = append(others, e.To)
		}
	}
	if len(others) == 0 {
		return ""
	}
	return " → " + strings.Join(others, ", ")
}

// Mermaid writes a flow chart, as Markdown pages show it.
func Mermaid(w io.Writer, m Map, marks map[string]Mark) error {
	var b strings.Builder
	b.WriteString("flowchart TD\n  n0([users])\n")
	number := map[string]int{Entry: 0}
	for i, n := range m.Nodes {
		number[n.Component] = i + 1
		fmt.Fprintf(&b, "  n%d[\"%s\"]", i+1, inMermaid(n.label(marks[n.Component])))
		if c := n.class(marks[n.Component]); c != "" {
			b.WriteString(":::" + c)
		}
		b.WriteString("\n")
	}
	for _, e := range m.Edges {
		arrow := "-->"
		if e.Declared {
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "  n%d %s n%d\n", number[e.From], arrow, number[e.To])
	}
	if len(m.Outside) > 0 {
		last := len(m.Nodes) + 1
		fmt.Fprintf(&b, "  n%d([%s])\n", last, strconv.Quote(beyond+": "+m.total()))
		for _, e := range m.crossings() {
			fmt.Fprintf(&b, "  n%d --> n%d\n", number[e.From], last)
		}
	}
	b.WriteString("  classDef red fill:#fdd,stroke:#c00\n  classDef green fill:#dfd,stroke:#080\n  classDef amber fill:#fec,stroke:#b70\n  classDef predicted stroke:#c00,stroke-dasharray:4\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// inMermaid is a text within the quotes of a Mermaid label, which may hold HTML and
// Markdown, and in which a reference begins with # instead of &.
func inMermaid(text string) string {
	return strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;", `\`, "#92;").Replace(plaintext.Line(text))
}

func (n Node) class(mark Mark) string {
	switch mark {
	case Red:
		return "red"
	case Green:
		return "green"
	case Amber:
		return "amber"
	case Unmarked:
	}
	if n.Predicted {
		return "predicted"
	}
	return ""
}

// DOT writes a graph for Graphviz.
func DOT(w io.Writer, m Map, marks map[string]Mark) error {
	var b strings.Builder
	b.WriteString("digraph gameday {\n  rankdir=TB; node [shape=box];\n")
	fmt.Fprintf(&b, "  %q [shape=oval];\n", Entry)
	colours := map[string]string{"red": "color=red,style=bold", "green": "color=darkgreen", "amber": "color=orange", "predicted": "color=red,style=dashed", "": "color=black"}
	for _, n := range m.Nodes {
		fmt.Fprintf(&b, "  %q [label=%q,%s];\n", n.Component, n.label(marks[n.Component]), colours[n.class(marks[n.Component])])
	}
	for _, e := range m.Edges {
		style := ""
		if e.Declared {
			style = " [style=dashed]"
		}
		fmt.Fprintf(&b, "  %q -> %q%s;\n", e.From, e.To, style)
	}
	if len(m.Outside) > 0 {
		fmt.Fprintf(&b, "  %q [label=%q,shape=oval,style=dotted];\n", beyond, beyond+": "+m.total())
		for _, e := range m.crossings() {
			fmt.Fprintf(&b, "  %q -> %q;\n", e.From, e.To)
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}
