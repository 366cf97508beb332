package scenario_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// ofClient is a load of one kind of client.
func ofClient(journey string, r probe.Rate, c probe.Client) scenario.JourneyLoad {
	return scenario.JourneyLoad{Journey: journey, Rate: r, Critical: true, Clients: []scenario.Client{{Client: c}}}
}

// Each kind of client is a load of its own, in a run and in what is stored of it.
func TestClientsOfALoad(t *testing.T) {
	t.Parallel()
	browser, fresh := probe.Client{Kind: "browser"}, probe.Client{Kind: "fresh"}
	hourly := func(users int) probe.Rate { return probe.Rate{Users: users, Per: time.Hour} }
	for text, want := range map[string][]scenario.JourneyLoad{
		"{journey: a, rate: 50/s, critical: true, clients: [browser, {kind: fresh}]}": {ofClient("a", rate(25), browser), ofClient("a", rate(25), fresh)},
		"{journey: a, rate: 50/s, critical: true, clients: [dns-forever]}":            {ofClient("a", rate(50), probe.Client{Kind: "dns-forever"})},
		"{journey: a, rate: 50/s, critical: true, clients: [{kind: pooled, size: 50, idle: 5s, share: 20%}, browser, fresh]}": {
			ofClient("a", rate(10), probe.Client{Kind: "pooled", Size: 50, Idle: 5 * time.Second}), ofClient("a", rate(20), browser), ofClient("a", rate(20), fresh),
		},
		"{journey: a, rate: 50/s, critical: true, clients: [{kind: retrier, attempts: 3, backoff: 200ms, share: 33.3%}, {kind: retrier, name: hasty, timeout: 1s, share: 66.7%}]}": {
			ofClient("a", probe.Rate{Users: 999, Per: time.Minute}, probe.Client{Kind: "retrier", Attempts: 3, Backoff: 200 * time.Millisecond}),
			ofClient("a", probe.Rate{Users: 2001, Per: time.Minute}, probe.Client{Kind: "retrier", Name: "hasty", Timeout: time.Second}),
		},
		"{mix: {a: 1, b: 4}, rate: 50/s, critical: true, clients: [browser, {kind: fresh, share: 33.33%}]}": {
			ofClient("a", hourly(24001), browser), ofClient("a", hourly(11999), fresh), ofClient("b", hourly(96005), browser), ofClient("b", hourly(47995), fresh),
		},
	} {
		got, err := scenario.Load("x.yaml", []byte(withLoad(text)), fault.Specs())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got.Load, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		data, err := yaml.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := scenario.LoadStored("stored", data)
		if diff := cmp.Diff(want, stored.Load, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s, stored: %v %s\n%s", text, err, diff, data)
		}
		again, err := scenario.Load("x.yaml", data, fault.Specs())
		if diff := cmp.Diff(want, again.Load, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s, again: %v %s", text, err, diff)
		}
	}
}

// A stored load of a later gameday keeps its name, by which its samples are found.
func TestAStoredClientOfLater(t *testing.T) {
	t.Parallel()
	s, err := scenario.LoadStored("stored", []byte(withLoad("{journey: a, rate: 50/s, clients: [{kind: quic, streams: 5, size: many}]}")))
	if err != nil || s.Load[0].Name() != "a (quic)" {
		t.Errorf("%v: %+v", err, s.Load)
	}
	if _, err := scenario.LoadStored("stored", []byte(withLoad("{journey: a, rate: 50/s, clients: 5}"))); err == nil {
		t.Error("expected an error: the name of the load is unknown")
	}
}

