package docker_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/helper"
)

type evictor interface {
	Evict(ctx context.Context) error
}

// beside is a helper that another process has left beside a container.
func beside(id string) rig.Object {
	return rig.Box("helper", rig.With("gameday.helper="+id, "gameday.fence=shop"))
}

func TestEvict(t *testing.T) {
	t.Parallel()
	const gone, under = `{"message":"No such container: helper"}`, `{"message":"removal of container helper is already in progress"}`
	ended := failing(http.StatusOK, `{"StatusCode":137}`)
	for name, c := range map[string]struct {
		wait   http.HandlerFunc
		remove int
		body   string
		says   string // in the error, if there is one
	}{
		"removed":                      {ended, http.StatusNoContent, "", ""},
		"gone already":                 {failing(http.StatusNotFound, gone), http.StatusNotFound, gone, ""},
		"gone before it is waited for": {failing(http.StatusNotFound, gone), http.StatusNoContent, "", ""},
		"under way":                    {ended, http.StatusConflict, under, ""},
		"refused":                      {ended, http.StatusInternalServerError, `{"message":"driver failed to remove root filesystem"}`, "driver failed"},
		"not seen to be gone":          {failing(http.StatusInternalServerError, `{"message":"oops"}`), http.StatusNoContent, "", "oops"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("db"), beside("db"))
			e.Handle("POST /containers/helper/wait", c.wait)
			e.Answer("DELETE /containers/helper", c.remove, c.body)
			err := opened[evictor](t, e.open(), "db").Evict(t.Context())
			if (err == nil) != (c.says == "") || err != nil && (!strings.HasPrefix(err.Error(), "remove helper helper: ") || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%v, expected %q", err, c.says)
			}
			if sent := e.Questions("DELETE", "/containers/helper"); len(sent) != 1 || !strings.Contains(sent[0].Query, "force=1") {
				t.Errorf("%+v", sent)
			}
		})
	}
}

// Helpers beside other containers, and components, stay.
func TestEvictNothingElse(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("db"), rig.Box("app"), beside("app"))
	if err := opened[evictor](t, e.open(), "db").Evict(t.Context()); err != nil {
		t.Error(err)
	}
	e.Answer("GET /containers/json", http.StatusInternalServerError, `{"message":"database is locked"}`)
	wants(t, opened[evictor](t, e.open(), "db").Evict(t.Context()), "list helpers: ", "database is locked")
}

type attacher interface {
	Attach(ctx context.Context, power helper.Power) (*helper.Session, error)
	Attached(ctx context.Context, power helper.Power) (*helper.Session, bool)
}

// No helper is started beside what does not run.
func TestAttachToWhatDoesNotRun(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("db", rig.State("exited")))
	a := opened[attacher](t, e.open(), "db")
	if _, err := a.Attach(t.Context(), helper.Network); err == nil || err.Error() != "attach a helper to container db: it does not run" {
		t.Error(err)
	}
	if _, ok := a.Attached(t.Context(), helper.Network); ok {
		t.Error("there is a helper that nothing has started")
	}
	e.Remove("db")
	if _, err := a.Attach(t.Context(), helper.Network); err == nil || !strings.Contains(err.Error(), "it is gone") {
		t.Error(err)
	}
}
