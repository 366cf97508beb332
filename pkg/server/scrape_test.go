package server_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/server"
	"github.com/gameday-dev/gameday/pkg/store"
)

// keep stores n copies of a real run in a folder of runs, one a day.
func keep(tb testing.TB, runs string, n int) {
	tb.Helper()
	r, err := report.Build("../run/testdata/stored/v1/run")
	if err != nil {
		tb.Fatal(err)
	}
	first := r.Started
	for i := range n {
		r.Started = first.AddDate(0, 0, i)
		r.ID = fmt.Sprintf("%s-%s-%04x", r.Started.Format("20060102T150405Z"), r.Scenario, i)
		dir := filepath.Join(runs, r.ID)
		var document bytes.Buffer
		err := errors.Join(os.MkdirAll(dir, 0o750), report.JSON(&document, r),
			os.WriteFile(filepath.Join(dir, "verdict.json"), document.Bytes(), 0o600),
			os.WriteFile(filepath.Join(dir, record.EventsFile), nil, 0o600))
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkScrape(b *testing.B) {
	site := newSite(b, server.Config{})
	keep(b, site.runs, 200)
	for _, path := range []string{"/metrics", "/history", "/trends"} {
		b.Run(strings.TrimPrefix(path, "/"), func(b *testing.B) {
			for b.Loop() {
				if w := site.ask(store.View, http.MethodGet, path, ""); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body.String())
				}
			}
		})
	}
}

// What was looked at once is not decoded again: neither the folder nor the index is read
// for pages and scrapes that ask for the same. What changes is seen at once.
func TestRunsAreReadOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	keep(t, s.runs, 3)
	look := func(when string, runs int) {
		t.Helper()
		for path, want := range map[string]string{
			"/metrics": fmt.Sprintf(`gameday_runs_total{environment="lab/checkout",scenario="checkout-app-loss",verdict="disproved"} %d`, runs),
			"/history": "report.html", "/trends": "checkout-app-loss", "/spofs": "lab/checkout",
		} {
			if w := s.ask(store.View, http.MethodGet, path, ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s, %s: %d lacks %q:\n%s", when, path, w.Code, want, w.Body.String())
			}
		}
	}
	look("at first", 3)
	db, err := sql.Open("sqlite", filepath.Join(s.runs, history.IndexFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE runs SET document = 'no JSON'"); errors.Join(err, db.Close()) != nil {
		t.Fatal(err)
	}
	look("with nothing left to decode", 3)
	for _, name := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(filepath.Join(s.runs, history.IndexFile+name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	look("without an index", 3)
	keep(t, s.runs, 5)
	look("with two more", 5)
}

// Whoever asks while the history is opened anew gets an answer.
func TestManyAskAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	keep(t, s.runs, 3)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				if w := s.ask(store.View, http.MethodGet, "/history", ""); w.Code != http.StatusOK || strings.Count(w.Body.String(), "report.html") != 3 {
					t.Errorf("%d: %s", w.Code, w.Body.String())
				}
			}
		})
	}
	group.Wait()
}