func TestProblemsOfClients(t *testing.T) {
	t.Parallel()
	with := func(clients string) string {
		return withLoad("{journey: a, rate: 50/s, critical: true, clients: " + clients + "}")
	}
	checkAll(t, "scenario", map[string]problem{
		"none":                 {with("¶[]"), "load[0].clients", "expected at least one of browser, fresh"},
		"an unknown kind":      {with("[¶browsre]"), "load[0].clients[0]", `"browser"`},
		"an unknown long kind": {with("[{kind: ¶browsre}]"), "load[0].clients[0].kind", `"browser"`},
		"no kind":              {with("[¶{share: 20%}]"), "load[0].clients[0]", `missing required key "kind"`},
		"an unknown key":       {with("[{kind: fresh, ¶sise: 5}]"), `"sise"`, "unknown key"},
		"a pool without size":  {with("[¶pooled]"), "load[0].clients[0].size", "size: 50"},
		"a size of a browser":  {with("[{kind: browser, size: ¶5}]"), "load[0].clients[0].size", "only a pooled client has it"},
		"attempts of a fresh":  {with("[{kind: fresh, attempts: ¶5}]"), "load[0].clients[0].attempts", "only a retrier client has it"},
		"one attempt":          {with("[{kind: retrier, attempts: ¶1}]"), "load[0].clients[0].attempts", "at least 2"},
		"a backoff below 0":    {with("[{kind: retrier, backoff: ¶-1s}]"), "load[0].clients[0].backoff", "positive"},
		"endless attempts":     {with("[{kind: retrier, attempts: ¶100, backoff: 720h, timeout: 720h}]"), "load[0].clients[0].attempts", "longer than 10m0s"},
		"a long backoff":       {with("[¶{kind: retrier, backoff: 4m}]"), "load[0].clients[0].attempts", "longer than 10m0s"},
		"long attempts":        {with("[{kind: retrier, attempts: ¶20, backoff: 200ms}]"), "load[0].clients[0].attempts", "longer than 10m0s"},
		"shares below 100%":    {with("¶[{kind: fresh, share: 20%}, {kind: browser, share: 79.9%}]"), "load[0].clients", "shares of 99.9% in all, expected 100%"},
		"shares above 100%":    {with("¶[{kind: fresh, share: 20%}, {kind: browser, share: 90%}]"), "load[0].clients", "shares of 110% in all"},
		"nothing left":         {with("¶[{kind: fresh, share: 20%}, {kind: browser, share: 80%}, dns-forever]"), "load[0].clients", "leaves nothing"},
		"a share of 0":         {with("[{kind: fresh, share: ¶0%}, browser]"), "load[0].clients[0].share", "above 0%"},
		"two of a kind":        {with("[fresh, ¶fresh]"), "load[0].clients[1]", "duplicate client fresh: set a different name:"},
		"two names":            {with("[{kind: fresh, name: mine}, ¶{kind: browser, name: mine}]"), "load[0].clients[1]", "duplicate client mine"},
		"a name of a kind":     {with("[{kind: retrier, name: ¶browser}]"), "load[0].clients[0].name", "found browser, which is another kind of client"},
		"a share of nobody":    {with("[{kind: browser, share: 99.99999%}, {kind: fresh, share: ¶0.00001%}]"), "load[0].clients[1].share", "which is no user: use 0.0001% or more"},
		"nobody, and the rest": {with("[browser, {kind: fresh, share: ¶0.00004%}]"), "load[0].clients[1].share", "which is no user"},
		"a name of two words":  {with("[{kind: fresh, name: ¶my client}]"), "load[0].clients[0].name", "lowercase"},
		"too few of one kind":  {withLoad("{journey: a, rate: ¶50/s, critical: true, clients: [browser, {kind: fresh, share: 1%}]}"), "load[0].rate", "found 30/m for journey a (fresh), which is 5 users in a baseline of 10s, expected 10 or more"},
		"a journey in two":     {header + goodObjective + "load: [{journey: a, rate: 50/s, critical: true, clients: [fresh]}, ¶{journey: a, rate: 50/s, clients: [fresh]}]\n" + goodFaults, "load[1]", "journey a (fresh)"},
	})
}

