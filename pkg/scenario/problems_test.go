package scenario_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// here marks, in the text of a test, the place that a problem must have.
const here = "\u00b6"

// A problem is a text with the place of a problem marked, the key or value that must
// be named, and a word or two of what is said. It is the only one of the text.
type problem struct{ text, names, says string }

// loaders read the kinds of files that people write.
func loaders() map[string]func(text string) error {
	return map[string]func(string) error{
		"scenario": func(text string) error {
			_, err := scenario.Load("x.yaml", []byte(text), fault.Specs())
			return err
		},
		"journey": func(text string) error {
			_, err := scenario.LoadJourney("x.yaml", []byte(text), nil)
			return err
		},
		"environment": func(text string) error {
			_, err := scenario.LoadEnvironments("x.yaml", []byte(text), drivers())
			return err
		},
	}
}

// check loads the text, and expects one problem at the marked place.
func (p problem) check(t *testing.T, load func(string) error) {
	t.Helper()
	before, after, marked := strings.Cut(p.text, here)
	if !marked {
		t.Fatalf("no place is marked in %q", p.text)
	}
	line := strings.Count(before, "\n") + 1
	column := len([]rune(before[strings.LastIndex(before, "\n")+1:])) + 1
	place := fmt.Sprintf("x.yaml:%d:%d: ", line, column)
	err := load(before + after)
	if err == nil {
		t.Fatalf("it loads, expected a problem at %s about %s\n%s", place, p.names, p.text)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 1 || !strings.HasPrefix(lines[0], place) ||
		!strings.Contains(lines[0], p.names) || !strings.Contains(lines[0], p.says) {
		t.Errorf("found %q,\nexpected one problem at %s about %s that says %q", lines, place, p.names, p.says)
	}
}

// checkAll holds each of a table against its loader.
func checkAll(t *testing.T, kind string, table map[string]problem) {
	t.Helper()
	for name, p := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.check(t, loaders()[kind])
		})
	}
}

const (
	goodObjective = "objective: {rto: 30s}\n"
	goodLoad      = "load: [{journey: a, rate: 50/s, critical: true}]\n"
	goodFaults    = "faults: [{kill: {target: {service: db}}}]\n"
	header        = "version: 1\nname: x\n"
)

// withFault is a scenario that is right but for its one fault.
func withFault(text string) string {
	return header + goodObjective + goodLoad + "faults:\n  - " + text + "\n"
}

