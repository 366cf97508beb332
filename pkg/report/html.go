package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

//go:embed page.html
var page string

func htmlEscape(text string) string { return template.HTMLEscapeString(text) }

// HTML writes the report as one self-contained page: no script, no network. It is
// made for print and for phones, in light and in dark mode.
func HTML(w io.Writer, r Report) error {
	charts, data := make([]template.HTML, 0, len(r.series)), make([][]chartRow, 0, len(r.series))
	for i, s := range r.series {
		data = append(data, s.chartRows(r.metricsOn(i)))
		if len(s.Bins) == 0 {
			charts = append(charts, "")
			continue
		}
		svg, err := inlineSVG(r, i, r.alt(i))
		if err != nil {
			return err
		}
		charts = append(charts, template.HTML(svg)) //nolint:gosec // G203: drawn by us from numbers
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"thousands": thousands, "short": func(s verdict.Seconds) string { return short(&s) }, "percent": Percent, "clock": clock,
		"adviceFacts": r.adviceFacts, "metricsOn": r.metricsOn, "rest": Why.rest,
		"share": func(f Figures) string { return Percent(float64(f.Bad) / float64(max(f.N, 1))) },
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("parse the report's page: %w", err)
	}
	return t.Execute(w, map[string]any{
		"R": r, "Word": word(r.Outcome), "State": stateOf(r.Verdict), "Headline": Headline(r),
		"Objective": objective(r.Objective), "Facts": facts(r), "Charts": charts, "Data": data, "Story": r.story(), "Lost": r.lost(), "Findings": r.findings(), "Doings": r.doings(),
		"Happened": r.happened(),
		"Resolved": r.resolved, "Logs": r.shownLogs(), "Width": widthOf(r.series),
		"Versions": r.versions(), "AdviceIs": adviceIs, "When": r.Started.UTC().Format("2006-01-02 15:04:05 UTC"),
	})
}

func widthOf(all []Series) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return all[0].Width
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// versions are the versions of gameday and of the environment, in a fixed order.
func (r Report) versions() []fact {
	all := []fact{{"gameday", r.Gameday}}
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		all = append(all, fact{name, r.Versions[name]})
	}
	return all
}

// happening is one line of the timeline.
type happening struct {
	At              string // since the fault was ordered
	Component, What string
	Mark            bool
	Said            bool // by a person
}

// happened is the timeline, measured from the fault.
func (r Report) happened() []happening {
	origin := r.Started
	if r.FaultAt != nil {
		origin = *r.FaultAt
	}
	var all []happening
	for i, e := range r.Events {
		if e.Schema != "" || marksAgain(r.Events[i:]) {
			continue
		}
		h := happening{At: fmt.Sprintf("%+.3fs", e.At.Sub(origin).Round(time.Millisecond).Seconds()), Component: e.Component, What: plainWrong(e.What)}
		if e.Kind == record.KindMark {
			h.Mark, h.What = true, string(e.Mark)
		}
		if text, ok := said(e); ok {
			h.Said, h.What = true, text
		}
		all = append(all, h)
	}
	return all
}

// sameMoment is how long after a first mark of the baseline, which is for a run that ends
// early, the one that counts is of the same moment for a reader.
const sameMoment = time.Second

// marksAgain reports whether the first event is a mark of the baseline that another one
// repeats at the same moment.
func marksAgain(events []record.Event) bool {
	return events[0].Mark == record.MarkBaseline && slices.ContainsFunc(events[1:], func(e record.Event) bool {
		return e.Mark == record.MarkBaseline && e.At.Sub(events[0].At) < sameMoment
	})
}

// Name is the label, for the template.
func (f fact) Name() string { return f.name }

// Text is the text, for the template.
func (f fact) Text() string { return f.text }

// Loud reports whether a fact must not be overlooked.
func (f fact) Loud() bool { return strings.ToUpper(f.name) == f.name }

var _ Format = HTML
