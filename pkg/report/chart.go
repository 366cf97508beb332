package report

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// The size of a chart: users above, latencies below.
const (
	chartWidth  = 24 * vg.Centimeter
	chartHeight = 13 * vg.Centimeter
	chartDPI    = 144 // of the PNG
)

// The colours of a chart differ on white, on black, and for readers who cannot tell
// red from green.
func (p palette) rgb() color.NRGBA {
	return color.NRGBA{R: uint8(p >> 24), G: uint8(p >> 16), B: uint8(p >> 8), A: uint8(p)} //nolint:gosec // G115: bytes of a colour
}

type palette uint32

const (
	goodColour     palette = 0x2f9e6eff
	slowColour     palette = 0xe8a317ff
	failedColour   palette = 0xd3364bff
	faultColour    palette = 0x88888838
	recoveryColour palette = 0x2f6fde66
	deadlineColour palette = 0x9b30c9ff
	eventColour    palette = 0x888888ff
	inkColour      palette = 0x000000ff // the text's; a page replaces it by its own
	p50Colour      palette = 0x5aa0f2ff
	p95Colour      palette = 0x2f6fdeff
	p99Colour      palette = 0xd9822bff
	metricColour   palette = 0x14a0b5ff
	gapColour      palette = 0xe8a31750
)

// ChartSVG draws the users of a journey over time.
func ChartSVG(w io.Writer, r Report, journey int) error {
	canvas := vgsvg.New(chartWidth, r.heightOf(journey))
	if err := drawChart(draw.New(canvas), r, journey); err != nil {
		return err
	}
	_, err := canvas.WriteTo(w)
	return err
}

// ChartPNG draws the same picture as a PNG, on white.
func ChartPNG(w io.Writer, r Report, journey int) error {
	canvas := vgimg.NewWith(vgimg.UseWH(chartWidth, r.heightOf(journey)), vgimg.UseDPI(chartDPI), vgimg.UseBackgroundColor(color.White))
	if err := drawChart(draw.New(canvas), r, journey); err != nil {
		return err
	}
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(w)
	return err
}

// emptyPNG is a blank picture.
func emptyPNG(w io.Writer) error {
	_, err := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(chartWidth, vg.Centimeter), vgimg.UseBackgroundColor(color.White))}.WriteTo(w)
	return err
}

// inlineSVG is the chart as part of a page, in the page's text colour.
func inlineSVG(r Report, journey int, title string) (string, error) {
	var b bytes.Buffer
	if err := ChartSVG(&b, r, journey); err != nil {
		return "", err
	}
	_, svg, _ := strings.Cut(b.String(), "<svg ")
	svg = strings.NewReplacer(
		"fill:#000000", "fill:currentColor", "stroke:#000000", "stroke:currentColor",
		"font-family:Liberation Sans", "font-family:Liberation Sans,Arial,sans-serif",
	).Replace(svg)
	return `<svg role="img" aria-label="` + htmlEscape(title) + `" ` + svg, nil
}

func drawChart(c draw.Canvas, r Report, journey int) error {
	all, err := r.panels(journey)
	if err != nil {
		return err
	}
	for i, tile := range arrange(c, all) {
		all[i].Draw(tile)
	}
	return nil
}

// panels are those of a chart, from the top to the bottom.
func (r Report) panels(journey int) ([]*plot.Plot, error) {
	s := r.series[journey]
	timeline, err := newPanel("users per "+s.Width.String(), s)
	if err != nil {
		return nil, err
	}
	latency, err := newPanel("latency (ms)", s)
	if err != nil {
		return nil, err
	}
	r.shade(timeline, journey)
	r.shade(latency, journey)
	named := lay(r.labels(journey), timeline)
	timeline.Add(bars{s}, upright{at: r.eventMoments(), colour: eventColour, width: 1, low: 0, high: 0.05}, named)
	timeline.Y.Max = timeline.Y.Max / (1 - named.room())
	for _, l := range []struct {
		colour palette
		of     func(Bin) time.Duration
	}{
		{p99Colour, func(b Bin) time.Duration { return b.P99 }},
		{p95Colour, func(b Bin) time.Duration { return b.P95 }},
		{p50Colour, func(b Bin) time.Duration { return b.P50 }},
	} {
		line, err := plotter.NewLine(points(s, l.of))
		if err != nil {
			return nil, fmt.Errorf("draw the chart: %w", err)
		}
		line.Color, line.Width = l.colour.rgb(), vg.Points(1.2)
		latency.Add(line)
	}
	timeline.Y.Min, latency.Y.Min = 0, 0
	all := []*plot.Plot{timeline, latency}
	for _, m := range r.metricsOn(journey) {
		p, err := r.metricPanel(m, journey)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	all[len(all)-1].X.Label.Text = "seconds since injection"
	return all, nil
}

// shade shades the fault and the bounds of the recovery.
func (r Report) shade(p *plot.Plot, journey int) {
	p.Add(spans{from: 0, to: r.faultEnds(), colour: faultColour})
	if lo, hi, ok := r.recoverySpan(journey); ok {
		p.Add(spans{from: lo, to: hi, colour: recoveryColour})
	}
}

func newPanel(label string, s Series) (*plot.Plot, error) {
	if len(s.Bins) == 0 {
		return nil, fmt.Errorf("draw the chart: journey %s has no samples", s.Journey)
	}
	p := plot.New()
	p.BackgroundColor = color.Transparent
	p.X.Min, p.X.Max = s.Start.Seconds(), (s.Start + time.Duration(len(s.Bins))*s.Width).Seconds()
	p.Y.Label.Text = label
	sans := font.Font{Typeface: "Liberation", Variant: "Sans", Size: 10}
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = sans, sans
		axis.Tick.Marker = ticks{}
	}
	return p, nil
}

