package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// TrialsSchema is the version of trials.json.
const TrialsSchema = "gameday/trials/v1"

// Trials is several runs of one scenario, with their combined verdict.
type Trials struct {
	Schema    string    `json:"schema"`
	Scenario  string    `json:"scenario"`
	Objective Objective `json:"objective"`
	verdict.Trials

	Runs []Report `json:"runs"`
}

// TrialsOf combines runs of one scenario.
func TrialsOf(runs []Report) Trials {
	t := Trials{Schema: TrialsSchema, Runs: runs}
	judged := make([]verdict.Run, len(runs))
	for i, r := range runs {
		judged[i] = r.Run
		t.Scenario, t.Objective = r.Scenario, r.Objective
	}
	t.Trials = verdict.CombineTrials(judged)
	return t
}

// Worst is the trial with the worst verdict; of several, the one with the worst outage.
func (t Trials) Worst() Report {
	var worst Report
	for i, r := range t.Runs {
		if i == 0 || verdict.Compare(r.Verdict, worst.Verdict) < 0 {
			worst = r
		}
	}
	return worst
}

// ExitCode is the exit code of the worst trial. It is 0 for proven trials only if
// every one of them is accepted.
func (t Trials) ExitCode() int {
	code := 0
	for _, r := range t.Runs {
		if r.Outcome == t.Verdict {
			code = max(code, r.ExitCode())
		}
	}
	return code
}

// facts are the lines that every format for people shows.
func (t Trials) facts() []fact {
	runs := len(t.Runs)
	all := []fact{{"Trials", fmt.Sprintf("%d completed, %d conclusive, %d within the RTO of %s", runs, t.Conclusive, t.Within, t.Objective.RTO)}}
	if t.Conclusive > 0 {
		all = append(all,
			fact{"Recovery", fmt.Sprintf("median: %s, longest: %s", orNever(t.Median), orNever(t.Max))},
			fact{"Confidence", confidence(t.Trials)})
	}
	if t.Flaky {
		all = append(all, fact{"Flaky", "the trials disagree; the worst verdict counts"})
	}
	return all
}

// confidence is the lower bound that the trials support.
func confidence(t verdict.Trials) string {
	trials := "1 trial"
	if t.Conclusive != 1 {
		trials = fmt.Sprintf("%d trials", t.Conclusive)
	}
	return fmt.Sprintf("service recovers within the RTO in at least %s of such faults (95%% confidence, %s)", Percent(t.AtLeast), trials)
}

func orNever(s *verdict.Seconds) string {
	if s == nil {
		return "not recovered"
	}
	return short(s)
}

// row is a trial in one line: its run, verdict and recovery.
func (r Report) row() (id, judged, recovery string) {
	judged = string(r.Outcome)
	if s := stateOf(r.Verdict); s != "" {
		judged += " (" + s + ")"
	}
	return r.ID, judged, RecoveryOf(r)
}

// TrialsTerminal writes trials for a terminal, as [Terminal] does.
func TrialsTerminal(w io.Writer, t Trials) error { return TrialsTerminalOf(columnsOf(w))(w, t) }

// TrialsTerminalOf writes trials for a terminal with a number of columns, from 20 to 200.
func TrialsTerminalOf(columns int) func(io.Writer, Trials) error {
	return func(w io.Writer, t Trials) error {
		renderer := lipgloss.NewRenderer(w)
		name := renderer.NewStyle().Faint(true)
		b := newLines(columns)
		b.blank()
		b.heading(renderer, t.Verdict, renderer.NewStyle(), plaintext.Line(t.Scenario), "")
		b.blank()
		for _, f := range t.facts() {
			b.labelled(name, f.name, plaintext.Line(f.text))
		}
		b.blank()
		for i, r := range t.Runs {
			_, judged, recovery := r.row()
			b.hang(fmt.Sprintf("  %2d  ", i+1), fmt.Sprintf("%-24s %s", judged, recovery), "      ", b.columns)
		}
		_, err := io.WriteString(w, b.out.String())
		return err
	}
}

// TrialsMarkdown writes trials as Markdown.
func TrialsMarkdown(w io.Writer, t Trials) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s, %d trials\n\n| | |\n|---|---|\n", word(t.Verdict), plaintext.Markdown(t.Scenario), len(t.Runs))
	for _, f := range t.facts() {
		fmt.Fprintf(&b, "| %s | %s |\n", f.name, plaintext.Markdown(f.text))
	}
	fmt.Fprintf(&b, "\n| trial | verdict | recovery | run |\n|---:|---|---|---|\n")
	for i, r := range t.Runs {
		id, judged, recovery := r.row()
		fmt.Fprintf(&b, "| %d | %s | %s | %s |\n", i+1, plaintext.Markdown(judged), plaintext.Markdown(recovery), plaintext.Markdown(id))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