// Shares add up: no users are lost or made, but for what rounding to whole users an hour does.
func TestSharesAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var clients []string
		kinds := []string{"browser", "fresh", "dns-forever", "retrier", "{kind: pooled, size: 5}"}
		left := 100.0
		declared := map[string]float64{}
		for i, kind := range kinds[:rapid.IntRange(1, len(kinds)).Draw(t, "kinds")] {
			name := strings.Trim(strings.TrimPrefix(strings.Split(kind, ",")[0], "{kind: "), "}")
			if share := float64(rapid.IntRange(10, 200).Draw(t, "share")) / 10; i > 0 && rapid.Bool().Draw(t, "declared") && left-share > 10 {
				left -= share
				declared[name] = share / 100
				kind = fmt.Sprintf("{kind: %s, share: %.1f%%%s}", name, share, map[bool]string{true: ", size: 5"}[name == "pooled"])
			}
			clients = append(clients, kind)
		}
		perSecond := rapid.IntRange(1, 100).Draw(t, "rate") * 100
		s, err := scenario.Load("x.yaml", []byte(withLoad(fmt.Sprintf("{journey: a, rate: %d/s, critical: true, clients: [%s]}", perSecond, strings.Join(clients, ", ")))), fault.Specs())
		if err != nil {
			t.Fatal(err)
		}
		sum, rest := 0.0, map[float64]bool{}
		for _, l := range s.Load {
			sum += l.Rate.PerSecond()
			share, ok := declared[l.Client().Kind]
			if want := share * float64(perSecond); ok && math.Abs(l.Rate.PerSecond()-want) > 1.0/3600 {
				t.Errorf("%s: %v, expected %v/s", l.Name(), l.Rate, want)
			}
			if !ok {
				rest[l.Rate.PerSecond()] = true
			}
		}
		if math.Abs(sum-float64(perSecond)) > float64(len(clients))/3600 || len(s.Load) != len(clients) {
			t.Errorf("%v: %v/s instead of %d/s", clients, sum, perSecond)
		}
		if len(rest) != 1 {
			t.Errorf("%v: those without a share have %v", clients, rest)
		}
	})
}

// Rows for one user each are shared by the loads of a journey, and no row is for two users.
func TestRowsOfClients(t *testing.T) {
	t.Parallel()
	s, err := scenario.Load("x.yaml", []byte(withLoad("{journey: a, rate: 50/s, critical: true, clients: [browser, {kind: fresh, share: 20%}, dns-forever]}")), fault.Specs())
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range []string{"once", "cycle"} {
		users := probe.Users{File: "users.csv", Order: order, Columns: []string{"name"}}
		for i := range 1003 {
			users.Rows = append(users.Rows, []string{strconv.Itoa(i)})
		}
		seen := map[string]int{}
		var parts []int
		for i := range s.Load {
			j := s.Walked(i, probe.Journey{Name: "a", Users: &users})
			if j.Name != s.Load[i].Name() {
				t.Errorf("%s, expected %s", j.Name, s.Load[i].Name())
			}
			parts = append(parts, len(j.Users.Rows))
			for _, row := range j.Users.Rows {
				seen[row[0]]++
			}
		}
		want, each := []int{401, 201, 401}, 1
		if order == "cycle" {
			want, each = []int{1003, 1003, 1003}, 3
		}
		if diff := cmp.Diff(want, parts); diff != "" || len(seen) != 1003 || seen["500"] != each {
			t.Errorf("%s: %s, %d rows, row 500 of %d", order, diff, len(seen), seen["500"])
		}
	}
	for i, want := range []probe.Place{{Of: 3, N: 0}, {Of: 3, N: 1}, {Of: 3, N: 2}} {
		if got := scenario.PlaceOf(s.Load, i); got != want {
			t.Errorf("%+v, expected %+v", got, want)
		}
	}
}

