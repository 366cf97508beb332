package server_test

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/notes"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/server"
	"github.com/gameday-dev/gameday/pkg/store"
)

// noted is a site with a run that goes on and one that has ended; and a job that had it.
func noted(t *testing.T) (s *site, job int64) {
	t.Helper()
	s = newSite(t, server.Config{})
	s.Note = func(dir string, n run.Note) (record.Event, error) { return n.Say(dir, time.Now()) }
	live := filepath.Join(s.runs, "20261126T000000Z-live-0001")
	w, err := record.Create(live)
	if err != nil {
		t.Fatal(err)
	}
	leave := notes.StayOn(live)
	t.Cleanup(func() {
		leave()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := os.CopyFS(filepath.Join(s.runs, "20261126T000000Z-old-0002"), os.DirFS("../run/testdata/stored/v1/run")); err != nil {
		t.Fatal(err)
	}
	job, err = s.Daemon.Store.Add(t.Context(), store.Job{What: "app-loss", Environment: "staging", State: store.Queued, Expires: s.Daemon.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return s, job
}

// said are the notes of a run of the site.
func (s *site) said(id string) (all []string) {
	s.t.Helper()
	events, err := record.Events(filepath.Join(s.runs, id))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == record.KindPerson {
			all = append(all, e.By+": "+e.What)
		}
	}
	return all
}

// Notes by the API: of the run that goes on, and of one that has ended, by its ID or the
// beginning of it. The name of the token is in the note, and the note in the audit log.
func TestNotesByTheAPI(t *testing.T) {
	t.Parallel()
	s, _ := noted(t)
	for path, body := range map[string]string{
		"current":                   `{"text":"the pager rang\u001b[2J"}`,
		"20261126T000000Z-old-0002": `{"text":"promoted db-2","by":"Ann","at":"+2s"}`,
		"20261126T000000Z-old":      `{"text":"and another","by":"operate"}`,
	} {
		w := s.ask(store.Operate, "POST", "/api/v1/runs/"+path+"/notes", body)
		if w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), `"kind":"person"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if got := s.said("20261126T000000Z-live-0001"); !slices.Equal(got, []string{`operate: the pager rang\x1b[2J`}) {
		t.Errorf("%q", got)
	}
	got := s.said("20261126T000000Z-old-0002")
	slices.Sort(got)
	if !slices.Equal(got, []string{"Ann (operate): promoted db-2", "operate: and another"}) {
		t.Errorf("%q", got)
	}
	if log := s.ask(store.Operate, "GET", "/api/v1/audit", "").Body.String(); !strings.Contains(log, "20261126T000000Z-old-0002: promoted db-2") {
		t.Errorf("not in the audit log: %s", log)
	}
}

// What is not a note of a run of this site is refused, and nothing is written.
func TestNotesThatAreRefused(t *testing.T) {
	t.Parallel()
	s, job := noted(t)
	outside := filepath.Join(filepath.Dir(s.runs), "outside")
	if err := errors.Join(os.CopyFS(outside, os.DirFS("../run/testdata/stored/v1/run")), os.Symlink(outside, filepath.Join(s.runs, "linked"))); err != nil {
		t.Fatal(err)
	}
	const live = "20261126T000000Z-live-0001"
	for _, c := range []struct {
		role       store.Role
		path, body string
		want       int
	}{
		{store.View, "/api/v1/runs/current/notes", `{"text":"x"}`, http.StatusForbidden},
		{store.Anyone, "/api/v1/runs/current/notes", `{"text":"x"}`, http.StatusUnauthorized},
		{store.Operate, "/api/v1/runs/current/notes", `{"text":""}`, http.StatusUnprocessableEntity},
		{store.Operate, "/api/v1/runs/current/notes", `{"text":"\u0000 \u200b","at":"soon"}`, http.StatusUnprocessableEntity},
		{store.Operate, "/api/v1/runs/current/notes", `{"text":"` + strings.Repeat("x", 1001) + `"}`, http.StatusUnprocessableEntity},
		{store.Operate, "/api/v1/runs/current/notes", `{"text":"x","at":"+3s"}`, http.StatusUnprocessableEntity}, // no fault yet
		{store.Operate, "/api/v1/runs/none/notes", `{"text":"x"}`, http.StatusNotFound},
		{store.Operate, "/api/v1/runs/20261126/notes", `{"text":"x"}`, http.StatusNotFound}, // two begin with it
		{store.Operate, "/api/v1/runs/%2e%2e%2foutside/notes", `{"text":"x"}`, http.StatusNotFound},
		{store.Operate, "/api/v1/runs/linked/notes", `{"text":"x"}`, http.StatusNotFound},
		{store.View, "/jobs/1/notes", "text=x", http.StatusForbidden},
		{store.Operate, "/jobs/99/notes", "text=x", http.StatusNotFound},
		{store.Operate, "/jobs/1/notes", "text=x", http.StatusConflict}, // it has no run yet
	} {
		if job != 1 {
			t.Fatal(job)
		}
		if w := s.ask(c.role, "POST", c.path, c.body); w.Code != c.want {
			t.Errorf("%s %.60s: %d %s", c.path, c.body, w.Code, w.Body)
		}
	}
	if got := append(s.said(live), s.said("20261126T000000Z-old-0002")...); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if data, err := os.ReadFile(filepath.Join(outside, record.EventsFile)); err != nil || strings.Contains(string(data), "person") {
		t.Error("a note left the folder of runs")
	}
}

// The page of a job that has a run takes notes from those who may operate.
func TestNotesOnThePage(t *testing.T) {
	t.Parallel()
	s, job := noted(t)
	claimed, err := s.Daemon.Store.Job(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := s.Daemon.Store.Claim(t.Context(), claimed, "test", time.Minute); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if err := s.Daemon.Store.Finish(t.Context(), store.Outcome{Job: job, Instance: "test", State: store.Done, Run: "20261126T000000Z-old-0002", Ended: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for role, shown := range map[store.Role]bool{store.Operate: true, store.View: false} {
		if page := s.ask(role, "GET", "/jobs/1", "").Body.String(); strings.Contains(page, `action="/jobs/1/notes"`) != shown {
			t.Errorf("%s: %s", role, page)
		}
	}
	w := s.ask(store.Operate, "POST", "/jobs/1/notes", url.Values{"text": {"the <b>pager</b> rang"}, "by": {"Ann"}, "at": {"+1s"}}.Encode())
	if got := s.said("20261126T000000Z-old-0002"); w.Code != http.StatusSeeOther || !slices.Equal(got, []string{"Ann (operate): the <b>pager</b> rang"}) {
		t.Errorf("%d %s %q", w.Code, w.Body, got)
	}
}
