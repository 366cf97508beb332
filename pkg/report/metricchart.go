package report

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

// metricHeight is that of a metric's panel, below those of the users.
const metricHeight = 3.4 * vg.Centimeter

// mostDrawn bounds what is drawn, so that the range of an axis is finite.
const mostDrawn = 1e300

// titleRoom is the part of a metric's panel that its name takes.
const titleRoom = 0.25

// heightOf is how high the chart of a journey is: metrics are on that of the deciding one.
func (r Report) heightOf(journey int) vg.Length {
	return chartHeight + vg.Length(len(r.metricsOn(journey)))*metricHeight
}

// metricsOn are the metrics on the chart of a journey.
func (r Report) metricsOn(journey int) []Metric {
	if journey != r.decides() {
		return nil
	}
	return r.Metrics
}

// metricPanel draws a metric on the time axis of a series.
func (r Report) metricPanel(m Metric, journey int) (*plot.Plot, error) {
	p, err := newPanel("", r.series[journey])
	if err != nil {
		return nil, err
	}
	title, low, high := m.Title(), math.Inf(1), math.Inf(-1)
	for _, v := range m.Values {
		low, high = min(low, drawn(v.Value)), max(high, drawn(v.Value))
	}
	p.Y.Min, p.Y.Max, p.Y.Tick.Marker = 0, 1, plot.ConstantTicks(nil)
	if low <= high {
		p.Y.Min, p.Y.Max = roomFor(low, high)
		p.Y.Tick.Marker = valueTicks{p.Y.Max}
	} else {
		title += ": no value"
	}
	p.Y.Max = p.Y.Min + (p.Y.Max-p.Y.Min)/(1-titleRoom)
	r.shade(p, journey)
	p.Add(holes{m.gaps}, track{m.Values}, heading{title, p.X.Tick.Label})
	return p, nil
}

// drawn is a value as far as it is drawn.
func drawn(v float64) float64 { return max(-mostDrawn, min(v, mostDrawn)) }

// roomFor is the range of an axis with values from low to high: from 0 if they are not far
// from it.
func roomFor(low, high float64) (from, to float64) {
	span := high - low
	if span == 0 {
		span = max(math.Abs(high), 1)
	}
	from, to = low-span/20, high+span/20
	switch {
	case low >= 0 && low <= high/2 || low == high && low >= 0:
		from = 0
	case high <= 0 && high >= low/2:
		to = 0
	}
	return from, to
}

// valueTicks are a few ticks up to a value, with short labels.
type valueTicks struct{ highest float64 }

// Ticks implements [plot.Ticker].
func (v valueTicks) Ticks(low, _ float64) (all []plot.Tick) {
	step := math.Pow(10, math.Floor(math.Log10((v.highest-low)/2)))
	for _, times := range []float64{5, 2} {
		if (v.highest-low)/(step*times) >= 2 {
			step *= times
			break
		}
	}
	for i := math.Ceil(low / step); i*step <= v.highest && len(all) < 10; i++ {
		all = append(all, plot.Tick{Value: i * step, Label: axisNumber(i*step, step)})
	}
	return all
}

// axisNumber is a number at an axis whose ticks are a step apart: 250, 1.5k, 20M.
func axisNumber(v, step float64) string {
	abs := math.Abs(v)
	if abs >= 1e15 || abs > 0 && step < 1e-6 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	suffix, unit := "", 1.0
	for _, s := range []struct {
		from   float64
		suffix string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if abs >= s.from {
			suffix, unit = s.suffix, min(s.from, 1e12)
			break
		}
	}
	if suffix == "k" {
		unit = 1e3
	}
	decimals := int(max(0, min(6, -math.Floor(math.Log10(step/unit)+1e-9))))
	return strconv.FormatFloat(v/unit, 'f', decimals, 64) + suffix
}

// holes shade the spans without a value.
type holes struct{ all []MetricGap }