// A kind of client that would be no other than browser, or of which nobody knows what it does,
// is refused before the run.
func TestClientsThatCannotWalk(t *testing.T) {
	t.Parallel()
	web, sql := probe.Step{Get: "/"}, probe.Step{SQL: &probe.SQL{}}
	proxied := scenario.Environment{Entry: "http://shop.example", Connect: &probe.Connect{Proxy: "http://proxy.example:3128"}}
	h2 := scenario.Environment{Entry: "http://shop.example", Connect: &probe.Connect{HTTP2: true}}
	plain := scenario.Environment{Entry: "http://shop.example"}
	for _, c := range []struct {
		env    scenario.Environment
		client probe.Client
		steps  []probe.Step
		want   string
	}{
		{plain, probe.Client{}, []probe.Step{sql}, ""},
		{plain, probe.Client{Kind: "browser"}, []probe.Step{sql, {Exec: &probe.Exec{}}}, ""},
		{plain, probe.Client{Kind: "fresh"}, []probe.Step{sql, {Redis: &probe.Redis{}}, {GRPC: &probe.GRPC{}}}, ""},
		{plain, probe.Client{Kind: "dns-forever"}, []probe.Step{web, sql}, ""},
		{plain, probe.Client{Kind: "pooled", Size: 5}, []probe.Step{web}, ""},
		{plain, probe.Client{Kind: "retrier"}, []probe.Step{web}, ""},
		{plain, probe.Client{Kind: "pooled", Size: 5}, []probe.Step{web, sql}, "load of journey a: client pooled: it has steps of sql, and a pooled client is for journeys of HTTP only: use browser, fresh or dns-forever"},
		{plain, probe.Client{Kind: "retrier", Name: "hasty"}, []probe.Step{sql}, "client hasty: it has steps of sql, and a retrier client is for journeys of HTTP only: use browser, fresh or dns-forever, and retry: in the step"},
		{plain, probe.Client{Kind: "fresh"}, []probe.Step{{Exec: &probe.Exec{}}}, "it runs a command (exec:)"},
		{plain, probe.Client{Kind: "retrier", Attempts: 10}, []probe.Step{web}, ""},
		{plain, probe.Client{Kind: "retrier", Attempts: 11}, []probe.Step{web}, "load of journey a: client retrier: its attempts take longer than 10m0s with the timeout of the journey, 1m0s, for each: use fewer attempts, or set timeout: of the client, that of one attempt"},
		{plain, probe.Client{Kind: "retrier", Attempts: 10, Backoff: time.Millisecond}, []probe.Step{web}, "its attempts take longer"},
		{plain, probe.Client{Kind: "retrier", Attempts: 100, Timeout: time.Second}, []probe.Step{web}, ""},
		{proxied, probe.Client{Kind: "dns-forever"}, []probe.Step{web}, "a proxy, which looks names up"},
		{proxied, probe.Client{Kind: "fresh"}, []probe.Step{web}, ""},
		{h2, probe.Client{Kind: "pooled", Size: 5}, []probe.Step{web}, "HTTP/2"},
	} {
		l := ofClient("a", rate(50), c.client)
		err := scenario.Scenario{Load: []scenario.JourneyLoad{l}}.CheckClients(c.env, []probe.Journey{{Name: "a", Steps: c.steps, Timeout: time.Minute}})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: found %v, expected %s", c.client, err, c.want)
		}
	}
}

// Where no name is looked up, plans and reports say that a client does not differ.
func TestClientsThatLookNothingUp(t *testing.T) {
	t.Parallel()
	forever := ofClient("a", rate(50), probe.Client{Kind: "dns-forever"})
	for entry, want := range map[string]string{
		"http://shop.example":   "",
		"http://192.0.2.1:8080": "the address of 192.0.2.1 is fixed, so that dns-forever clients meet there what browser clients meet",
		"http://localhost:8080": "the address of localhost is fixed, so that dns-forever clients meet there what browser clients meet",
		"http://[2001:db8::1]":  "the address of 2001:db8::1 is fixed, so that dns-forever clients meet there what browser clients meet",
		"http://pinned.example": "the address of pinned.example is fixed, so that dns-forever clients meet there what browser clients meet",
	} {
		env := scenario.Environment{Entry: entry, Connect: &probe.Connect{Resolve: map[string]string{"pinned.example": "192.0.2.9"}}}
		facts := env.Connections([]scenario.JourneyLoad{forever})
		if got := facts[len(facts)-1]; want != "" && got != want || want == "" && strings.Contains(got, "fixed") {
			t.Errorf("%s: %q", entry, facts)
		}
		if got := env.Connections([]scenario.JourneyLoad{ofClient("a", rate(50), probe.Client{Kind: "fresh"})}); strings.Contains(strings.Join(got, " "), "fixed") {
			t.Errorf("%s: %q", entry, got)
		}
	}
}
