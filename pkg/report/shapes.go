package report

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// spans shade an interval from top to bottom.
type spans struct {
	from, to float64
	colour   palette
}

// Plot implements [plot.Plotter].
func (s spans) Plot(c draw.Canvas, p *plot.Plot) {
	from, to := max(s.from, p.X.Min), min(s.to, p.X.Max)
	if from >= to {
		return
	}
	x, _ := p.Transforms(&c)
	fill(c, s.colour, vg.Rectangle{Min: vg.Point{X: x(from), Y: c.Min.Y}, Max: vg.Point{X: x(to), Y: c.Max.Y}})
}

// upright draws vertical lines at moments, between two fractions of the height.
type upright struct {
	at        []float64
	colour    palette
	width     vg.Length
	low, high float64
}

// Plot implements [plot.Plotter].
func (u upright) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	style := draw.LineStyle{Color: u.colour.rgb(), Width: u.width}
	height := c.Max.Y - c.Min.Y
	for _, at := range u.at {
		if at < p.X.Min || at > p.X.Max {
			continue
		}
		c.StrokeLine2(style, x(at), c.Min.Y+vg.Length(u.low)*height, x(at), c.Min.Y+vg.Length(u.high)*height)
	}
}

func fill(c draw.Canvas, colour palette, r vg.Rectangle) {
	c.FillPolygon(colour.rgb(), []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}})
}