// Plot implements [plot.Plotter]. Gaps between which a pixel's width is left are shaded as one:
// there may be thousands.
func (h holes) Plot(c draw.Canvas, p *plot.Plot) {
	least := (p.X.Max - p.X.Min) / 1000
	for i := 0; i < len(h.all); {
		from, to := h.all[i].From.Duration().Seconds(), h.all[i].To.Duration().Seconds()
		for i++; i < len(h.all) && h.all[i].From.Duration().Seconds() <= to+least; i++ {
			to = h.all[i].To.Duration().Seconds()
		}
		spans{from: from, to: max(to, from+least), colour: gapColour}.Plot(c, p)
	}
}

// track draws values as a line that breaks at gaps; a value between two gaps is a dot.
type track struct{ all []MetricValue }

// Plot implements [plot.Plotter].
func (t track) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var line []vg.Point
	flush := func() {
		if len(line) == 1 {
			at, half := line[0], vg.Points(1.2)
			fill(c, metricColour, vg.Rectangle{Min: vg.Point{X: at.X - half, Y: at.Y - half}, Max: vg.Point{X: at.X + half, Y: at.Y + half}})
		}
		c.StrokeLines(draw.LineStyle{Color: metricColour.rgb(), Width: vg.Points(1.6)}, line)
		line = nil
	}
	for _, v := range t.all {
		at := v.At.Duration().Seconds()
		if v.AfterGap {
			flush()
		}
		if at >= p.X.Min && at <= p.X.Max {
			line = append(line, vg.Point{X: x(at), Y: y(drawn(v.Value))})
		}
	}
	flush()
}

// heading writes the name of a panel at its top.
type heading struct {
	text  string
	style text.Style
}

// Plot implements [plot.Plotter].
func (h heading) Plot(c draw.Canvas, _ *plot.Plot) {
	h.style.XAlign, h.style.YAlign = text.XLeft, text.YTop
	shown := []rune(plaintext.Line(h.text))
	for len(shown) > 1 && h.style.Width(string(shown)) > c.Max.X-c.Min.X-8 {
		shown = append(shown[:len(shown)-2], '…')
	}
	c.FillText(h.style, vg.Point{X: c.Min.X + 4, Y: c.Max.Y}, string(shown))
}

// arrange places the two panels of the users, and below them those of metrics, so that all have
// one time axis.
func arrange(c draw.Canvas, all []*plot.Plot) (tiles []draw.Canvas) {
	users, below := [][]*plot.Plot{{all[0]}, {all[1]}}, all[2:]
	spaces := draw.Tiles{Rows: 2, Cols: 1, PadTop: 6, PadBottom: 4, PadLeft: 4, PadRight: 12, PadY: 8}
	room := vg.Length(len(below)) * metricHeight
	upper, lower := draw.Crop(c, 0, 0, room, 0), draw.Crop(c, spaces.PadLeft, -spaces.PadRight, spaces.PadBottom, room-(c.Max.Y-c.Min.Y))
	place := func() (axis vg.Rectangle) {
		tiles = tiles[:0]
		for _, row := range plot.Align(users, spaces, upper) {
			tiles = append(tiles, row[0])
		}
		return all[0].DataCanvas(tiles[0]).Rectangle
	}
	axis := place()
	for _, p := range below {
		// A metric with longer numbers than the users' moves the axis of all.
		if more := p.DataCanvas(lower).Min.X - axis.Min.X; more > 0 {
			upper = draw.Crop(upper, more, 0, 0, 0)
			axis = place()
		}
	}
	if len(below) == 0 {
		return tiles
	}
	// The lowest panel has the label of the axis, too.
	under := func(p *plot.Plot) vg.Length { return p.DataCanvas(lower).Min.Y - lower.Min.Y }
	label := under(below[len(below)-1]) - under(below[0])
	height := (lower.Max.Y - lower.Min.Y - label) / vg.Length(len(below))
	for i, p := range below {
		bottom := vg.Length(len(below)-1-i) * height
		if i < len(below)-1 {
			bottom += label
		}
		tile := draw.Crop(lower, 0, 0, bottom, -vg.Length(i)*height-spaces.PadY)
		// What a panel needs beside its axis changes a little with its width.
		for range 3 {
			inner := p.DataCanvas(tile)
			tile = draw.Crop(tile, axis.Min.X-inner.Min.X, axis.Max.X-inner.Max.X, 0, 0)
		}
		tiles = append(tiles, tile)
	}
	return tiles
}
