package topology

import (
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
)

// Sizes of the SVG, in pixels.
const (
	boxWidth, boxHeight = 190, 40
	gapX, gapY          = 24, 56
)

// point is the middle of a box.
type point struct{ x, y int }

// canvas is an SVG under way.
type canvas struct {
	strings.Builder

	width, height int
	at            map[string]point // the boxes by name
}

// SVG draws the layers, the users at the top, and what is outside at the bottom.
func SVG(w io.Writer, m Map, marks map[string]Mark) error {
	layers := m.layers()
	widest := 1
	for _, l := range layers {
		widest = max(widest, len(l))
	}
	rows := len(layers) + 1
	if len(m.Outside) > 0 {
		rows++
	}
	c := &canvas{width: widest*(boxWidth+gapX) + gapX, height: rows*(boxHeight+gapY) + gapY}
	c.at = map[string]point{Entry: {c.width / 2, row(0)}, beyond: {c.width / 2, row(rows - 1)}}
	for i, l := range layers {
		left := (c.width - len(l)*(boxWidth+gapX) + gapX) / 2
		for j, n := range l {
			c.at[n.Component] = point{left + j*(boxWidth+gapX) + boxWidth/2, row(i + 1)}
		}
	}
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="13">`+"\n", c.width, c.height, c.width, c.height)
	for _, e := range slices.Concat(m.Edges, m.crossings()) {
		c.line(e)
	}
	c.box(Entry, Entry, "")
	for _, n := range slices.Concat(layers...) {
		text, _, _ := strings.Cut(n.label(marks[n.Component]), " (zone")
		if _, after, ok := strings.Cut(n.label(marks[n.Component]), "):"); ok {
			text += ":" + after
		}
		c.box(n.Component, text, n.class(marks[n.Component]))
	}
	if len(m.Outside) > 0 {
		c.box(beyond, beyond, "outside")
		fmt.Fprintf(c, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", c.at[beyond].x, c.at[beyond].y+boxHeight/2+16, html.EscapeString(m.total()))
	}
	fmt.Fprintln(c, "</svg>")
	_, err := io.WriteString(w, c.String())
	return err
}

// row is the middle of the n-th row.
func row(n int) int { return gapY/2 + n*(boxHeight+gapY) + boxHeight/2 }

func (c *canvas) line(e Edge) {
	from, to := c.at[e.From], c.at[e.To]
	dash := ""
	if e.Declared {
		dash = ` stroke-dasharray="4"`
	}
	fmt.Fprintf(c, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#888"%s/>`+"\n", from.x, from.y+boxHeight/2, to.x, to.y-boxHeight/2, dash)
}

func (c *canvas) box(name, text, class string) {
	fills := map[string]string{
		"red": `fill="#fdd" stroke="#c00" stroke-width="2"`, "green": `fill="#dfd" stroke="#080"`, "amber": `fill="#fec" stroke="#b70"`,
		"predicted": `fill="#fff" stroke="#c00" stroke-dasharray="4"`, "outside": `fill="#eee" stroke="#555" stroke-dasharray="2"`, "": `fill="#fff" stroke="#555"`,
	}
	p := c.at[name]
	fmt.Fprintf(c, `<rect x="%d" y="%d" width="%d" height="%d" rx="5" %s/><text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n",
		p.x-boxWidth/2, p.y-boxHeight/2, boxWidth, boxHeight, fills[class], p.x, p.y+5, html.EscapeString(text))
}
