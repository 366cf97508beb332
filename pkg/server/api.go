package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/schedule"
	"github.com/gameday-dev/gameday/pkg/store"
)

// muxed lets huma register its routes.
type muxed struct{ *Server }

// HandleFunc registers a route whose rule was given before.
func (m muxed) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.mux.HandleFunc(pattern, handler)
}

// ServeHTTP implements humago.Mux.
func (m muxed) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// route adds an operation to the API, with its rule.
func route[I, O any](s *Server, api huma.API, role store.Role, op huma.Operation, do func(context.Context, *I) (*O, error)) {
	s.rules[op.Method+" "+op.Path] = role
	op.Description = "It needs a token of the role " + string(role) + ", or of a greater one."
	op.Security = []map[string][]string{{"token": {}}}
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		return out, s.spoken(err)
	})
}

// spoken is an error as the API says it. What is not the asker's fault is logged, and
// not told.
func (s *Server) spoken(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errAsked):
		return huma.Error422UnprocessableEntity(err.Error())
	case errors.Is(err, store.ErrNone), errors.Is(err, history.ErrNoRun):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, store.ErrState):
		return huma.Error409Conflict(err.Error())
	}
	s.Log.Error("a call of the API has failed", "err", err)
	return huma.Error503ServiceUnavailable("the store cannot be reached, or is broken: see the log of gameday serve")
}

type one[T any] struct{ Body T }

func body[T any](v T) *one[T] { return &one[T]{v} }

type nothing struct{}

type jobID struct {
	ID int64 `path:"id" minimum:"1" doc:"The job's number."`
}

type jobsAsked struct {
	State       store.State `query:"state" enum:"awaiting,queued,running,done,missed,refused,interrupted" doc:"Only those in this state."`
	Schedule    string      `query:"schedule" maxLength:"200"`
	Environment string      `query:"environment" maxLength:"200"`
	Limit       int         `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The newest so many."`
}

type runAsked struct {
	Body struct {
		Scenario    string `json:"scenario" maxLength:"200" doc:"The scenario, by its name."`
		Environment string `json:"environment,omitempty" maxLength:"200" doc:"Where, instead of the scenario's own environment."`
	}
}

type holdAsked struct {
	Body struct {
		Environment string `json:"environment" maxLength:"200"`
		Why         string `json:"why" maxLength:"500" doc:"The incident."`
		Until       string `json:"until,omitempty" maxLength:"100" doc:"A moment (RFC 3339), or how long from now (2h); until it is released where it is not set."`
	}
}

// environment stands in the query, as the names of labs have a slash.
type releaseAsked struct {
	Environment string `query:"environment" required:"true" maxLength:"200"`
}

type runsAsked struct {
	Scenario    string `query:"scenario" maxLength:"200"`
	Environment string `query:"environment" maxLength:"200"`
	Verdict     string `query:"verdict" enum:"proven,degraded,disproved,inconclusive,aborted"`
	Limit       int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The newest so many."`
}

type runID struct {
	ID string `path:"id" maxLength:"300" doc:"The run's id, or the beginning of one that no other has."`
}

type count struct {
	Stopped int `json:"stopped" doc:"How many runs were asked to stop, or will not begin."`
}

// Scheduled is a schedule as the API shows it.
type Scheduled struct {
	Name        string     `json:"name"`
	What        string     `json:"what" doc:"The scenario, or sweep."`
	Environment string     `json:"environment"`
	Cron        string     `json:"cron"`
	TimeZone    string     `json:"time_zone"`
	Next        *time.Time `json:"next" doc:"When it begins next; null where it never does."`
}

// api is the API.
func (s *Server) api() {
	config := huma.DefaultConfig("gameday", s.Version)
	config.DocsPath, config.SchemasPath = "", ""
	config.OpenAPIPath = "/api/openapi"
	config.CreateHooks = nil // no links to schemas in answers
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "gameday token create makes one."}}
	for _, ending := range []string{".json", ".yaml", "-3.0.json", "-3.0.yaml"} {
		s.rules["GET /api/openapi"+ending] = store.View
	}
	api := humago.New(muxed{s}, config)
	s.jobsAPI(api)
	s.lookAPI(api)
}