func TestProblemsOfScenarios(t *testing.T) {
	t.Parallel()
	checkAll(t, "scenario", map[string]problem{
		"a mode of undo":            {header + goodObjective + goodLoad + goodFaults + "undo: ¶nobody\n", "undo", "automatic or by-hand"},
		"a limit that is too short": {header + goodObjective + goodLoad + goodFaults + "undo: ¶{mode: by-hand, limit: 1s}\n", "undo", "the RTO and the hold"},
		"a limit without end":       {header + goodObjective + goodLoad + goodFaults + "undo: ¶{mode: by-hand, limit: 72h}\n", "undo", "to 2h0m0s"},
		"a limit of automatic":      {header + goodObjective + goodLoad + goodFaults + "undo: {mode: automatic, limit: ¶20m}\n", "undo.limit", "timing.watch"},
		"a watch by hand":           {header + goodObjective + goodLoad + goodFaults + "undo: by-hand\ntiming: {watch: ¶10m}\n", "timing.watch", "its limit"},
		"decided by hand":           {header + goodObjective + goodLoad + goodFaults + "undo: by-hand\ntiming: {until: ¶decided}\n", "timing.until", "recovered"},
		"no people":                 {header + goodObjective + goodLoad + goodFaults + "people: ¶{}\n", "people", "facilitator"},
		"a person without a name":   {header + goodObjective + goodLoad + goodFaults + "people: {on_call: ¶''}\n", "people.on_call", "name of a person"},
		"a person on two lines":     {header + goodObjective + goodLoad + goodFaults + "people: {observers: [Ann, ¶\"Bob\\nEve\"]}\n", "people.observers[1]", "one line"},
		"a runbook":                 {header + goodObjective + goodLoad + goodFaults + "runbook: ¶docs/db.md\n", "runbook", "https://"},
		"a runbook of a user":       {header + goodObjective + goodLoad + goodFaults + "runbook: ¶https://ann:pw@wiki.example/db\n", "runbook", "found a user"},
		"newer version":             {"version: ¶2\nname: x\nwhatever: 1", "found 2", "newer"},
		"older version":             {"version: ¶0\nname: x\n" + goodObjective + goodLoad + goodFaults, "version", "1"},
		"no version":                {"¶name: x\n" + goodObjective + goodLoad + goodFaults, "version", "missing required key"},
		"no name":                   {"¶version: 1\n" + goodObjective + goodLoad + goodFaults, "name", "missing required key"},
		"no objective":              {"¶" + header + goodLoad + goodFaults, "objective", "missing required key"},
		"no rto":                    {header + "objective: ¶{good: 99%}\n" + goodLoad + goodFaults, "rto", "missing required key"},
		"no load":                   {"¶" + header + goodObjective + goodFaults, "load", "missing required key"},
		"no faults":                 {"¶" + header + goodObjective + goodLoad, "faults", "missing required key"},
		"unknown key":               {header + "¶titel: y\n" + goodObjective + goodLoad + goodFaults, "titel", `"title"`},
		"name of odd characters":    {"version: 1\nname: ¶X y\n" + goodObjective + goodLoad + goodFaults, "X y", "hyphens"},
		"name unlike the file's":    {"version: 1\nname: ¶y\n" + goodObjective + goodLoad + goodFaults, `"y"`, `"x"`},
		"rto 0":                     {header + "objective: {rto: ¶0}\n" + goodLoad + goodFaults, "objective.rto", "0"},
		"rto below 0":               {header + "objective: {rto: ¶-5s}\n" + goodLoad + goodFaults, "objective.rto", "-5s"},
		"rto without a unit":        {header + "objective: {rto: ¶30}\n" + goodLoad + goodFaults, "objective.rto", "unit"},
		"within below 0":            {header + "objective: {rto: 30s, within: ¶-1s}\n" + goodLoad + goodFaults, "objective.within", "-1s"},
		"window below 0":            {header + "objective: {rto: 30s, window: ¶-1s}\n" + goodLoad + goodFaults, "objective.window", "-1s"},
		"hold below 0":              {header + "objective: {rto: 30s, hold: ¶-1s}\n" + goodLoad + goodFaults, "objective.hold", "-1s"},
		"rpo below 0":               {header + "objective: {rto: 30s, rpo: ¶-1s}\n" + goodLoad + goodFaults, "objective.rpo", "-1s"},
		"good above 100%":           {header + "objective: {rto: 30s, good: ¶101%}\n" + goodLoad + goodFaults, "objective.good", "101%"},
		"repair below 0":            {header + goodObjective + goodLoad + goodFaults + "timing: {repair: ¶-1s}", "timing.repair", "-1s"},
		"watch below the RTO":       {header + goodObjective + goodLoad + goodFaults + "timing: {watch: ¶29s}", "timing.watch", "30s"},
		"until something else":      {header + goodObjective + goodLoad + goodFaults + "timing: {until: ¶decide}", "timing.until", `"decided"`},
		"no fault in the list":      {header + goodObjective + goodLoad + "faults: ¶[]", "faults", "none"},
		"nothing is critical":       {header + goodObjective + "load: ¶[{journey: a, rate: 50/s}]\n" + goodFaults, "load", "critical"},
		"a journey twice":           {header + goodObjective + "load: [{journey: a, rate: 50/s, critical: true}, ¶{journey: a, rate: 50/s}]\n" + goodFaults, "load[1]", "journey a"},
		"too few users":             {header + goodObjective + "load: [{journey: a, rate: ¶30/m, critical: true}]\n" + goodFaults, "load[0].rate", "5 users"},
		"no rate":                   {header + goodObjective + "load: [{journey: a, rate: ¶0/s, critical: true}]\n" + goodFaults, "load[0].rate", "0/s"},
		"from somewhere else":       {header + goodObjective + "load: [{journey: a, rate: 50/s, critical: true, from: ¶insid}]\n" + goodFaults, "load[0].from", `"inside"`},
		"empty stop condition":      {header + goodObjective + goodLoad + goodFaults + "abort_when: [¶{for: 3s}]", "abort_when[0]", "good_below"},
		"no failed users":           {header + goodObjective + goodLoad + goodFaults + "abort_when: [{good_below: 50%, failed: ¶0}]", "abort_when[0].failed", "at least 1"},
		"stop condition, no URL":    {header + goodObjective + goodLoad + goodFaults + "abort_when: [{http_fails: ¶{get: status}}]", "abort_when[0].http_fails", "URL"},
		"an alert nowhere":          {header + goodObjective + goodLoad + goodFaults + "expect_alerts: [¶{name: Down, within: 9s}]", "expect_alerts[0]", "one of alertmanager, prometheus, grafana and http, found 0"},
		"an alert at two places":    {header + goodObjective + goodLoad + goodFaults + "expect_alerts: [¶{name: Down, within: 9s, alertmanager: 'http://a', prometheus: 'http://p'}]", "expect_alerts[0]", "found 2"},
		"an alert, no URL":          {header + goodObjective + goodLoad + goodFaults + "expect_alerts: [{name: Down, within: 9s, alertmanager: ¶am}]", "expect_alerts[0]", "alertmanager: expected a URL"},
		"an alert, no name":         {header + goodObjective + goodLoad + goodFaults + "expect_alerts: [¶{within: 9s, alertmanager: 'http://a'}]", "expect_alerts[0]", "name"},
		"an alert, no limit":        {header + goodObjective + goodLoad + goodFaults + "expect_alerts: [¶{name: Down, alertmanager: 'http://a'}]", "expect_alerts[0]", "within"},
		"an alert at once":          {header + goodObjective + goodLoad + goodFaults + "expect_alerts: [{name: Down, within: ¶0s, alertmanager: 'http://a'}]", "expect_alerts[0].within", "above 0"},
		"an alert after the watch":  {header + goodObjective + goodLoad + goodFaults + "timing: {watch: 60s}\nexpect_alerts: [{name: Down, within: ¶61s, alertmanager: 'http://a'}]", "expect_alerts[0].within", "at most the watch of 1m0s"},
		"an alert about nothing":    {header + goodObjective + goodLoad + goodFaults + "expect_alerts: [{name: Down, within: 9s, alertmanager: 'http://a', about: ¶{}}]", "expect_alerts[0].about", "found nothing"},
		"an alert about a role":     {header + goodObjective + goodLoad + goodFaults + "expect_alerts: [{name: Down, within: 9s, alertmanager: 'http://a', about: ¶{role: primary}}]", "expect_alerts[0].about", "service, name, label or zone"},
		"a clearing at once":        {header + goodObjective + goodLoad + goodFaults + "expect_alerts: [{name: Down, within: 9s, clears_within: ¶0s, alertmanager: 'http://a'}]", "expect_alerts[0].clears_within", "above 0"},
		"a condition of nothing":    {header + goodObjective + goodLoad + goodFaults + "must: [¶{equals: 1}]", "must[0]", "one of prometheus, http, command and sql, found 0"},
		"a condition of two":        {header + goodObjective + goodLoad + goodFaults + "must: [¶{prometheus: up, command: [\"true\"]}]", "must[0]", "found 2"},
		"a condition, no URL":       {header + goodObjective + goodLoad + goodFaults + "must: [{http: ¶{get: x}}]", "must[0].http", "URL"},
		"a condition, no query":     {header + goodObjective + goodLoad + goodFaults + "must: [{prometheus: ¶{url: 'http://p', query: ''}}]", "must[0].prometheus", "query"},
		"a condition at no time":    {header + goodObjective + goodLoad + goodFaults + "must: [{prometheus: up, during: ¶night}]", "must[0].during", "baseline"},
		"no regular expression":     {header + goodObjective + goodLoad + goodFaults + "must: [{prometheus: up, matches: ¶'['}]", "must[0].matches", "missing closing"},
		"nothing is between":        {header + goodObjective + goodLoad + goodFaults + "must: [{prometheus: up, above: ¶3, below: 2}]", "must[0].above", "less than below"},
		"again, in the baseline":    {header + goodObjective + goodLoad + goodFaults + "must: [{prometheus: up, during: baseline, again_within: ¶9s}]", "must[0].again_within", "remove it"},
		"a statement alone":         {header + goodObjective + goodLoad + goodFaults + "must: [¶{sql: {url: 'postgres://u@h/d', statement: SELECT 1}}]", "must[0]", "expected equals, above, below or matches"},
		"a statement, no database":  {header + goodObjective + goodLoad + goodFaults + "must: [{equals: 1, sql: {url: ¶'postgres://u@h', statement: SELECT 1}}]", "must[0].sql.url", "no database"},
		"alerts, another word":      {header + goodObjective + goodLoad + goodFaults + "alerts: ¶wanted", "alerts", "required"},
		"stop condition, no query":  {header + goodObjective + goodLoad + goodFaults + "abort_when: [{prometheus: ¶{url: 'http://p:9090', query: ''}}]", "abort_when[0].prometheus", "query"},
	})
}

