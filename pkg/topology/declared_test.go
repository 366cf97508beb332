package topology_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/topology"
)

// standing is an environment whose components do not run: no connection is seen.
type standing []target.Component

func (s standing) Find(context.Context, target.Selector) ([]target.Component, error) { return s, nil }

func (s standing) Open(context.Context, string) (target.Handle, error) {
	return nil, errors.New("nothing here can be opened")
}

// What components are declared to need is on the map, though no connection was seen:
// each component of a service that another names.
func TestDeclaredEdges(t *testing.T) {
	t.Parallel()
	env := standing{
		{ID: "1", Name: "lb-1", Service: "lb", State: target.Stopped, DependsOn: []string{"app"}},
		{ID: "2", Name: "app-1", Service: "app", State: target.Stopped, DependsOn: []string{"db", "cache"}},
		{ID: "3", Name: "app-2", Service: "app", State: target.Stopped, DependsOn: []string{"db", "cache"}},
		{ID: "4", Name: "db-1", Service: "db", State: target.Stopped},
		{ID: "5", Name: "alone", State: target.Stopped, Labels: map[string]string{"com.docker.compose.depends_on": "db"}},
	}
	m, err := topology.Observe(t.Context(), env, "test", topology.Users{}, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	want := []topology.Edge{ // no component is a cache
		{From: "app-1", To: "db", Declared: true},
		{From: "app-2", To: "db", Declared: true},
		{From: "lb", To: "app-1", Declared: true},
		{From: "lb", To: "app-2", Declared: true},
	}
	if diff := cmp.Diff(want, m.Edges); diff != "" {
		t.Error(diff)
	}
}

func TestObserveNothing(t *testing.T) {
	t.Parallel()
	if _, err := topology.Observe(t.Context(), standing{}, "test", topology.Users{}, time.Millisecond); err == nil {
		t.Error("an environment without components has a map")
	}
}
