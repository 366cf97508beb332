package docker_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/target"
)

// found is the one component on an engine that has these edits.
func found(t *testing.T, edits ...edit) target.Component {
	t.Helper()
	e := newFakeEngine(t)
	e.add(box("shop-db-1", edits...))
	all, err := e.open().Find(t.Context(), target.Selector{})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d components, %v", len(all), err)
	}
	return all[0]
}

// An identity is the same for the container that replaces another.
func TestIdentity(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit edit
		want string
	}{
		"a compose service":                {with("com.docker.compose.service=db", "com.docker.compose.container-number=1"), "db/1"},
		"its third":                        {with("com.docker.compose.service=db", "com.docker.compose.container-number=3"), "db/3"},
		"one that is not numbered":         {with("com.docker.compose.service=db"), "db/1"},
		"no compose service":               {with(), "shop-db-1"},
		"a number, but no compose service": {with("com.docker.compose.container-number=3"), "shop-db-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := found(t, c.edit).Identity; got != c.want {
				t.Errorf("%q, expected %q", got, c.want)
			}
		})
	}
}

func TestDependsOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		label string
		want  []string
	}{
		"none":              {"", nil},
		"one":               {"db:service_healthy:false", []string{"db"}},
		"two":               {"db:service_healthy:false,cache:service_started:true", []string{"db", "cache"}},
		"without restart":   {"db:service_started,cache:service_completed_successfully", []string{"db", "cache"}},
		"the older list":    {"db,cache", []string{"db", "cache"}},
		"with spaces":       {" db:service_started:false , cache", []string{"db", "cache"}},
		"with empty places": {",db,,:service_started,", []string{"db"}},
		"one twice":         {"db,cache,db:service_started", []string{"db", "cache"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := found(t, with("com.docker.compose.depends_on="+c.label)).DependsOn
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