func TestProblemsOfFaults(t *testing.T) {
	t.Parallel()
	checkAll(t, "scenario", map[string]problem{
		"two kinds":             {withFault("¶{kill: {target: {service: db}}, stop: {target: {service: db}}}"), "faults[0]", "2 kinds"},
		"no kind":               {withFault("¶{}"), "faults[0]", "0 kinds"},
		"a text":                {withFault("¶kill"), "faults[0]", "mapping"},
		"unknown kind":          {withFault("¶kil: {target: {service: db}}"), `"kil"`, `"kill"`},
		"a kind far from all":   {withFault("¶quarantine: {target: {service: db}}"), `"quarantine"`, "isolate"},
		"no target":             {withFault("kill: ¶{at: 0}"), "faults[0].kill", "target"},
		"settings of no shape":  {withFault("kill: ¶3"), "faults[0].kill", "mapping"},
		"unknown setting":       {withFault("kill: {target: {service: db}, ¶hard: true}"), `"hard"`, "unknown"},
		"unknown selector":      {withFault("kill: {target: {¶rol: x}}"), `"rol"`, `"role"`},
		"percent above 100":     {withFault("kill: {target: {service: db, percent: ¶101}}"), "percent", "at most 100"},
		"percent 0":             {withFault("kill: {target: {service: db, percent: ¶0}}"), "percent", "at least 1"},
		"any 0":                 {withFault("kill: {target: {service: db, any: ¶0}}"), "any", "at least 1"},
		"at below 0":            {withFault("¶kill: {target: {service: db}, at: -1s}"), "faults[0]", "at: found -1s"},
		"for below 0":           {withFault("¶kill: {target: {service: db}, for: -1s}"), "faults[0]", "for: found -1s"},
		"at without a unit":     {withFault("kill: {target: {service: db}, at: ¶5}"), "faults[0].kill.at", "unit"},
		"for of no shape":       {withFault("kill: {target: {service: db}, for: ¶[1s]}"), "faults[0].kill.for", "a list"},
		"longer than the watch": {withFault("¶kill: {target: {service: db}, for: 41s}"), "faults[0]", "40s"},
		"none begins at 0":      {header + goodObjective + goodLoad + "faults: ¶[{kill: {target: {service: db}, at: 5s}}]", "faults", "5s"},
		"the kind's own check":  {withFault("delay: ¶{target: {service: db}, by: 2h}"), "faults[0].delay", "by: found 2h"},
		"a kind's required key": {withFault("delay: ¶{target: {service: db}}"), "faults[0].delay", `"by"`},
		"a kind's enum":         {withFault("file: {target: {service: db}, path: /x, do: ¶delete}"), "faults[0].file.do", "remove"},
		"a kind's minimum":      {withFault("pids: {target: {service: db}, max: ¶0}"), "faults[0].pids.max", "at least 1"},
		"a kind's quantity":     {withFault("memory: {target: {service: db}, limit: ¶much}"), "faults[0].memory.limit", "64MiB"},
		"a kind's peer":         {withFault("partition: {target: {service: db}, from: {¶servic: app}}"), `"servic"`, `"service"`},
	})
}

