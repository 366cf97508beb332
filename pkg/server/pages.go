package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/store"
)

// page is a route with the role that it requires.
type page struct {
	pattern string
	role    store.Role
	handle  http.HandlerFunc
}

// maxScrapes is the maximum number of scrapes at the same time.
const maxScrapes = 10

// pages are all routes except those of the API.
func (s *Server) pages() []page {
	metrics := promhttp.HandlerFor(s.registry(), promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes})
	return []page{
		{"GET /{$}", store.View, s.now},
		{"GET /jobs/{id}", store.View, s.job},
		{"GET /history", store.View, s.runs},
		{"GET /trends", store.View, s.trends},
		{"GET /spofs", store.View, s.spofs},
		{"GET /runs/{id}/{file}", store.View, s.file},
		{"GET /audit", store.Operate, s.audit},
		{"GET /live", store.View, s.live},
		{"GET /metrics", store.View, metrics.ServeHTTP},
		{"GET /static/", store.Anyone, http.FileServerFS(static).ServeHTTP},
		{"GET /healthz", store.Anyone, s.healthz},
		{"GET /readyz", store.Anyone, s.readyz},
		{"GET /login", store.Anyone, s.loginPage},
		{"POST /login", store.Anyone, s.login},
		{"POST /logout", store.Anyone, s.logout},
		{"POST /jobs", store.Operate, s.act(func(ctx context.Context, r *http.Request) (string, error) {
			j, err := s.runNow(ctx, r.PostFormValue("scenario"), r.PostFormValue("environment"))
			return fmt.Sprintf("/jobs/%d", j.ID), err
		})},
		{"POST /jobs/{id}/approve", store.Operate, s.act(func(ctx context.Context, r *http.Request) (string, error) {
			id, err := pathID(r)
			if err == nil {
				_, err = s.approve(ctx, id)
			}
			return fmt.Sprintf("/jobs/%d", id), err
		})},
		{"POST /jobs/{id}/stop", store.Operate, s.act(func(ctx context.Context, r *http.Request) (string, error) {
			id, err := pathID(r)
			if err == nil {
				_, err = s.stop(ctx, id)
			}
			return fmt.Sprintf("/jobs/%d", id), err
		})},
		{"POST /jobs/{id}/notes", store.Operate, s.says(func(r *http.Request) run.Note {
			return run.Note{Text: r.PostFormValue("text"), By: r.PostFormValue("by"), At: r.PostFormValue("at")}
		})},
		{"POST /jobs/{id}/recovered", store.Operate, s.says(func(*http.Request) run.Note { return run.Note{Recovered: true} })},
		{"POST /stop", store.Operate, s.act(func(ctx context.Context, _ *http.Request) (string, error) {
			_, err := s.stop(ctx, 0)
			return "/", err
		})},
		{"POST /holds", store.Operate, s.act(func(ctx context.Context, r *http.Request) (string, error) {
			_, err := s.hold(ctx, r.PostFormValue("environment"), r.PostFormValue("why"), r.PostFormValue("until"))
			return "/", err
		})},
		{"POST /holds/release", store.Operate, s.act(func(ctx context.Context, r *http.Request) (string, error) {
			return "/", s.release(ctx, r.PostFormValue("environment"))
		})},
	}
}

func pathID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, fmt.Errorf("job %q: %w", r.PathValue("id"), store.ErrNone)
	}
	return id, nil
}

// act runs the action of a form, and redirects to the page that the action returns.
func (s *Server) act(do func(context.Context, *http.Request) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		next, err := do(r.Context(), r)
		if err != nil {
			s.fail(w, err)
			return
		}
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}

// fail shows an error to the client if the client caused it; other errors go to the log.
func (s *Server) fail(w http.ResponseWriter, err error) {
	err = s.apiError(err)
	status := http.StatusServiceUnavailable
	var coded interface{ GetStatus() int }
	if errors.As(err, &coded) {
		status = coded.GetStatus()
	}
	http.Error(w, err.Error(), status)
}

