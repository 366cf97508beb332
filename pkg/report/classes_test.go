package report_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/report"
)

// A report lists so many kinds of errors, and says how many more there were (L19).
func TestKindsOfErrorsAreBounded(t *testing.T) {
	t.Parallel()
	const failed = 1800
	for name, c := range map[string]struct {
		kinds    int
		listed   int
		more     *report.More
		rows     string // of the page and of Markdown
		terminal string
	}{
		"as many as are listed":  {20, 20, nil, "", "other errors (15 kinds)"},
		"one more":               {21, 20, &report.More{Kinds: 1, N: failed / 21}, "another error", "other errors (16 kinds)"},
		"some more":              {25, 20, &report.More{Kinds: 5, N: 5 * failed / 25}, "other errors (5 kinds)", "other errors (20 kinds)"},
		"more than are counted":  {failed, 20, &report.More{Kinds: 981, AtLeast: true, N: failed - 20}, "other errors (at least 981 kinds)", "other errors (at least 996 kinds)"},
		"as many as are counted": {1000, 20, &report.More{Kinds: 980, N: failed - 20*2}, "other errors (980 kinds)", "other errors (995 kinds)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "run")
			if err := hour(dir, 300, time.Minute, c.kinds); err != nil {
				t.Fatal(err)
			}
			r, err := report.Build(dir)
			if err != nil {
				t.Fatal(err)
			}
			l := r.Load[0]
			if len(l.Errors) != c.listed || (l.More == nil) != (c.more == nil) || c.more != nil && *l.More != *c.more {
				t.Errorf("found %d kinds and %+v, expected %d and %+v", len(l.Errors), l.More, c.listed, c.more)
			}
			for _, format := range []report.Format{report.HTML, report.Markdown, report.Terminal} {
				var out bytes.Buffer
				if err := format(&out, r); err != nil {
					t.Fatal(err)
				}
				rows, text := strings.Count(out.String(), "order: status 503"), out.String()
				if !strings.Contains(text, c.rows) && !strings.Contains(text, c.terminal) || rows > c.listed {
					t.Errorf("%d rows, and not %q:\n%s", rows, c.rows, text[:min(len(text), 3000)])
				}
			}
		})
	}
}
