package report_test

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
)

// Every report is made of a run that was stored by the first version of the layout, and
// of one whose scenario this gameday would refuse.
func TestEveryReportOfAStoredRun(t *testing.T) {
	t.Parallel()
	const stored = "../run/testdata/stored/v1"
	changed := filepath.Join(t.TempDir(), "run")
	scenario, err := os.ReadFile(filepath.Join(stored, "changed.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(changed, os.DirFS(filepath.Join(stored, "run"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(changed, run.ScenarioFile), scenario, 0o600); err != nil {
		t.Fatal(err)
	}
	events, err := os.ReadFile(filepath.Join(changed, record.EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	events = append(events, `{"at":"2026-11-26T23:46:46Z","kind":"weather","mark":"tea-time","what":"it rains","wind":{"knots":3}}`+"\n"...)
	if err := os.WriteFile(filepath.Join(changed, record.EventsFile), events, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dir, resolved, happened string }{
		"as it was stored":       {filepath.Join(stored, "run"), "label: gameday.tier=app", "die, exit code 137"},
		"with what is not known": {changed, "vaporize:", "it rains"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := report.Build(c.dir)
			if err != nil {
				t.Fatal(err)
			}
			holds := map[string][]string{
				"verdict.json": {`"verdict": "disproved"`, `"recovery_s": 1.312`, `"acknowledged": 554`},
				"report.md":    {"1.31s", "One of two app servers dies"},
				"report.html":  {"1.31s", "One of two app servers dies", c.resolved, c.happened},
				"junit.xml":    {`failures="0"`},
				"github.txt":   {"::notice", "1.38s"},
				"terminal":     {"1.31s", "25 of 324"},
			}
			for _, f := range append(report.Files(), report.File{Key: "txt", Name: "terminal", Format: report.Terminal}) {
				var out bytes.Buffer
				if err := f.Format(&out, r); err != nil {
					t.Errorf("%s: %v", f.Name, err)
					continue
				}
				if f.Name == "report.png" {
					if _, err := png.Decode(&out); err != nil {
						t.Errorf("%s: %v", f.Name, err)
					}
				}
				for _, want := range holds[f.Name] {
					if !strings.Contains(out.String(), want) {
						t.Errorf("%s lacks %q:\n%s", f.Name, want, out.String())
					}
				}
			}
		})
	}
}
