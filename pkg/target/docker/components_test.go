package docker_test

import (
	"encoding/json"
	"maps"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
)

// found is the one component on an engine that has these edits.
func found(t *testing.T, edits ...rig.Edit) target.Component {
	t.Helper()
	e := newFakeEngine(t)
	e.Add(rig.Box("shop-db-1", edits...))
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
		edit rig.Edit
		want string
	}{
		"a compose service":                {rig.With("com.docker.compose.service=db", "com.docker.compose.container-number=1"), "db/1"},
		"its third":                        {rig.With("com.docker.compose.service=db", "com.docker.compose.container-number=3"), "db/3"},
		"one that is not numbered":         {rig.With("com.docker.compose.service=db"), "db/1"},
		"no compose service":               {rig.With(), "shop-db-1"},
		"a number, but no compose service": {rig.With("com.docker.compose.container-number=3"), "shop-db-1"},
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
			got := found(t, rig.With("com.docker.compose.depends_on="+c.label)).DependsOn
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Peers of a partition are shut out by address: with an address left out, they would
// still be reached at it.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		networks []string
		want     []string // name and address
	}{
		"IPv4":                   {[]string{"back 172.19.0.2 172.19.0.1"}, []string{"back 172.19.0.2"}},
		"both":                   {[]string{"back 198.18.77.2 198.18.77.1 fd00:18:2::2 fd00:18:2::1"}, []string{"back 198.18.77.2", "back fd00:18:2::2"}},
		"IPv6 alone":             {[]string{"back - - fd00:18:2::2 fd00:18:2::1"}, []string{"back fd00:18:2::2"}},
		"several, by name":       {[]string{"front 172.20.0.2", "back 172.19.0.2 - fd00::2"}, []string{"back 172.19.0.2", "back fd00::2", "front 172.20.0.2"}},
		"not running":            {[]string{"back"}, []string{"back invalid IP"}},
		"of the host":            {[]string{"host"}, []string{"host invalid IP"}},
		"none":                   {[]string{"none"}, []string{"none invalid IP"}},
		"no network at all":      {nil, nil},
		"one that is no address": {[]string{"back 172.19.0.2.7"}, []string{"back invalid IP"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, n := range found(t, rig.Networks(c.networks...)).Networks {
				got = append(got, n.Name+" "+n.Address.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The recorded states are those of Docker 20.10: a paused and a restarting container
// are running as well.
func TestStates(t *testing.T) {
	t.Parallel()
	health := func(status string) rig.Edit { return rig.Set(status, "State", "Health", "Status") }
	running := rig.State("running", "Running")
	for name, c := range map[string]struct {
		edits   []rig.Edit
		want    target.State
		healthy bool
	}{
		"running":                     {[]rig.Edit{running}, target.Running, true},
		"paused":                      {[]rig.Edit{rig.State("paused", "Running", "Paused")}, target.Paused, true},
		"restarting":                  {[]rig.Edit{rig.State("restarting", "Running", "Restarting")}, target.Restarting, true},
		"restarting, and not running": {[]rig.Edit{rig.State("restarting", "Restarting")}, target.Restarting, true},
		"created":                     {[]rig.Edit{rig.State("created"), rig.Set("0001-01-01T00:00:00Z", "State", "StartedAt")}, target.Stopped, true},
		"exited":                      {[]rig.Edit{rig.State("exited")}, target.Stopped, true},
		"dead":                        {[]rig.Edit{rig.State("dead", "Dead")}, target.Stopped, true},
		"being removed":               {[]rig.Edit{rig.State("removing")}, target.Stopped, true},
		"healthy":                     {[]rig.Edit{running, health("healthy")}, target.Running, true},
		"unhealthy":                   {[]rig.Edit{running, health("unhealthy")}, target.Running, false},
		"not known to be healthy yet": {[]rig.Edit{running, health("starting")}, target.Running, false},
		"no health check":             {[]rig.Edit{running, health("none")}, target.Running, true},
		"no word about health":        {[]rig.Edit{running, health("")}, target.Running, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := found(t, c.edits...)
			if got.State != c.want || got.Healthy != c.healthy || got.Up() != (c.want == target.Running && c.healthy) {
				t.Errorf("%s, healthy: %t, up: %t; expected %s, healthy: %t", got.State, got.Healthy, got.Up(), c.want, c.healthy)
			}
		})
	}
}

// All of a component, from the engine's whole answer.
func TestComponent(t *testing.T) {
	t.Parallel()
	got := found(t, func(o rig.Object) {
		maps.Copy(o, rig.Recorded().Container)
	}, rig.Set(4, "RestartCount"), rig.With("gameday.zone=a", "gameday.protect=true"))
	want := target.Component{
		ID: "077a3d9b1922045bd656e83951670942a61fbdebd0d3ddca396922ebc59f07c7", Name: "shop-db-1", Identity: "db/1", Service: "db", Zone: "a",
		Labels: map[string]string{
			"com.docker.compose.container-number": "1", "com.docker.compose.depends_on": "etcd:service_healthy:false", "com.docker.compose.oneoff": "False",
			"com.docker.compose.project": "shop", "com.docker.compose.service": "db", "gameday.program": "gameday-lab", "gameday.zone": "a", "gameday.protect": "true",
		},
		DependsOn: []string{"etcd"},
		Networks:  []target.Network{{Name: "shop_back", Address: address("172.19.0.2"), MAC: "02:42:ac:13:00:02"}},
		State:     target.Running, Healthy: false, Checking: true, // its check has not been made yet
		Restart: "unless-stopped", Restarts: 4, Protected: true,
		Started: time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC),
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameAddress)); diff != "" {
		t.Error(diff)
	}
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var again target.Component
	decode(t, string(data), &again)
	if diff := cmp.Diff(got, again, cmp.Comparer(sameAddress)); diff != "" {
		t.Errorf("as JSON it is another one: %s", diff)
	}
}

func TestComponentThatHasNeverStarted(t *testing.T) {
	t.Parallel()
	got := found(t, rig.State("created"), rig.Set("0001-01-01T00:00:00Z", "State", "StartedAt"), rig.Set("", "HostConfig", "RestartPolicy", "Name"))
	if !got.Started.IsZero() || got.Restart != "" || got.State != target.Stopped {
		t.Errorf("%+v", got)
	}
}

func address(text string) netip.Addr { return netip.MustParseAddr(text) }

func sameAddress(a, b netip.Addr) bool { return a == b }
