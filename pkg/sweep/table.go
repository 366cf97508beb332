package sweep

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/topology"
)

// columns are the names of the columns. That of alerts is there if some are declared.
func (s *Sweep) columns() []string {
	all := []string{"component", "fault", "predicted", "verdict", "recovery", "blast radius", "accepted"}
	if s.detects() {
		all = append(all, "alerts")
	}
	return all
}

func (s *Sweep) detects() bool {
	return slices.ContainsFunc(s.Components, func(f Found) bool { return f.Detection != nil })
}

// alerted is what became of the alerts: the verdict, and what was found.
func (f Found) alerted() string {
	if f.Detection == nil {
		return "-"
	}
	text := string(f.Detection.Verdict)
	if f.Detection.Finding != "" {
		return text + " (" + string(f.Detection.Finding) + ")"
	}
	for _, a := range f.Detection.Alerts {
		if a.Verdict == f.Detection.Verdict && a.Finding != "" {
			return text + " (" + string(a.Finding) + ")"
		}
	}
	return text
}

// cells are the columns of a row; shown makes a text fit for where it stands.
func (s *Sweep) cells(f Found, shown func(string) string) []string {
	judged := string(f.Verdict)
	if detail := cmp.Or(string(f.State), string(f.Reason)); detail != "" {
		judged += " (" + detail + ")"
	}
	recovery := "-"
	switch {
	case f.RecoveryHi != nil && *f.RecoveryHi == 0:
		recovery = "none needed"
	case f.Recovery != nil:
		recovery = f.Recovery.String()
	case f.AtLeast != nil:
		recovery = "none in " + f.AtLeast.String()
	}
	if f.Trials != nil {
		recovery += fmt.Sprintf(" (%d of %d trials in time)", f.Trials.Within, f.Trials.Conclusive)
		if f.Trials.Flaky {
			judged += ", flaky"
		}
	}
	var blast []string
	for _, b := range f.Blast {
		blast = append(blast, fmt.Sprintf("%s %s", b.Journey, report.Percent(b.Share)))
	}
	predicted := map[bool]string{true: "SPOF", false: "none"}[f.Predicted]
	all := []string{f.Component, f.Kind, predicted, judged, recovery, strings.Join(blast, ", "), cmp.Or(f.Acceptance, "-")}
	if s.detects() {
		all = append(all, f.alerted())
	}
	for i := range all {
		all[i] = shown(all[i])
	}
	return all
}

// Terminal writes the table and the map for a person.
func (s *Sweep) Terminal(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.ToUpper(strings.Join(s.columns(), "\t")))
	for _, f := range s.Components {
		fmt.Fprintln(tw, strings.Join(s.cells(f, plaintext.Line), "\t"))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, f := range s.Components {
		if text := f.Surprise(); text != "" {
			fmt.Fprintf(w, "\n%s: %s\n", plaintext.Line(f.Component), plaintext.Line(text))
		}
	}
	fmt.Fprintln(w)
	return topology.Text(w, s.Map, s.Marks())
}

// Markdown writes the table and the map for a page.
func (s *Sweep) Markdown(w io.Writer) error {
	fmt.Fprintf(w, "# Sweep of %s\n\n%s, %d experiments.\n\n", plaintext.Markdown(s.Environment), s.Started.Format("2006-01-02 15:04 UTC"), len(s.Components))
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(s.columns(), " | "), strings.Repeat("---|", len(s.columns())))
	for _, f := range s.Components {
		fmt.Fprintf(w, "| %s |\n", strings.Join(s.cells(f, plaintext.Markdown), " | "))
	}
	for _, f := range s.Components {
		if text := f.Surprise(); text != "" {
			fmt.Fprintf(w, "\n**%s**: %s.\n", plaintext.Markdown(f.Component), plaintext.Markdown(text))
		}
	}
	fmt.Fprint(w, "\n```mermaid\n")
	if err := topology.Mermaid(w, s.Map, s.Marks()); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, "```\n")
	return err
}