func TestProblemsOfJourneys(t *testing.T) {
	t.Parallel()
	steps := func(text string) string { return header + "steps:\n  - " + text + "\n" }
	checkAll(t, "journey", map[string]problem{
		"newer version":           {"version: ¶3\nname: x", "found 3", "newer"},
		"no version":              {"¶name: x\nsteps: [{get: /}]", "version", "missing required key"},
		"no steps":                {"¶" + header, "steps", "missing required key"},
		"an empty list of steps":  {header + "steps: ¶[]", "steps", "none"},
		"name unlike the file's":  {"version: 1\nname: ¶y\nsteps: [{get: /}]", `"y"`, `"x"`},
		"timeout below 0":         {header + "timeout: ¶-1s\nsteps: [{get: /}]", "timeout", "-1s"},
		"connections":             {header + "connections: ¶new\nsteps: [{get: /}]", "connections", "reuse"},
		"no request":              {steps("¶name: a"), "steps[0]", "0 requests"},
		"two requests":            {steps("¶{get: /a, post: /b}"), "steps[0]", "2 requests"},
		"a method that is none":   {steps("{get: /a, ¶pst: /b}"), `"pst"`, `"post"`},
		"path of another host":    {steps("¶get: http://x/"), "steps[0]", "http://x/"},
		"path with a line break":  {steps(`get: ¶"/a\r\nB: c"`), "steps[0].get", "line breaks"},
		"path with an escape":     {steps("get: ¶/a%zz"), "steps[0].get", "%25"},
		"path with a fragment":    {steps("get: ¶'/{{.seq}}#b'"), "steps[0].get", "%23"},
		"header, line break":      {steps(`{get: /, headers: {A: ¶"x\r\nB: c"}}`), "steps[0].headers.A", "line break"},
		"header, no name":         {steps(`{get: /, headers: {"a b": ¶x}}`), "steps[0].headers", "a b"},
		"header of the body":      {steps("{post: /, headers: {content-length: ¶'5'}}"), "steps[0].headers.content-length", "remove it"},
		"header twice":            {steps("{get: /, headers: {X-A: a, x-a: ¶b}}"), "steps[0].headers", "X-A and x-a"},
		"confirm with a fragment": {steps("{post: /, acknowledges: $.id}\nconfirm: {get: ¶'/{{.id}}#'}"), "confirm.get", "%23"},
		"json and body":           {steps("{post: /, json: ¶{a: 1}, body: b}"), "steps[0]", "both body and json"},
		"JSONPath of capture":     {steps("{get: /, capture: {t: ¶token}}"), "steps[0].capture.t", "token"},
		"JSONPath of expect":      {steps("{get: /, expect: {json: {'$[': ¶exists}}}"), "steps[0].expect.json", "$["},
		"JSONPath of acknowledge": {steps("{post: /, acknowledges: ¶id}\nconfirm: {get: /}"), "steps[0].acknowledges", "id"},
		"status below 100":        {steps("{get: /, expect: {status: ¶20}}"), "steps[0].expect.status", "expected a status code"},
		"status above 599":        {steps("{get: /, expect: {status: ¶600}}"), "steps[0].expect.status", "expected a status code"},
		"template of a path":      {steps("get: ¶/{{.token}}"), "steps[0].get", "token"},
		"template of a header":    {steps("{get: /, headers: {A: ¶'{{.token}}'}}"), "steps[0].headers.A", "token"},
		"template of a body":      {steps("{post: /, body: ¶'{{.token'}"), "steps[0].body", "template"},
		"template in JSON":        {steps("{post: /, json: ¶{a: [b, '{{.token}}']}}"), "steps[0].json.a[1]", "token"},
		"captured too late":       {steps("get: ¶/{{.token}}\n  - {get: /b, capture: {token: $.t}}"), "steps[0].get", "token"},
		"two steps of one name":   {steps("{name: a, get: /}\n  - ¶{name: a, get: /b}"), "steps[1]", `"a"`},
		"a step as an attempt":    {steps("¶{name: pay (attempt 1), get: /}"), "steps[0]", `found the step name "pay (attempt 1)"`},
		"a path as an attempt":    {steps("get: /\n  - ¶get: /pay (attempt 12)"), "steps[1]", "set a different name"},
		"two steps of one path":   {steps("get: /\n  - ¶get: /"), "steps[1]", `"/"`},
		"confirms nothing":        {steps("get: /\nconfirm: ¶{get: '/{{.id}}'}"), "confirm", "acknowledges"},
		"confirm without request": {steps("{post: /, acknowledges: $.id}\nconfirm: ¶{}"), "confirm", "0 requests"},
		"confirm knows what is":   {steps("{post: /, acknowledges: $.id}\nconfirm: {get: ¶'/{{.token}}'}"), "confirm.get", "token"},
	})
}