func (s *Server) jobsAPI(api huma.API) {
	route(s, api, store.View, huma.Operation{OperationID: "list-jobs", Method: http.MethodGet, Path: "/api/v1/jobs", Summary: "Runs that were asked for, the newest first"},
		func(ctx context.Context, in *jobsAsked) (*one[[]store.Job], error) {
			f := store.Filter{Schedule: in.Schedule, Environment: in.Environment, Limit: in.Limit}
			if in.State != "" {
				f.States = []store.State{in.State}
			}
			all, err := s.Daemon.Store.Jobs(ctx, f)
			return body(append([]store.Job{}, all...)), err
		})
	route(s, api, store.View, huma.Operation{OperationID: "show-job", Method: http.MethodGet, Path: "/api/v1/jobs/{id}", Summary: "One of them"},
		func(ctx context.Context, in *jobID) (*one[store.Job], error) {
			j, err := s.Daemon.Store.Job(ctx, in.ID)
			return body(j), err
		})
	route(s, api, store.View, huma.Operation{OperationID: "show-verdict", Method: http.MethodGet, Path: "/api/v1/jobs/{id}/verdict", Summary: "Its verdict.json, from whichever instance ran it"},
		func(ctx context.Context, in *jobID) (*one[json.RawMessage], error) {
			document, err := s.Daemon.Store.Document(ctx, in.ID)
			if err == nil && !json.Valid([]byte(document)) {
				err = errors.Join(store.ErrNone, errors.New("the job has no verdict"))
			}
			return body(json.RawMessage(document)), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "run", Method: http.MethodPost, Path: "/api/v1/jobs", Summary: "Run a scenario now", DefaultStatus: http.StatusAccepted},
		func(ctx context.Context, in *runAsked) (*one[store.Job], error) {
			j, err := s.runNow(ctx, in.Body.Scenario, in.Body.Environment)
			return body(j), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "approve", Method: http.MethodPost, Path: "/api/v1/jobs/{id}/approve", Summary: "Approve of a run that waits for it"},
		func(ctx context.Context, in *jobID) (*one[store.Job], error) {
			j, err := s.approve(ctx, in.ID)
			return body(j), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "stop-job", Method: http.MethodPost, Path: "/api/v1/jobs/{id}/stop", Summary: "Stop a run, and undo what it did"},
		func(ctx context.Context, in *jobID) (*one[count], error) {
			n, err := s.stop(ctx, in.ID)
			return body(count{n}), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "stop-all", Method: http.MethodPost, Path: "/api/v1/stop", Summary: "The kill switch: stop all runs, and undo what they did"},
		func(ctx context.Context, _ *nothing) (*one[count], error) {
			n, err := s.stop(ctx, 0)
			return body(count{n}), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "hold", Method: http.MethodPost, Path: "/api/v1/holds", Summary: "Declare an incident: nothing begins in an environment, and what runs there is stopped"},
		func(ctx context.Context, in *holdAsked) (*one[store.Hold], error) {
			h, err := s.hold(ctx, in.Body.Environment, in.Body.Why, in.Body.Until)
			return body(h), err
		})
	route(s, api, store.Operate, huma.Operation{OperationID: "release", Method: http.MethodDelete, Path: "/api/v1/holds", Summary: "End a hold"},
		func(ctx context.Context, in *releaseAsked) (*nothing, error) {
			return &nothing{}, s.release(ctx, in.Environment)
		})
}

func (s *Server) lookAPI(api huma.API) {
	route(s, api, store.View, huma.Operation{OperationID: "list-holds", Method: http.MethodGet, Path: "/api/v1/holds", Summary: "Environments in which nothing may begin"},
		func(ctx context.Context, _ *nothing) (*one[[]store.Hold], error) {
			all, err := s.Daemon.Store.Holds(ctx, s.Daemon.Now())
			return body(append([]store.Hold{}, all...)), err
		})
	route(s, api, store.View, huma.Operation{OperationID: "list-schedules", Method: http.MethodGet, Path: "/api/v1/schedules", Summary: "Schedules, and when each begins next"},
		func(context.Context, *nothing) (*one[[]Scheduled], error) {
			all, err := s.scheduled()
			return body(all), err
		})
	route(s, api, store.View, huma.Operation{OperationID: "list-runs", Method: http.MethodGet, Path: "/api/v1/runs", Summary: "The history, the newest first: verdict.json of each"},
		func(ctx context.Context, in *runsAsked) (*one[[]report.Report], error) {
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
	route(s, api, store.View, huma.Operation{OperationID: "show-run", Method: http.MethodGet, Path: "/api/v1/runs/{id}", Summary: "One of them"},
		func(ctx context.Context, in *runID) (*one[report.Report], error) {
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
	route(s, api, store.Operate, huma.Operation{OperationID: "audit", Method: http.MethodGet, Path: "/api/v1/audit", Summary: "Who has done what, the newest first"},
		func(ctx context.Context, in *struct {
			Limit int `query:"limit" minimum:"1" maximum:"10000" default:"100"`
		},
		) (*one[[]store.Entry], error) {
			all, err := s.Daemon.Store.AuditLog(ctx, in.Limit)
			return body(append([]store.Entry{}, all...)), err
		})
}

// scheduled are the schedules, and when each begins next.
func (s *Server) scheduled() ([]Scheduled, error) {
	all := []Scheduled{}
	for _, sch := range s.Daemon.All() {
		one := Scheduled{Name: sch.Name, What: sch.What(), Environment: sch.Environment, Cron: sch.Cron, TimeZone: sch.Zone()}
		at, ok, err := schedule.Next(sch, s.Daemon.Now())
		if err != nil {
			return nil, err
		}
		if ok {
			one.Next = &at
		}
		all = append(all, one)
	}
	return all, nil
}