// ticks are the default ticks, with the shortest form of each number.
type ticks struct{}

// Ticks implements [plot.Ticker].
func (ticks) Ticks(low, high float64) []plot.Tick {
	all := plot.DefaultTicks{}.Ticks(low, high)
	for i, t := range all {
		if t.Label != "" {
			all[i].Label = strconv.FormatFloat(t.Value, 'f', -1, 64)
		}
	}
	return all
}

func points(s Series, of func(Bin) time.Duration) plotter.XYs {
	xys := make(plotter.XYs, 0, len(s.Bins))
	for i, b := range s.Bins {
		if b.Users() > 0 {
			middle := s.Start + time.Duration(i)*s.Width + s.Width/2
			xys = append(xys, plotter.XY{X: middle.Seconds(), Y: float64(of(b)) / float64(time.Millisecond)})
		}
	}
	return xys
}

// faultEnds is when the fault ends, in seconds since injection.
func (r Report) faultEnds() float64 {
	switch {
	case r.FaultAt == nil:
		return 0
	case r.Revert != nil:
		return r.Revert.Sub(*r.FaultAt).Seconds()
	}
	return r.Ended.Sub(*r.FaultAt).Seconds()
}

// verdictOf is the verdict of the journey whose chart is drawn.
func (r Report) verdictOf(journey int) verdict.Verdict {
	for _, j := range r.Journeys {
		if j.Name == r.series[journey].Journey {
			return j.Verdict
		}
	}
	return verdict.Verdict{}
}

// recoverySpan is the earliest and the latest moment at which service can have come
// back.
func (r Report) recoverySpan(journey int) (lo, hi float64, ok bool) {
	v := r.verdictOf(journey)
	if v.FirstImpact == nil || v.RecoveryLo == nil || v.RecoveryHi == nil || *v.RecoveryHi == 0 {
		return 0, 0, false
	}
	began := v.FirstImpact.Duration()
	return (began + v.RecoveryLo.Duration()).Seconds(), (began + v.RecoveryHi.Duration()).Seconds(), true
}

// eventMoments are the times of the environment's events.
func (r Report) eventMoments() []float64 {
	var all []float64
	for _, e := range r.Events {
		if e.Kind == record.KindEngine && r.FaultAt != nil {
			all = append(all, e.At.Sub(*r.FaultAt).Seconds())
		}
	}
	return all
}

// bars are the users of each bin: failed and slow ones below, good ones above.
type bars struct{ Series }

// Plot implements [plot.Plotter].
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, bin := range b.Bins {
		left := b.Start + time.Duration(i)*b.Width
		bottom := 0
		for _, part := range []struct {
			n      int
			colour palette
		}{{bin.Failed, failedColour}, {bin.Slow, slowColour}, {bin.Good, goodColour}} {
			if part.n == 0 {
				continue
			}
			fill(c, part.colour, vg.Rectangle{Min: vg.Point{X: x(left.Seconds()), Y: y(float64(bottom))}, Max: vg.Point{X: x((left + b.Width).Seconds()), Y: y(float64(bottom + part.n))}})
			bottom += part.n
		}
	}
}

// DataRange implements [plot.DataRanger].
func (b bars) DataRange() (xmin, xmax, ymin, ymax float64) {
	most := 1
	for _, bin := range b.Bins {
		most = max(most, bin.Users())
	}
	return math.Inf(1), math.Inf(-1), 0, float64(most) * 1.1
}
