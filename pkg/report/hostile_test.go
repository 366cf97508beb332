package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
	"golang.org/x/sys/unix"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// evil is what a server, an engine or a stranger's folder may say. It acts on a terminal,
// and is a link, a picture, a mention, a reference, HTML and more in Markdown.
const evil = "E\x1b[2J\x1b]0;pwn\x07\u009b31m\u202e\u200b\xff\r\n::error::pwn\n# [c](http://evil.example) ![i](https://evil.example/t.png) @org/team #1 GH-1 www.evil.example a@b.example" +
	" `code` **b** ~~s~~ | cell <b>x</b> <!-- /gameday RUN --> %0A]]>&amp;"

// hostile is a report that is full of it.
func hostile(t *testing.T) report.Report {
	t.Helper()
	said := func(time.Duration) (float64, string) { return 0, strings.ReplaceAll(evil, "\xff", "") } // which JSON replaces
	r := built(t, observing(t, 45*time.Second, queueAndLag, busy, said, said))
	for i := range r.Metrics {
		m := &r.Metrics[i]
		m.Name, m.Unit, m.Query, m.Server = evil, evil, evil, evil
	}
	r.ID, r.Gameday, r.Scenario, r.Title, r.Environment, r.Again, r.Left = evil, evil, evil, evil, evil, "gameday run "+evil, evil
	r.Suspect = report.Suspect{Component: evil, Because: evil}
	r.Versions = map[string]string{evil: evil}
	r.Anatomy.Moments = append(r.Anatomy.Moments, report.Moment{What: "alert " + evil})
	for i := range r.Events {
		r.Events[i].What, r.Events[i].Component, r.Events[i].Mark = evil, evil, record.MarkName(evil)
	}
	for i := range r.Faults {
		r.Faults[i].Kind, r.Faults[i].Component, r.Faults[i].Found = evil, evil, evil
	}
	for i := range r.Journeys {
		r.Journeys[i].Name = evil
	}
	for i := range r.Load {
		l := &r.Load[i]
		l.Journey, l.Silences = evil, []report.Silence{{}}
		for k := range l.Phases {
			l.Phases[k].Name = evil
		}
		for k := range l.Steps {
			l.Steps[k].Name = evil
		}
		for k := range l.Errors {
			l.Errors[k].Error = evil
		}
	}
	r.Accepted = &report.Acceptance{Why: evil, By: evil, Where: evil, Until: evil, Cost: &report.Cost{Currency: evil}}
	return r
}

// texts are the formats for people, of one report and of trials.
func texts(t *testing.T, r report.Report) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, write := range map[string]func(io.Writer) error{
		"md":         func(w io.Writer) error { return report.Markdown(w, r) },
		"txt":        func(w io.Writer) error { return report.Terminal(w, r) },
		"junit":      func(w io.Writer) error { return report.JUnit(w, r) },
		"github":     func(w io.Writer) error { return report.GitHub(w, r) },
		"trials.md":  func(w io.Writer) error { return report.TrialsMarkdown(w, report.TrialsOf([]report.Report{r})) },
		"trials.txt": func(w io.Writer) error { return report.TrialsTerminal(w, report.TrialsOf([]report.Report{r})) },
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		all[name] = out.String()
	}
	return all
}

// outcomes are reports of every outcome, as their sentences differ.
func outcomes(t *testing.T) map[verdict.Outcome]report.Report {
	t.Helper()
	all := map[verdict.Outcome]report.Report{}
	for _, o := range []verdict.Outcome{verdict.Proven, verdict.Degraded, verdict.Disproved, verdict.Inconclusive, verdict.Aborted} {
		r := hostile(t)
		r.Outcome, r.Aborted = o, evil
		all[o] = r
	}
	return all
}

// Nothing that others say acts on a terminal, on the log of a CI system or in a file that
// is shown there (M8).
func TestHostileTextsOnATerminal(t *testing.T) {
	t.Parallel()
	acts := func(r rune) bool {
		return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
	}
	for outcome, r := range outcomes(t) {
		for name, text := range texts(t, r) {
			if i := strings.IndexFunc(text, acts); i >= 0 {
				t.Errorf("%s of %s: …%q", name, outcome, text[i:min(i+40, len(text))])
			}
			if !strings.Contains(text, `\x1b`) {
				t.Errorf("%s of %s does not show what was said:\n%s", name, outcome, text)
			}
			if name == "github" && strings.Count(text, "\n") != 1 || strings.Contains(text, "\n::error::pwn") {
				t.Errorf("%s of %s is more than one command:\n%s", name, outcome, text)
			}
		}
	}
}