// now shows the current jobs and the next runs.
func (s *Server) now(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	going, err := s.waiting(ctx)
	var holds []store.Hold
	var ended []store.Job
	if err == nil {
		holds, err = s.Daemon.Store.Holds(ctx, s.Daemon.Now())
	}
	if err == nil {
		ended, err = s.Daemon.Store.Jobs(ctx, store.Filter{States: []store.State{store.Done, store.Missed, store.Refused, store.Interrupted}, Limit: 10})
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	next := s.scheduled()
	slices.SortStableFunc(next, func(a, b Scheduled) int {
		if a.Next == nil || b.Next == nil {
			return cmp.Compare(map[bool]int{true: 1}[a.Next == nil], map[bool]int{true: 1}[b.Next == nil])
		}
		return a.Next.Compare(*b.Next)
	})
	scenarios, environments, err := s.Names()
	if err != nil {
		s.complain("list scenarios and environments", err)
	}
	s.render(w, r, "now", map[string]any{"Going": going, "Holds": holds, "Ended": ended, "Next": next, "Scenarios": scenarios, "Environments": environments})
}

func (s *Server) job(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r)
	var j store.Job
	if err == nil {
		j, err = s.Daemon.Store.Job(r.Context(), id)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	reported := false
	if j.Run != "" {
		_, statErr := fs.Stat(s.files, filepath.Join(j.Run, "report.html"))
		reported = statErr == nil
	}
	of := s.Daemon.RunOf(j)
	noted := s.hasRun(of)
	s.render(w, r, "job", map[string]any{
		"Job": j, "Reported": reported, "Noted": noted,
		"Awaits": noted && j.State == store.Running && run.Awaits(filepath.Join(s.Runs, of)),
	})
}

func (s *Server) runs(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	q := r.URL.Query()
	f := history.Filter{Scenario: q.Get("scenario"), Environment: q.Get("environment"), Verdict: q.Get("verdict"), Component: q.Get("component")}
	var all []history.Entry
	err := s.history(ctx, func(h *history.History) (err error) {
		all, err = h.Overview(ctx, f)
		return err
	})
	if err != nil {
		s.fail(w, err)
		return
	}
	slices.Reverse(all)
	const most = 200
	s.render(w, r, "history", map[string]any{"Runs": all[:min(len(all), most)], "More": max(len(all)-most, 0), "Filter": f, "Verdicts": []string{"proven", "degraded", "disproved", "inconclusive", "aborted"}})
}

func (s *Server) trends(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	var all []trend
	err := s.history(ctx, func(h *history.History) error {
		runs, err := h.Overview(ctx, history.Filter{})
		all = trendsOf(runs)
		return err
	})
	if err != nil {
		s.fail(w, err)
		return
	}
	s.render(w, r, "trends", all)
}

func (s *Server) spofs(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	decisions, err := s.Register()
	var all []suspect
	if err == nil {
		err = s.history(ctx, func(h *history.History) error {
			runs, err := h.Overview(ctx, history.Filter{})
			all = suspectsOf(runs, decisions, s.Daemon.Now())
			return err
		})
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	s.render(w, r, "spofs", all)
}

func (s *Server) audit(w http.ResponseWriter, r *http.Request) {
	all, err := s.Daemon.Store.AuditLog(r.Context(), 200)
	if err != nil {
		s.fail(w, err)
		return
	}
	s.render(w, r, "audit", all)
}

// file serves one of a run's report files.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	isReport := slices.ContainsFunc(report.Files(), func(f report.File) bool { return f.Name == name })
	path := r.PathValue("id") + "/" + name
	if !isReport || !fs.ValidPath(path) || strings.HasPrefix(path, ".") {
		http.NotFound(w, r)
		return
	}
	if info, err := fs.Stat(s.files, path); err == nil && !info.Mode().IsRegular() { // a pipe would be waited for
		http.NotFound(w, r)
		return
	}
	// The report has inline styles and no script. Of the other files, a browser shows
	// junit.xml as a page, whatever a run from elsewhere has in it: no form in it may act here.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-same-origin")
	http.ServeFileFS(w, r, s.files, path) //nolint:gosec // G703: the file system is an os.Root, and the name is on a list
}

// healthz reports that the process is alive.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

// readyz reports whether the instance can work: it reaches the store and can read the
// schedules. A client without a role that may view the pages does not learn which of
// them fails.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	problem := ""
	switch err := s.Daemon.Store.Ping(ctx); {
	case err != nil:
		problem = "the store cannot be reached"
	case s.Daemon.Trouble()["schedules"] != "":
		problem = "the schedules cannot be read"
	}
	switch {
	case problem == "":
		fmt.Fprintln(w, "ok")
	case personOf(r.Context()).Role.Covers(store.View):
		http.Error(w, problem, http.StatusServiceUnavailable)
	default:
		http.Error(w, "not ready: see the log of gameday serve", http.StatusServiceUnavailable)
	}
}
