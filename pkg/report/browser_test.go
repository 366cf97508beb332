package report_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/browsertest"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
)

// What a reader with a screen reader, with a keyboard or with poor eyesight needs. Each
// expression is a number that must be 0.
var accessible = map[string]string{
	"pages without a language or a title": `(document.documentElement.lang && document.title) ? 0 : 1`,
	"pictures without a text":             `[...document.querySelectorAll('img:not([alt]), svg:not([aria-label])')].length`,
	"landmarks that are missing":          `['header', 'main', 'footer'].filter(t => document.querySelectorAll(t).length !== 1).length`,
	"headings that skip a level": `(() => { let last = 0, wrong = 0; for (const h of document.querySelectorAll('h1, h2, h3, h4')) {
		const level = +h.tagName[1]; if (level > last + 1) wrong++; last = level } return wrong + (document.querySelectorAll('h1').length === 1 ? 0 : 1) })()`,
	"table heads without a scope":          `document.querySelectorAll('th:not([scope])').length`,
	"empty table heads":                    `[...document.querySelectorAll('th')].filter(h => !h.textContent.trim()).length`,
	"parts that scroll and take no focus":  `[...document.querySelectorAll('.wide, .chart, pre')].filter(e => e.tabIndex !== 0 || e.matches('[role=region]') && !e.getAttribute('aria-label')).length`,
	"identifiers that are used twice":      `(() => { const all = [...document.querySelectorAll('[id]')].map(e => e.id); return all.length - new Set(all).size })()`,
	"fields without a label":               `[...document.querySelectorAll('input, select, textarea')].filter(f => !f.labels.length).length`,
	"a page that is wider than its window": `Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)`,
	"texts with a contrast below 4.5": `(() => {
		const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return [m[0], m[1], m[2], m.length > 3 ? m[3] : 1] };
		const light = c => { const f = c.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * f[0] + .7152 * f[1] + .0722 * f[2] };
		const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c } return null };
		let wrong = 0;
		for (const e of document.querySelectorAll('body *')) {
			if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
			if (e.closest('style') || !e.getClientRects().length) continue;
			const style = getComputedStyle(e), under = behind(e);
			const over = parse(e.closest('svg') ? style.fill : style.color);
			if (!under) { wrong++; continue }
			const [hi, lo] = [light(over), light(under)].sort((a, b) => b - a);
			if ((hi + .05) / (lo + .05) < 4.5) wrong++;
		}
		return wrong })()`,
}

// The page can be read by everybody, in light and in dark, on a screen and on a phone. It
// loads nothing, and says nothing on the console.
func TestThePageInABrowser(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	pages := http.NewServeMux()
	for name, dir := range map[string]string{"observed": observing(t, 12*time.Second, queueAndLag, busy, lagging, dead), "proven": reviewed(t, 45*time.Second), "late": reviewed(t, 33*time.Second), "recovered": reviewed(t, 12*time.Second), "unaffected": reviewed(t, 0)} {
		r, err := report.Build(dir)
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		if err := report.HTML(&page, r); err != nil {
			t.Fatal(err)
		}
		pages.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page.Bytes()) })
	}
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	b := browsertest.New(t)
	for _, name := range []string{"observed", "proven", "late", "recovered", "unaffected"} {
		b.Open(t, server.URL+"/"+name)
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{1100, 390} {
				picture := b.Screenshot(t, width, scheme)
				if dir := os.Getenv("GAMEDAY_SCREENSHOTS"); dir != "" {
					if err := os.WriteFile(filepath.Join(dir, name+"-"+scheme+map[int64]string{390: "-phone"}[width]+".png"), picture, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				for what, expression := range accessible {
					if n := b.Number(t, expression); n != 0 {
						t.Errorf("%s, %s, %d pixels wide: %d %s", name, scheme, width, n, what)
					}
				}
			}
		}
	}
	if left, said := b.Left(server.URL), b.Said(); len(left) > 0 || len(said) > 0 {
		t.Errorf("it loads %v, and says %v", left, said)
	}
}

// reviewed is the folder of a run with all that a report can have: a role that moved, a log,
// and a note.
func reviewed(t *testing.T, down time.Duration) string {
	t.Helper()
	fault := origin.Add(10 * s)
	dir := withEvents(t, down, role("primary", "pg-1", -s, -s), role("primary", "pg-2", 9*s, 9500*time.Millisecond),
		record.Event{At: fault.Add(20 * s), Kind: record.KindPerson, By: "ann", What: "the pager rang"})
	if err := os.MkdirAll(filepath.Join(dir, run.LogsDir), 0o750); err != nil {
		t.Fatal(err)
	}
	text := fault.Add(s).Format(time.RFC3339Nano) + " error: connect: connection refused\n"
	if err := os.WriteFile(filepath.Join(dir, run.LogsDir, "app-1.log"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The data of a chart are on the page as a table, with each user once.
func TestTheChartIsATable(t *testing.T) {
	t.Parallel()
	r, err := report.Build(fixed(t, 12*s, nil))
	if err != nil {
		t.Fatal(err)
	}
	users, rows := report.ChartTable(r)
	if users != 3000 || rows < 20 || rows > 80 {
		t.Errorf("%d users in %d rows", users, rows)
	}
}
