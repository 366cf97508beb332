package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/schedule"
	"github.com/gameday-dev/gameday/pkg/store"
)

// muxed is the interface through which huma registers its routes.
type muxed struct{ *Server }

// HandleFunc registers a route. Its rule must be set already.
func (m muxed) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.mux.HandleFunc(pattern, handler)
}

// ServeHTTP implements humago.Mux.
func (m muxed) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// route adds an operation to the API, with its rule.
func route[I, O any](s *Server, api huma.API, role store.Role, op huma.Operation, do func(context.Context, *I) (*O, error)) {
	s.rules[op.Method+" "+op.Path] = role
	op.Description = "Requires a token with the role " + string(role) + " or higher."
	op.MaxBodyBytes = maxBody / 2 // smaller than the server's limit, whose error huma does not know
	op.Security = []map[string][]string{{"token": {}}}
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		return out, s.apiError(err)
	})
}

// apiError is an error as the API returns it. Errors that the client did not cause are
// logged, and the client does not see their text.
func (s *Server) apiError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errRequest):
		return huma.Error422UnprocessableEntity(err.Error())
	case errors.Is(err, store.ErrNone), errors.Is(err, history.ErrNoRun):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, store.ErrState):
		return huma.Error409Conflict(err.Error())
	}
	s.complain("handle a request", err)
	return huma.Error503ServiceUnavailable("the store cannot be reached or is broken: see the log of gameday serve")
}

type response[T any] struct{ Body T }

func body[T any](v T) *response[T] { return &response[T]{v} }

type empty struct{}

type jobID struct {
	ID int64 `path:"id" minimum:"1" doc:"The ID of the job."`
}

type jobsRequest struct {
	State       store.State `query:"state" enum:"awaiting,queued,running,done,missed,refused,interrupted" doc:"Only jobs in this state."`
	Schedule    string      `query:"schedule" maxLength:"200"`
	Environment string      `query:"environment" maxLength:"200"`
	Limit       int         `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The maximum number of results, newest first."`
}

type runRequest struct {
	Body struct {
		Scenario    string `json:"scenario" maxLength:"200" doc:"The name of the scenario."`
		Environment string `json:"environment,omitempty" maxLength:"200" doc:"The environment to run in (default: the scenario's own environment)."`
	}
}

type holdRequest struct {
	Body struct {
		Environment string `json:"environment" maxLength:"200"`
		Why         string `json:"why" maxLength:"500" doc:"The reason, such as the incident."`
		Until       string `json:"until,omitempty" maxLength:"100" doc:"The end of the hold: a time (RFC 3339), or a duration from now such as 2h (default: until the hold is released)."`
	}
}

// The environment is a query parameter because the names of labs contain a slash.
type releaseRequest struct {
	Environment string `query:"environment" required:"true" maxLength:"200"`
}

type runsRequest struct {
	Scenario    string `query:"scenario" maxLength:"200"`
	Environment string `query:"environment" maxLength:"200"`
	Verdict     string `query:"verdict" enum:"proven,degraded,disproved,inconclusive,aborted"`
	Limit       int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The maximum number of results, newest first."`
}

type runID struct {
	ID string `path:"id" maxLength:"300" doc:"The ID of the run, or a unique prefix of it."`
}