// A baseline below 0 is told, whatever else follows from it.
func TestABaselineBelowZero(t *testing.T) {
	t.Parallel()
	err := loaders()["scenario"](header + goodObjective + goodLoad + goodFaults + "timing: {baseline: -1s}")
	if err == nil || !strings.Contains(err.Error(), "x.yaml:6:20: timing.baseline: found -1s") {
		t.Error(err)
	}
}

// All problems of a file are told at once, in the order of its lines.
func TestAllProblemsAreTold(t *testing.T) {
	t.Parallel()
	err := loaders()["scenario"]("version: 1\nname: y\ntitel: a\nobjective: {rto: 30}\nload: [{journey: a, rate: 50/s}]\nfaults:\n  - kil: {}\n  - delay: {target: {service: db}}\ntiming: {watch: -1s}\n")
	if err == nil {
		t.Fatal("it loads")
	}
	lines := strings.Split(err.Error(), "\n")
	want := []string{`2:7: name`, `3:1: unknown key "titel"`, "4:18: objective.rto", "5:7: load", `7:5: unknown kind of fault "kil"`, "8:12: faults[1].delay: missing required key", "9:17: timing.watch"}
	if len(lines) != len(want) {
		t.Fatalf("found %q, expected %d problems", lines, len(want))
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, "x.yaml:"+want[i]) {
			t.Errorf("found %q, expected %q", line, want[i])
		}
	}
}