// A line of a report is one line.
func TestHostileTextsAddNoLines(t *testing.T) {
	t.Parallel()
	r := hostile(t)
	for name, text := range texts(t, r) {
		if strings.Contains(text, "\n# [c]") || strings.Contains(text, "\n::error") || name == "txt" && strings.Count(text, "\n") > 40 {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

// What others say is text in Markdown, and nothing else (M9).
func TestHostileTextsInMarkdown(t *testing.T) {
	t.Parallel()
	parser := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()
	for outcome, r := range outcomes(t) {
		for name, source := range texts(t, r) {
			if filepath.Ext(name) != ".md" && name != "md" {
				continue
			}
			if strings.Contains(source, "<!--") {
				t.Errorf("%s of %s holds a marker:\n%s", name, outcome, source)
			}
			cells := map[ast.Node]int{}
			err := ast.Walk(parser.Parse(text.NewReader([]byte(source))), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
				if !entering {
					return ast.WalkContinue, nil
				}
				switch n := n.(type) {
				case *ast.Link, *ast.AutoLink, *ast.RawHTML, *ast.HTMLBlock, *ast.Blockquote, *ast.List, *ast.CodeBlock, *ast.FencedCodeBlock:
					t.Errorf("%s of %s holds a %s:\n%s", name, outcome, n.Kind(), source)
				case *ast.Image:
					if string(n.Destination) != "report.png" {
						t.Errorf("%s of %s holds picture %s", name, outcome, n.Destination)
					}
				case *ast.Emphasis:
					if n.Level != 2 {
						t.Errorf("%s of %s holds an emphasis", name, outcome)
					}
				}
				if n.Kind().String() == "TableCell" {
					cells[n.Parent().Parent()]++
				}
				if n.Kind().String() == "Strikethrough" {
					t.Errorf("%s of %s strikes something through", name, outcome)
				}
				return ast.WalkContinue, nil
			})
			if err != nil || len(cells) == 0 {
				t.Errorf("%s of %s: %d tables, %v", name, outcome, len(cells), err)
			}
			for line := range strings.Lines(source) {
				if strings.HasPrefix(line, "| ") && strings.Count(line, "|") > 8 {
					t.Errorf("%s of %s has a row with more cells: %s", name, outcome, line)
				}
			}
			for _, found := range []string{"@org", "#1,", "GH-1 ", "https://", "www.", "[c]("} {
				if strings.Contains(source, found) && !strings.Contains(source, "To repeat this run: ") {
					t.Errorf("%s of %s holds %s", name, outcome, found)
				}
			}
		}
	}
}

// A chart stays well-formed, also as a picture of its own.
func TestHostileTextsInAChart(t *testing.T) {
	t.Parallel()
	chart := formatted(t, func(w io.Writer, r report.Report) error { return report.ChartSVG(w, r, 0) }, hostile(t))
	for d := xml.NewDecoder(strings.NewReader(chart)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if strings.Count(chart, `E\x1b[2J`) < 4 || strings.Contains(chart, "<b>") {
		t.Error("the chart does not show what was said as text")
	}
}

// JUnit stays well-formed.
func TestHostileTextsInJUnit(t *testing.T) {
	t.Parallel()
	for outcome, r := range outcomes(t) {
		for d := xml.NewDecoder(strings.NewReader(texts(t, r)["junit"])); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", outcome, err)
			}
		}
	}
}

// A stranger's folder of a run does not make gameday read what lies outside it, or wait
// (L16).
func TestAStrangersRun(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(outside, []byte("root:x:0"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"logs/db.log", "logs", record.SamplesFile, record.StepsFile, record.EventsFile, record.WritesFile, run.MetaFile, run.ScenarioFile, report.AcceptanceFile} {
		for kind, put := range map[string]func(path string) error{
			"link": func(path string) error { return os.Symlink(outside, path) },
			"pipe": func(path string) error { return unix.Mkfifo(path, 0o600) },
		} {
			t.Run(name+" is a "+kind, func(t *testing.T) {
				t.Parallel()
				dir := fixed(t, 0, nil)
				path := filepath.Join(dir, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.RemoveAll(path), put(path)); err != nil {
					t.Fatal(err)
				}
				if r, err := report.Build(dir); err == nil {
					var page bytes.Buffer
					_ = report.HTML(&page, r)
					t.Errorf("it is read: %v", strings.Contains(page.String(), "root:x:0"))
				}
			})
		}
	}
}
