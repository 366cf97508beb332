package scenario_test

import (
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// withEnvironment is a gameday.yaml that is right but for what its one
// environment has beside its engine and entry.
func withEnvironment(more string) string {
	return "version: 1\nenvironments:\n  a:\n    docker: {project: p}\n    entry: http://x\n    " + more + "\n"
}

// withSchedule is a gameday.yaml that is right but for its one schedule.
func withSchedule(more string) string {
	return withEnvironment("max_targets: 3") + "schedules:\n  - " + more + "\n"
}

func TestProblemsOfEnvironments(t *testing.T) {
	t.Parallel()
	checkAll(t, "environment", map[string]problem{
		"newer version":             {"version: ¶2\nenvironments: {}", "found 2", "newer"},
		"no environments":           {"¶version: 1", "environments", "missing required key"},
		"no engine":                 {"version: 1\nenvironments:\n  a: ¶{entry: 'http://x'}", "docker", "missing required key"},
		"no entry":                  {"version: 1\nenvironments:\n  a: ¶{docker: {project: p}}", "entry", "missing required key"},
		"no fence":                  {"version: 1\nenvironments:\n  a: {docker: ¶{context: c}, entry: 'http://x'}", "environments.a.docker", "project"},
		"two fences":                {"version: 1\nenvironments:\n  a: {docker: {project: p, labels: ¶[k=v]}, entry: 'http://x'}", "environments.a.docker", "both"},
		"unknown key":               {withEnvironment("¶protcet: []"), `"protcet"`, `"protect"`},
		"entry is no URL":           {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶shop}", "environments.a.entry", "shop"},
		"entry of another scheme":   {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶ftp://shop}", "environments.a.entry", "ftp://shop"},
		"entry without a host":      {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶'http://'}", "environments.a.entry", "http://"},
		"entry that does not parse": {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶'http://[x'}", "environments.a.entry", "http://[x"},
		"entry with a password":     {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶'http://bob:pw@shop'}", "environments.a.entry", "Authorization"},
		"entry with a user":         {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶'http://bob@shop'}", "environments.a.entry", "Authorization"},
		"entry with a query":        {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶'http://shop/?a=b'}", "environments.a.entry", "without ?"},
		"entry with a ? at its end": {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶'http://shop/?'}", "environments.a.entry", "without ?"},
		"entry with a fragment":     {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶'http://shop/#'}", "environments.a.entry", "without ?"},
		"entry of a port alone":     {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶'http://:80'}", "environments.a.entry", "http://:80"},
		"entry's port 0":            {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶'http://shop:0'}", "environments.a.entry", "65535"},
		"entry's port":              {"version: 1\nenvironments:\n  a: {docker: {project: p}, entry: ¶'http://shop:65536'}", "environments.a.entry", "65535"},
		"grafana with a password":   {withEnvironment("grafana: ¶'http://bob:pw@g'"), "environments.a.grafana", "GRAFANA_TOKEN"},
		"inside's entry, password":  {withEnvironment("inside: {network: n, entry: ¶'http://bob:pw@x'}"), "environments.a.inside.entry", "Authorization"},
		"role's path, no slash":     {withEnvironment("roles: {r: {http: {port: 1, path: ¶health}}}"), "environments.a.roles.r.http.path", "starts with /"},
		"role's path, line break":   {withEnvironment(`roles: {r: {http: {port: 1, path: ¶"/a\r\nB: c"}}}`), "environments.a.roles.r.http.path", "line breaks"},
		"grafana":                   {withEnvironment("grafana: ¶g"), "environments.a.grafana", `"g"`},
		"inside without network":    {withEnvironment("inside: ¶{entry: 'http://x'}"), "environments.a.inside", "network"},
		"inside's entry":            {withEnvironment("inside: {network: n, entry: ¶x}"), "environments.a.inside.entry", `"x"`},
		"max_targets 0":             {withEnvironment("max_targets: ¶0"), "environments.a.max_targets", "at least 1"},
		"role without a check":      {withEnvironment("roles: {r: ¶{among: {service: db}}}"), "role r", "http"},
		"role among a role":         {withEnvironment("roles: {r: {label: k, among: ¶{role: s}}}"), "role r", "service"},
		"role's port":               {withEnvironment("roles: {r: {http: {port: ¶65536, path: /}}}"), "environments.a.roles.r.http.port", "at most 65535"},
		"role's port 0":             {withEnvironment("roles: {r: {http: {port: ¶0, path: /}}}"), "environments.a.roles.r.http.port", "at least 1"},
		"role's path":               {withEnvironment("roles: {r: {http: ¶{port: 1}}}"), "environments.a.roles.r.http", "path"},
		"role's status":             {withEnvironment("roles: {r: {http: {port: 1, path: /, status: [200, ¶20]}}}"), "environments.a.roles.r.http.status[1]", "status code"},
		"role's JSONPath":           {withEnvironment("roles: {r: {http: {port: 1, path: /, json: {id: ¶1}}}}"), "environments.a.roles.r.http.json.id", "JSONPath"},
		"role's unknown key":        {withEnvironment("roles: {r: {http: {port: 1, path: /, ¶contain: x}}}"), "contain", "contains"},
		"role's host":               {withEnvironment("roles: {r: {sql: {url: ¶'postgres://u@db/d', statement: SELECT 1}}}"), "environments.a.roles.r.sql.url", "its own address"},
		"role's database":           {withEnvironment("roles: {r: {sql: {url: ¶'postgres://u@', statement: SELECT 1}}}"), "environments.a.roles.r.sql.url", "no database"},
		"role's statement":          {withEnvironment("roles: {r: {sql: ¶{url: 'postgres://u@/d'}}}"), "environments.a.roles.r.sql", "statement"},
		"role's value of a user":    {withEnvironment("roles: {r: {sql: {url: 'postgres://u@/d', statement: SELECT 1, parameters: [¶'{{.seq}}']}}}"), "environments.a.roles.r.sql.parameters[0]", "{{.seq}} is unknown"},
		"role's password":           {withEnvironment("roles: {r: ¶{redis: {command: [ROLE], password: '{{env \"P\"}}'}}}"), "environments.a.roles.r", "add variables: [P]"},
		"role's method":             {withEnvironment("roles: {r: {grpc: {port: 1, method: ¶Check}}}"), "environments.a.roles.r.grpc.method", "shop.Orders/Create"},
		"role's message":            {withEnvironment("roles: {r: {grpc: {port: 1, method: a.B/C, message: {service: ¶'{{.seq}}'}}}}"), "environments.a.roles.r.grpc.message", "{{.seq}} is unknown"},
		"role's port of gRPC":       {withEnvironment("roles: {r: {grpc: ¶{method: a.B/C}}}"), "environments.a.roles.r.grpc", "port"},
		"role's stream":             {withEnvironment("roles: {r: {grpc: {port: 1, method: a.B/C, ¶stream: {messages: 1}}}}"), "stream", "unknown"},
		"role's answer of gRPC":     {withEnvironment("roles: {r: {grpc: {port: 1, method: a.B/C, json: {id: ¶1}}}}"), "environments.a.roles.r.grpc.json.id", "JSONPath"},
		"role's command of Redis":   {withEnvironment("roles: {r: {redis: {command: ¶[SUBSCRIBE, x]}}}"), "environments.a.roles.r.redis.command", "SUBSCRIBE"},
		"protect nothing":           {withEnvironment("protect: [{service: v}, ¶{}]"), "environments.a.protect[1]", "service"},
		"protect a role":            {withEnvironment("protect: [¶{role: r}]"), "environments.a.protect[0]", "service"},
		"protect some":              {withEnvironment("protect: [¶{service: v, any: 1}]"), "environments.a.protect[0]", "service"},
		"redact":                    {withEnvironment("redact: ['a', ¶'(']"), "environments.a.redact[1]", "regular expression"},
		"notify of what":            {withEnvironment("notify: [{to: 'slack:', on: ¶[begin]}]"), "environments.a.notify[0].on", "verdict"},
		"a tracker of verdicts":     {withEnvironment("notify: [{to: 'github-issues:o/r', on: ¶[finding, verdict]}]"), "environments.a.notify[0].on", "expected on: [finding]: issues are about findings"},
		"notify nobody":             {withEnvironment("notify: [¶{on: [start]}]"), "environments.a.notify[0]", `"to"`},
	})
}

// What is wrong with an entry is told without its password (L20).
func TestPasswordsOfEntriesAreNotTold(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{
		"http://bob:hunter2@shop", "htps://bob:hunter2@shop", "http://bob:hun@ter2hunter2@shop", "http://hunter2@shop/x", "bob:hunter2@shop",
		"http://bob:?hunter2@shop", "http://[hunter2@", "http://shop?token=hunter2", "http://bob:hunter2@shop:0",
	} {
		_, err := scenario.LoadEnvironments("x.yaml", []byte("version: 1\nenvironments:\n  a: {docker: {project: p}, entry: '"+entry+"'}"), drivers())
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "environments.a.entry: found") {
			t.Errorf("%s: %v", entry, err)
		}
	}
}

func TestProblemsOfSchedules(t *testing.T) {
	t.Parallel()
	checkAll(t, "environment", map[string]problem{
		"no name":              {withSchedule("¶{cron: '@daily', scenario: s}"), "schedules[0]", `"name"`},
		"no cron":              {withSchedule("¶{name: n, scenario: s}"), "schedules[0]", `"cron"`},
		"name":                 {withSchedule("{name: ¶N n, cron: '@daily', scenario: s}"), "schedules[0].name", "N n"},
		"a name twice":         {withSchedule("{name: n, cron: '@daily', scenario: s}\n  - {name: ¶n, cron: '@daily', scenario: s}"), "schedules[1].name", "n"},
		"cron of four fields":  {withSchedule("{name: n, cron: ¶0 10 * *, scenario: s}"), "schedules[0].cron", "0 10 * *"},
		"cron out of range":    {withSchedule("{name: n, cron: ¶0 25 * * *, scenario: s}"), "schedules[0].cron", "0 25 * * *"},
		"cron with a zone":     {withSchedule("{name: n, cron: ¶TZ=UTC 0 10 * * *, scenario: s}"), "schedules[0].cron", "time_zone"},
		"time zone":            {withSchedule("{name: n, cron: '@daily', scenario: s, time_zone: ¶Mars/Olympus}"), "schedules[0].time_zone", "Mars/Olympus"},
		"zone of this machine": {withSchedule("{name: n, cron: '@daily', scenario: s, time_zone: ¶Local}"), "schedules[0].time_zone", "Local"},
		"environment":          {withSchedule("{name: n, cron: '@daily', scenario: s, environment: ¶b}"), "schedules[0].environment", `"b"`},
		"neither":              {withSchedule("¶{name: n, cron: '@daily'}"), "schedules[0]", "sweep"},
		"both":                 {withSchedule("¶{name: n, cron: '@daily', scenario: s, sweep: {}, environment: a}"), "schedules[0]", "sweep"},
		"a sweep of nothing":   {withSchedule("¶{name: n, cron: '@daily', sweep: {}}"), "schedules[0]", "environment"},
		"a sweep's rate":       {withSchedule("{name: n, cron: '@daily', sweep: {rate: ¶fast}, environment: a}"), "schedules[0].sweep.rate", "50/s"},
		"a sweep's rto":        {withSchedule("{name: n, cron: '@daily', sweep: {rto: ¶-1s}, environment: a}"), "schedules[0].sweep.rto", "-1s"},
		"no condition":         {withSchedule("{name: n, cron: '@daily', scenario: s, only_if: [¶{}]}"), "schedules[0].only_if[0]", "0 conditions"},
		"two conditions":       {withSchedule("{name: n, cron: '@daily', scenario: s, only_if: [¶{steady: 1s, http: {get: 'http://x'}}]}"), "schedules[0].only_if[0]", "2 conditions"},
		"steady below 0":       {withSchedule("{name: n, cron: '@daily', scenario: s, only_if: [¶{steady: -1s}]}"), "schedules[0].only_if[0].steady", "-1s"},
		"steady and a sweep":   {withSchedule("{name: n, cron: '@daily', sweep: {}, environment: a, only_if: [¶{steady: 1s}]}"), "schedules[0].only_if[0].steady", "sweep"},
		"condition, no URL":    {withSchedule("{name: n, cron: '@daily', scenario: s, only_if: [{http: ¶{get: x}}]}"), "schedules[0].only_if[0].http", "URL"},
		"condition, no query":  {withSchedule("{name: n, cron: '@daily', scenario: s, only_if: [{prometheus: ¶{url: 'http://p', query: ''}}]}"), "schedules[0].only_if[0].prometheus", "query"},
		"condition, no server": {withSchedule("{name: n, cron: '@daily', scenario: s, only_if: [{prometheus: ¶{url: p, query: up}}]}"), "schedules[0].only_if[0].prometheus", "url"},
		"day of the week":      {withSchedule("{name: n, cron: '@daily', scenario: s, windows: [{days: ¶[monday], from: '09:00', to: '10:00'}]}"), "schedules[0].windows[0].days", "monday"},
		"a day across two":     {withSchedule("{name: n, cron: '@daily', scenario: s, windows: [{days: ¶['n m'], from: '09:00', to: '10:00'}]}"), "schedules[0].windows[0].days", "n m"},
		"window of no length":  {withSchedule("{name: n, cron: '@daily', scenario: s, windows: [¶{from: '09:00', to: '09:00'}]}"), "schedules[0].windows[0]", "from and to are equal"},
		"time of day":          {withSchedule("{name: n, cron: '@daily', scenario: s, windows: [{from: ¶'25:00', to: '09:00'}]}"), "schedules[0].windows[0].from", "25:00"},
		"window without end":   {withSchedule("{name: n, cron: '@daily', scenario: s, windows: [¶{from: '09:00'}]}"), "schedules[0].windows[0]", `"to"`},
		"blackout of nothing":  {withSchedule("{name: n, cron: '@daily', scenario: s, blackout: [¶{why: w}]}"), "schedules[0].blackout[0]", "ical"},
		"blackout of both":     {withSchedule("{name: n, cron: '@daily', scenario: s, blackout: [¶{from: 2026-12-24, ical: x.ics}]}"), "schedules[0].blackout[0]", "ical"},
		"calendar with an end": {withSchedule("{name: n, cron: '@daily', scenario: s, blackout: [¶{to: 2026-12-24, ical: x.ics}]}"), "schedules[0].blackout[0]", "from"},
		"blackout backwards":   {withSchedule("{name: n, cron: '@daily', scenario: s, blackout: [¶{from: 2026-12-24, to: 2026-12-23}]}"), "schedules[0].blackout[0]", "before"},
		"blackout's day":       {withSchedule("{name: n, cron: '@daily', scenario: s, blackout: [{from: ¶Christmas}]}"), "schedules[0].blackout[0].from", "Christmas"},
		"lasts below 0":        {withSchedule("{name: n, cron: '@daily', scenario: s, lasts: ¶-1s}"), "schedules[0].lasts", "-1s"},
		"jitter below 0":       {withSchedule("{name: n, cron: '@daily', scenario: s, jitter: ¶-1s}"), "schedules[0].jitter", "-1s"},
		"start_within below 0": {withSchedule("{name: n, cron: '@daily', scenario: s, start_within: ¶-1s}"), "schedules[0].start_within", "-1s"},
		"approval below 0":     {withSchedule("{name: n, cron: '@daily', scenario: s, approval: {within: ¶-1s}}"), "schedules[0].approval.within", "-1s"},
		"a tracker":            {withSchedule("{name: n, cron: '@daily', scenario: s, notify: [{to: 'slack:'}, {to: ¶'gitlab-issues:a/b'}]}"), "schedules[0].notify[1].to", "move it to notify: of the environment"},
		"notify of what":       {withSchedule("{name: n, cron: '@daily', scenario: s, notify: [{to: 'slack:', on: ¶[begin]}]}"), "schedules[0].notify[0].on", "verdict"},
	})
}
