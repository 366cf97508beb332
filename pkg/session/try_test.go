package session_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/probe/steps"
	"github.com/gameday-dev/gameday/pkg/session"
)

// A journey is tried with all that a run would have: also with steps that are not HTTP.
func TestTryPerformsAllStepsOfARun(t *testing.T) {
	t.Parallel()
	u := newUser(t, "")
	u.Protocols = steps.All()
	text := "version: 1\nname: tools\nsteps: [{name: page, get: /}, {name: tool, exec: {command: [echo, done]}, expect: {json: {$.output: {contains: done}}}}]\n"
	if err := os.WriteFile(filepath.Join(u.Library.Dir, "journeys", "tools.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, journey := range []string{"tools", "journeys/tools.yaml"} {
		var met []probe.Tried
		err := u.Try(t.Context(), session.TryRequest{Journey: journey, Environment: "staging", Users: 2}, func(tried probe.Tried) { met = append(met, tried) })
		if err != nil || len(met) != 2 || met[0].Failed() || len(met[0].Steps) != 2 {
			t.Errorf("%s: %+v, %v", journey, met, err)
		}
	}
	err := u.Try(t.Context(), session.TryRequest{Journey: "checkout", Environment: "staging", Users: 1, From: "inside"}, func(probe.Tried) {})
	if err == nil || !strings.Contains(err.Error(), "environment staging has no inside") {
		t.Error(err)
	}
}
