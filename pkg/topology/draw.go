package topology

import (
	"fmt"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
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
	fmt.Fprintf(&b, "%s\n", Entry)
	for _, layer := range m.layers() {
		if layer[0].Layer < 0 {
			b.WriteString("\nnot reached by users\n")
		} else {
			b.WriteString("  ↓\n")
		}
		for _, n := range layer {
			fmt.Fprintf(&b, "  %s%s\n", n.label(marks[n.Component]), m.needs(n.Component))
			if n.Why != "" {
				fmt.Fprintf(&b, "      %s\n", n.Why)
			}
		}
	}
	for _, z := range m.Zones() {
		if len(z.Tiers) > 0 {
			fmt.Fprintf(&b, "\nzone %s holds all of: %s", z.Zone, strings.Join(z.Tiers, ", "))
		}
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
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
		fmt.Fprintf(&b, "  n%d[%s]", i+1, strconv.Quote(n.label(marks[n.Component])))
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
	b.WriteString("  classDef red fill:#fdd,stroke:#c00\n  classDef green fill:#dfd,stroke:#080\n  classDef amber fill:#fec,stroke:#b70\n  classDef predicted stroke:#c00,stroke-dasharray:4\n")
	_, err := io.WriteString(w, b.String())
	return err
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
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// Sizes of the SVG, in pixels.
const (
	boxWidth, boxHeight = 190, 40
	gapX, gapY          = 24, 56
)

// SVG draws the layers, the users at the top.
func SVG(w io.Writer, m Map, marks map[string]Mark) error {
	layers := m.layers()
	widest := 1
	for _, l := range layers {
		widest = max(widest, len(l))
	}
	width := widest*(boxWidth+gapX) + gapX
	height := (len(layers)+1)*(boxHeight+gapY) + gapY
	type point struct{ x, y int }
	at := map[string]point{Entry: {width / 2, gapY/2 + boxHeight/2}}
	for i, l := range layers {
		left := (width - len(l)*(boxWidth+gapX) + gapX) / 2
		for j, n := range l {
			at[n.Component] = point{left + j*(boxWidth+gapX) + boxWidth/2, gapY/2 + (i+1)*(boxHeight+gapY) + boxHeight/2}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="13">`+"\n", width, height, width, height)
	for _, e := range m.Edges {
		from, to := at[e.From], at[e.To]
		dash := ""
		if e.Declared {
			dash = ` stroke-dasharray="4"`
		}
		fmt.Fprintf(&b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#888"%s/>`+"\n", from.x, from.y+boxHeight/2, to.x, to.y-boxHeight/2, dash)
	}
	box := func(p point, text, class string) {
		fills := map[string]string{"red": `fill="#fdd" stroke="#c00" stroke-width="2"`, "green": `fill="#dfd" stroke="#080"`, "amber": `fill="#fec" stroke="#b70"`, "predicted": `fill="#fff" stroke="#c00" stroke-dasharray="4"`, "": `fill="#fff" stroke="#555"`}
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" rx="5" %s/><text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n",
			p.x-boxWidth/2, p.y-boxHeight/2, boxWidth, boxHeight, fills[class], p.x, p.y+5, html.EscapeString(text))
	}
	box(at[Entry], Entry, "")
	for _, n := range slices.Concat(layers...) {
		text, _, _ := strings.Cut(n.label(marks[n.Component]), " (zone")
		if _, after, ok := strings.Cut(n.label(marks[n.Component]), "):"); ok {
			text += ":" + after
		}
		box(at[n.Component], text, n.class(marks[n.Component]))
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}
