package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

// Markdown writes the report for a pull request, a wiki or an incident review.
func Markdown(w io.Writer, r Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n\n", word(r.Outcome), plaintext.Markdown(r.Scenario))
	fmt.Fprintf(&b, "%s\n\n", plaintext.Markdown(Headline(r)))
	fmt.Fprintf(&b, "| | |\n|---|---|\n")
	row := func(name, text string) { fmt.Fprintf(&b, "| %s | %s |\n", name, plaintext.Markdown(text)) }
	row("Scenario", strings.TrimSuffix(r.Scenario+": "+r.Title, ": "))
	if s := stateOf(r.Verdict); s != "" {
		row("Verdict", string(r.Outcome)+" ("+s+")")
	} else {
		row("Verdict", string(r.Outcome))
	}
	if r.Suspect.Component != "" {
		row("Suspect", strings.TrimSuffix(r.Suspect.Component+": "+r.Suspect.Because, ": "))
	}
	row("Objective", objective(r.Objective))
	for _, f := range facts(r) {
		row(f.name, f.text)
	}
	row("Environment", r.Environment)
	row("Run", r.ID+", gameday "+r.Gameday)
	row("When", r.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	if r.drawn() {
		fmt.Fprintf(&b, "\n%s\n", ChartImage)
	}
	markdownAdvice(&b, r)
	for _, l := range r.Load {
		markdownLoad(&b, l)
	}
	markdownAnatomy(&b, r)
	markdownWhy(&b, r)
	markdownEvents(&b, r)
	fmt.Fprintf(&b, "\nTo repeat this run: %s\n", plaintext.Code(cmp.Or(r.Again, "gameday run "+r.Scenario)))
	_, err := io.WriteString(w, b.String())
	return err
}

// ChartImage is the line of [Markdown] that shows the chart. Remove it if report.png
// does not lie next to the text.
const ChartImage = "![Users and latency over time](report.png)"

func objective(o Objective) string {
	text := fmt.Sprintf("RTO %s, %s of users within %s", o.RTO, Percent(o.Good), o.Within)
	if o.RPO != nil {
		text += ", RPO " + o.RPO.String()
	}
	return text
}

func markdownLoad(b *strings.Builder, l Load) {
	fmt.Fprintf(b, "\n## Journey %s, %g users/s\n\n", plaintext.Markdown(l.Journey), l.Rate)
	fmt.Fprintf(b, "| | users | bad | p50 | p95 | p99 | max |\n|---|---:|---:|---:|---:|---:|---:|\n")
	markdownFigures(b, l.Phases)
	if len(l.Steps) > 0 {
		fmt.Fprintf(b, "| %s | | | | | | |\n", ofSteps)
		markdownFigures(b, l.Steps)
	}
	if len(l.Errors) > 0 {
		fmt.Fprintf(b, "\n| error | users | first seen |\n|---|---:|---|\n")
		for _, c := range l.Errors {
			fmt.Fprintf(b, "| %s | %s | %s |\n", plaintext.Markdown(c.Error), thousands(c.N), c.First.UTC().Format("15:04:05.000"))
		}
		if l.More != nil {
			fmt.Fprintf(b, "| %s | %s | |\n", l.More.Text(), thousands(l.More.N))
		}
	}
}

func markdownFigures(b *strings.Builder, all []Figures) {
	for _, f := range all {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", plaintext.Markdown(f.Name), thousands(f.N), thousands(f.Bad),
			short(&f.P50), short(&f.P95), short(&f.P99), short(&f.Max))
	}
}

func markdownAdvice(b *strings.Builder, r Report) {
	if len(r.Advice) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## What to do about it\n\n%s\n", adviceIs)
	for _, a := range r.Advice {
		fmt.Fprintf(b, "\n| | |\n|---|---|\n")
		for _, f := range r.adviceFacts(a) {
			fmt.Fprintf(b, "| %s | %s |\n", f.name, plaintext.Markdown(f.text))
		}
	}
}

func markdownAnatomy(b *strings.Builder, r Report) {
	if r.Anatomy == nil {
		return
	}
	fmt.Fprintf(b, "\n## Anatomy of the recovery\n\n%s\n\n| from | to | took |\n|---|---|---:|\n", plaintext.Markdown(r.Anatomy.Summary()))
	for _, s := range r.Anatomy.Segments {
		fmt.Fprintf(b, "| %s | %s | %s |\n", plaintext.Markdown(s.From), plaintext.Markdown(s.To), s.Bounds())
	}
}

func markdownWhy(b *strings.Builder, r Report) {
	if len(r.Why) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## First errors in the logs\n\n| since injection | component | line |\n|---:|---|---|\n")
	for _, w := range r.Why {
		for _, l := range w.Lines {
			fmt.Fprintf(b, "| %s | %s | %s |\n", short(&l.At), plaintext.Markdown(w.Component), plaintext.Markdown(l.Text))
		}
		if rest := w.rest(); rest != "" {
			fmt.Fprintf(b, "| | %s | %s |\n", plaintext.Markdown(w.Component), rest)
		}
	}
}

func markdownEvents(b *strings.Builder, r Report) {
	fmt.Fprintf(b, "\n## Timeline\n\n| since injection | component | event |\n|---:|---|---|\n")
	for _, h := range r.happened() {
		what := plaintext.Markdown(h.What)
		switch {
		case h.Mark:
			what = "**" + what + "**"
		case h.Said:
			what = "*" + what + "*"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", h.At, plaintext.Markdown(h.Component), what)
	}
}

var _ Format = Markdown