type noteRequest struct {
	ID   string `path:"id" maxLength:"300" doc:"The ID of the run, a unique prefix of it, or current."`
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"1000" doc:"What was seen or done, such as: the pager rang."`
		By   string `json:"by,omitempty" maxLength:"100" doc:"Who says it (default: the name of the token, which the note names in any case)."`
		At   string `json:"at,omitempty" maxLength:"100" doc:"When it was: the time since the fault, such as +12s, or a time (RFC 3339) (default: now)."`
	}
}

type recoveredRequest struct {
	ID string `path:"id" maxLength:"300" doc:"The ID of the run, a unique prefix of it, or current."`
}

type count struct {
	Stopped int `json:"stopped" doc:"The number of jobs that were stopped or canceled."`
}

// Scheduled is a schedule as the API shows it.
type Scheduled struct {
	Name        string     `json:"name"`
	What        string     `json:"what" doc:"The name of the scenario, or sweep."`
	Environment string     `json:"environment"`
	Cron        string     `json:"cron"`
	TimeZone    string     `json:"time_zone"`
	Next        *time.Time `json:"next" doc:"The time of the next run; null if there is none."`
	Error       string     `json:"error,omitempty" doc:"Why the schedule cannot be calculated, such as a calendar that cannot be read. It does not run while this is so."`
}

// api registers the API's routes.
func (s *Server) api() {
	config := huma.DefaultConfig("gameday", s.Version)
	config.DocsPath, config.SchemasPath, config.OpenAPIPath = "", "", ""
	config.CreateHooks = nil // no links to schemas in responses
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "A token from gameday token create."}}
	api := humago.New(muxed{s}, config)
	s.jobsAPI(api)
	s.lookAPI(api)
	s.describe(api.OpenAPI())
}

// describe registers the routes of the API's description. Those of huma make it at the
// first request, and several at once when several requests come.
func (s *Server) describe(document *huma.OpenAPI) {
	all := map[string]func() ([]byte, error){
		".json": func() ([]byte, error) { return json.Marshal(document) }, "-3.0.json": document.Downgrade,
		".yaml": document.YAML, "-3.0.yaml": document.DowngradeYAML,
	}
	var one sync.Mutex
	for ending, write := range all {
		written := sync.OnceValues(write)
		s.handle("GET /api/openapi"+ending, store.View, func(w http.ResponseWriter, _ *http.Request) {
			one.Lock()
			data, err := written()
			one.Unlock()
			if err != nil {
				s.fail(w, err)
				return
			}
			w.Header().Set("Content-Type", "application/openapi+"+ending[strings.LastIndex(ending, ".")+1:])
			_, _ = w.Write(data) // the client may have disconnected
		})
	}
}

func (s *Server) jobsAPI(api huma.API) {
	route(s, api, store.View, huma.Operation{OperationID: "list-jobs", Method: http.MethodGet, Path: "/api/v1/jobs", Summary: "List jobs, newest first"},
		func(ctx context.Context, in *jobsRequest) (*response[[]store.Job], error) {
			if in.Schedule != plaintext.OneLine(in.Schedule, maxName) || in.Environment != plaintext.OneLine(in.Environment, maxName) {
				return nil, invalid("expected printable characters in schedule and environment") // PostgreSQL knows no NUL
			}
			f := store.Filter{Schedule: in.Schedule, Environment: in.Environment, Limit: in.Limit}
			if in.State != "" {
				f.States = []store.State{in.State}
			}
			all, err := s.Daemon.Store.Jobs(ctx, f)
			return body(append([]store.Job{}, all...)), err
		})
	route(s, api, store.View, huma.Operation{OperationID: "show-job", Method: http.MethodGet, Path: "/api/v1/jobs/{id}", Summary: "Show a job"},
		func(ctx context.Context, in *jobID) (*response[store.Job], error) {
			j, err := s.Daemon.Store.Job(ctx, in.ID)
			return body(j), err
		})
	route(s, api, store.View, huma.Operation{OperationID: "show-verdict", Method: http.MethodGet, Path: "/api/v1/jobs/{id}/verdict", Summary: "Show the verdict.json of a job, from any instance"},
		func(ctx context.Context, in *jobID) (*response[json.RawMessage], error) {
			document, err := s.Daemon.Store.Document(ctx, in.ID)
			if err == nil && !json.Valid([]byte(document)) {
				err = fmt.Errorf("verdict of job %d: %w", in.ID, store.ErrNone)
			}
			return body(json.RawMessage(document)), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "run", Method: http.MethodPost, Path: "/api/v1/jobs", Summary: "Run a scenario now", DefaultStatus: http.StatusAccepted},
		func(ctx context.Context, in *runRequest) (*response[store.Job], error) {
			j, err := s.runNow(ctx, in.Body.Scenario, in.Body.Environment)
			return body(j), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "approve", Method: http.MethodPost, Path: "/api/v1/jobs/{id}/approve", Summary: "Approve a pending job"},
		func(ctx context.Context, in *jobID) (*response[store.Job], error) {
			j, err := s.approve(ctx, in.ID)
			return body(j), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "stop-job", Method: http.MethodPost, Path: "/api/v1/jobs/{id}/stop", Summary: "Stop a job and undo its faults"},
		func(ctx context.Context, in *jobID) (*response[count], error) {
			n, err := s.stop(ctx, in.ID)
			return body(count{n}), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "stop-all", Method: http.MethodPost, Path: "/api/v1/stop", Summary: "Kill switch: stop all jobs and undo their faults"},
		func(ctx context.Context, _ *empty) (*response[count], error) {
			n, err := s.stop(ctx, 0)
			return body(count{n}), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "hold", Method: http.MethodPost, Path: "/api/v1/holds", Summary: "Declare an incident: hold an environment, so that no job starts in it, and stop its running job"},
		func(ctx context.Context, in *holdRequest) (*response[store.Hold], error) {
			h, err := s.hold(ctx, in.Body.Environment, in.Body.Why, in.Body.Until)
			return body(h), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "release", Method: http.MethodDelete, Path: "/api/v1/holds", Summary: "Release a held environment"},
		func(ctx context.Context, in *releaseRequest) (*empty, error) {
			return &empty{}, s.release(ctx, in.Environment)
		})
}

func (s *Server) lookAPI(api huma.API) {
	route(s, api, store.View, huma.Operation{OperationID: "list-holds", Method: http.MethodGet, Path: "/api/v1/holds", Summary: "List held environments"},
		func(ctx context.Context, _ *empty) (*response[[]store.Hold], error) {
			all, err := s.Daemon.Store.Holds(ctx, s.Daemon.Now())
			return body(append([]store.Hold{}, all...)), err
		})
	route(s, api, store.View, huma.Operation{OperationID: "list-schedules", Method: http.MethodGet, Path: "/api/v1/schedules", Summary: "List schedules with their next run"},
		func(context.Context, *empty) (*response[[]Scheduled], error) { return body(s.scheduled()), nil })
	route(s, api, store.View, huma.Operation{OperationID: "list-runs", Method: http.MethodGet, Path: "/api/v1/runs", Summary: "List the verdict.json of the runs in the history, newest first"},
		func(ctx context.Context, in *runsRequest) (*response[[]report.Report], error) {
			all := []report.Report{}
			err := s.history(ctx, func(h *history.History) error {
				runs, err := h.Runs(ctx, history.Filter{Scenario: in.Scenario, Environment: in.Environment, Verdict: in.Verdict})
				for i := len(runs) - 1; i >= 0 && len(all) < in.Limit; i-- {
					if runs[i].Problem == "" {
						all = append(all, runs[i].Report)
					}
				}
				return err
			})
			return body(all), err
		})
	route(s, api, store.View, huma.Operation{OperationID: "show-run", Method: http.MethodGet, Path: "/api/v1/runs/{id}", Summary: "Show the verdict.json of a run in the history"},
		func(ctx context.Context, in *runID) (*response[report.Report], error) {
			found := report.Report{}
			err := history.ErrNoRun
			if openErr := s.history(ctx, func(h *history.History) error {
				var e history.Entry
				e, err = h.Find(ctx, in.ID)
				found = e.Report
				return nil
			}); openErr != nil {
				err = openErr
			}
			return body(found), err
		})
	route(s, api, store.Operate, huma.Operation{
		OperationID: "note", Method: http.MethodPost, Path: "/api/v1/runs/{id}/notes", DefaultStatus: http.StatusCreated,
		Summary: "Write a note into the timeline of a run: of the one that goes on on this instance (current), or of one that has ended",
	},
		func(ctx context.Context, in *noteRequest) (*response[record.Event], error) {
			e, err := s.sayOfRun(ctx, in.ID, run.Note{Text: in.Body.Text, By: in.Body.By, At: in.Body.At})
			return body(e), err
		})
	route(s, api, store.Operate, huma.Operation{
		OperationID: "recovered", Method: http.MethodPost, Path: "/api/v1/runs/{id}/recovered", DefaultStatus: http.StatusCreated,
		Summary: "Say that people have recovered service, to a run whose scenario has undo: by-hand",
	},
		func(ctx context.Context, in *recoveredRequest) (*response[record.Event], error) {
			e, err := s.sayOfRun(ctx, in.ID, run.Note{Recovered: true})
			return body(e), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "audit", Method: http.MethodGet, Path: "/api/v1/audit", Summary: "Show the audit log, newest first"},
		func(ctx context.Context, in *struct {
			Limit int `query:"limit" minimum:"1" maximum:"10000" default:"100"`
		},
		) (*response[[]store.Entry], error) {
			all, err := s.Daemon.Store.AuditLog(ctx, in.Limit)
			return body(append([]store.Entry{}, all...)), err
		})
}

// scheduled are the schedules, each with its next run, or why it cannot run. One that
// cannot be calculated must not hide the others.
func (s *Server) scheduled() []Scheduled {
	all := []Scheduled{}
	for _, sch := range s.Daemon.All() {
		shown := Scheduled{Name: sch.Name, What: sch.What(), Environment: sch.Environment, Cron: sch.Cron, TimeZone: sch.Zone()}
		switch at, ok, err := schedule.Next(sch, s.Daemon.Now()); {
		case err != nil:
			shown.Error = err.Error()
		case ok:
			shown.Next = &at
		}
		all = append(all, shown)
	}
	return all
}
