package report

import (
	"cmp"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

// label is a moment with its name, on a chart.
type label struct {
	at     float64 // seconds since injection
	text   string
	colour palette
}

// The labels' text, and the part of a panel's height that a row of them takes.
const (
	labelSize   = 9
	labelRow    = 0.075
	mostRows    = 5
	mostOfLabel = 36 // characters
)

// labels are the moments that a reader looks for: what happened to users, and to the fault.
func (r Report) labels(journey int) (all []label) {
	add := func(at float64, text string, colour palette) {
		text = plaintext.Line(text)
		if short := []rune(text); len(short) > mostOfLabel {
			text = string(short[:mostOfLabel-1]) + "…"
		}
		all = append(all, label{at, text, colour})
	}
	if r.FaultAt == nil {
		return nil
	}
	add(0, "fault", inkColour)
	v := r.verdictOf(journey)
	if v.FirstImpact != nil {
		first := v.FirstImpact.Duration()
		add(first.Seconds(), "first failed or slow", failedColour)
		add((first + r.Objective.RTO.Duration()).Seconds(), "RTO "+r.Objective.RTO.String(), deadlineColour)
		if v.Recovery != nil && *v.Recovery > 0 {
			add((first + v.Recovery.Duration()).Seconds(), "recovered", goodColour)
		}
	}
	if r.Anatomy != nil {
		for _, m := range r.Anatomy.Moments {
			if m.moved || strings.HasPrefix(m.What, "alert ") {
				add(m.Hi.Duration().Seconds(), strings.TrimPrefix(m.What, "role "), recoveryColour|0xff)
			}
		}
	}
	if r.Revert != nil {
		add(r.faultEnds(), "reverted", inkColour)
	}
	slices.SortStableFunc(all, func(a, b label) int { return cmp.Compare(a.at, b.at) })
	return all
}

// labelling draws labels in rows at the top of a panel, each beside its line.
type labelling struct {
	all   []label
	style text.Style
	width vg.Length // of the panel
	rows  []int     // of each label
}

// lay puts labels into as few rows as they need so that no two of them overlap. The panel's
// width is about that of the chart.
func lay(all []label, p *plot.Plot) labelling {
	l := labelling{all: all, style: p.X.Tick.Label, width: chartWidth - 2*vg.Centimeter}
	l.style.Font.Size = labelSize
	l.style.XAlign, l.style.YAlign = text.XLeft, text.YTop
	ends := make([]vg.Length, 0, mostRows)
	for _, one := range all {
		from := l.left(one, l.place(one.at, p))
		row := slices.IndexFunc(ends, func(end vg.Length) bool { return end+4 < from })
		switch {
		case row < 0 && len(ends) < mostRows:
			ends, row = append(ends, 0), len(ends)
		case row < 0:
			row = slices.Index(ends, slices.Min(ends))
		}
		ends[row] = from + l.style.Width(one.text)
		l.rows = append(l.rows, row)
	}
	return l
}

// place is where a time is in the panel.
func (l labelling) place(at float64, p *plot.Plot) vg.Length {
	return vg.Length((at-p.X.Min)/(p.X.Max-p.X.Min)) * l.width
}

// left is where the text of a label at x begins: right of its line, or left of it if the
// panel ends before.
func (l labelling) left(one label, x vg.Length) vg.Length {
	if w := l.style.Width(one.text); x+4+w > l.width {
		return x - 4 - w
	}
	return x + 4
}

// room is the part of the panel's height that the labels take.
func (l labelling) room() float64 {
	if len(l.rows) == 0 {
		return 0
	}
	return labelRow * float64(slices.Max(l.rows)+1)
}

// Plot implements [plot.Plotter].
func (l labelling) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	height := c.Max.Y - c.Min.Y
	l.width = c.Max.X - c.Min.X
	for i, one := range l.all {
		if one.at < p.X.Min || one.at > p.X.Max {
			continue
		}
		at, top := x(one.at), c.Max.Y-vg.Length(l.rows[i])*vg.Length(labelRow)*height
		line := draw.LineStyle{Color: one.colour.rgb(), Width: 1.2}
		if one.colour == deadlineColour {
			line.Dashes = []vg.Length{4, 3}
		}
		c.StrokeLine2(line, at, c.Min.Y, at, top)
		c.FillText(l.style, vg.Point{X: c.Min.X + l.left(one, at-c.Min.X), Y: top}, one.text)
	}
}
