package docker_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
)

// An engine that refuses every version of its API before 1.44, as Docker Engine 29 does
// (case 19).
func TestAnEngineThatRefusesOlderClients(t *testing.T) {
	t.Parallel()
	older := regexp.MustCompile(`^/v1\.([0-9]|[1-3][0-9]|4[0-3])/`)
	e := newFakeEngineOn(t, func(h http.Handler) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if older.MatchString(r.URL.Path) {
				rig.Reply(w, http.StatusBadRequest, `{"message":"client version 1.43 is too old. Minimum supported API version is 1.44"}`)
				return
			}
			h.ServeHTTP(w, r)
		}))
	})
	e.Handle("HEAD /_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.52") })
	e.Add(rig.Box("db"))
	env := e.open()
	if found, err := env.Find(t.Context(), target.Selector{}); err != nil || ids(found) != "db" {
		t.Errorf("%s %v", ids(found), err)
	}
	if err := opened[target.Killer](t, env, "db").Kill(t.Context()); err != nil || e.Status("db") != "exited" {
		t.Errorf("%v, and it is %s", err, e.Status("db"))
	}
}
