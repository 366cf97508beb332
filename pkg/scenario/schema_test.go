package scenario_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/fault"
)

// blocks are the YAML examples of a Markdown file.
func blocks(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, found := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(data), -1) {
		all = append(all, found[1])
	}
	return all
}

// whole is an example as a file that can be loaded: what kind of file it is, and
// the parts that the example leaves out.
func whole(example string) (kind, text string) {
	switch {
	case strings.Contains(example, "schedules:") && !strings.Contains(example, "environments:"):
		return "environment", "version: 1\nenvironments: {}\n" + example
	case strings.Contains(example, "environments:"):
		return "environment", example
	case strings.HasPrefix(example, "faults:"):
		return "scenario", "version: 1\nname: x\n" + goodObjective + goodLoad + example
	case strings.Contains(example, "steps:"):
		return "journey", example
	}
	return "scenario", example
}

// Every example of the documentation loads, and its schema takes it.
func TestExamplesOfTheDocumentation(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`(?m)^name: \S+`)
	kinds := map[string]int{}
	for _, file := range append(files, "../../README.md") {
		for _, example := range blocks(t, file) {
			kind, text := whole(example)
			kinds[kind]++
			if kind != "environment" {
				text = name.ReplaceAllString(text, "name: x")
			}
			if err := loaders()[kind](text); err != nil {
				t.Errorf("%s: %v\n%s", file, err, example)
			}
			if err := compile(t, kind, fault.Specs()).Validate(value(t, []byte(text))); err != nil {
				t.Errorf("%s: the schema of a %s refuses it: %v\n%s", file, kind, err, example)
			}
		}
	}
	if kinds["scenario"] < len(fault.Specs()) || kinds["journey"] == 0 || kinds["environment"] < 2 {
		t.Errorf("found %v, expected examples of all kinds of files", kinds)
	}
}

// What the loader refuses for its shape alone, the schema refuses too.
func TestSchemasRefuseWhatIsOfNoShape(t *testing.T) {
	t.Parallel()
	for kind, texts := range map[string]map[string]string{
		"scenario": {
			"a list":              "- a",
			"unknown key":         header + "titel: y\n" + goodObjective + goodLoad + goodFaults,
			"no version":          "name: x\n" + goodObjective + goodLoad + goodFaults,
			"newer version":       "version: 2\nname: x\n" + goodObjective + goodLoad + goodFaults,
			"no objective":        header + goodLoad + goodFaults,
			"no load":             header + goodObjective + goodFaults,
			"no faults":           header + goodObjective + goodLoad,
			"objective of a list": header + "objective: []\n" + goodLoad + goodFaults,
			"rto without a unit":  header + "objective: {rto: 30}\n" + goodLoad + goodFaults,
			"rto in days":         header + "objective: {rto: 1d}\n" + goodLoad + goodFaults,
			"good above 1":        header + "objective: {rto: 30s, good: 1.5}\n" + goodLoad + goodFaults,
			"good of a text":      header + "objective: {rto: 30s, good: most}\n" + goodLoad + goodFaults,
			"load of a mapping":   header + goodObjective + "load: {journey: a}\n" + goodFaults,
			"load without a rate": header + goodObjective + "load: [{journey: a, critical: true}]\n" + goodFaults,
			"rate of 0":           header + goodObjective + "load: [{journey: a, rate: 0/s, critical: true}]\n" + goodFaults,
			"rate of a number":    header + goodObjective + "load: [{journey: a, rate: 50, critical: true}]\n" + goodFaults,
			"critical of a text":  header + goodObjective + "load: [{journey: a, rate: 50/s, critical: 'true'}]\n" + goodFaults,
			"from elsewhere":      header + goodObjective + "load: [{journey: a, rate: 50/s, critical: true, from: there}]\n" + goodFaults,
			"seed of a text":      header + goodObjective + goodLoad + goodFaults + "seed: x",
			"failed of 0":         header + goodObjective + goodLoad + goodFaults + "abort_when: [{failed: 0}]",
			"query without a URL": header + goodObjective + goodLoad + goodFaults + "abort_when: [{prometheus: {query: up}}]",
			"two kinds":           withFault("{kill: {target: {service: db}}, stop: {target: {service: db}}}"),
			"no kind":             withFault("{}"),
			"unknown kind":        withFault("kil: {target: {service: db}}"),
			"no target":           withFault("kill: {at: 0}"),
			"unknown selector":    withFault("kill: {target: {rol: x}}"),
			"unknown setting":     withFault("kill: {target: {service: db}, hard: true}"),
			"percent of 101":      withFault("kill: {target: {service: db, percent: 101}}"),
			"at without a unit":   withFault("kill: {target: {service: db}, at: 5}"),
			"kind's required key": withFault("delay: {target: {service: db}}"),
			"kind's enum":         withFault("file: {target: {service: db}, path: /x, do: delete}"),
			"kind's minimum":      withFault("pids: {target: {service: db}, max: 0}"),
			"kind's size":         withFault("memory: {target: {service: db}, limit: much}"),
			"kind's bandwidth":    withFault("bandwidth: {target: {service: db}, rate: 10}"),
		},
		"journey": {
			"unknown key":        header + "stps: []\nsteps: [{get: /}]",
			"no steps":           header,
			"steps of a mapping": header + "steps: {get: /}",
			"unknown method":     header + "steps: [{gte: /}]",
			"connections":        header + "connections: new\nsteps: [{get: /}]",
			"status of 20":       header + "steps: [{get: /, expect: {status: 20}}]",
			"status of 600":      header + "steps: [{get: /, expect: {status: 600}}]",
			"headers of a list":  header + "steps: [{get: /, headers: [a]}]",
			"timeout":            header + "timeout: 2\nsteps: [{get: /}]",
		},
		"environment": {
			"no environments":   "version: 1",
			"no engine":         "version: 1\nenvironments: {a: {entry: 'http://x'}}",
			"no entry":          "version: 1\nenvironments: {a: {docker: {project: p}}}",
			"unknown key":       withEnvironment("protcet: []"),
			"labels of a map":   "version: 1\nenvironments: {a: {docker: {labels: {k: v}}, entry: 'http://x'}}",
			"max_targets of 0":  withEnvironment("max_targets: 0"),
			"role's port":       withEnvironment("roles: {r: {http: {port: 65536, path: /}}}"),
			"role's statement":  withEnvironment("roles: {r: {sql: {url: 'postgres://u@/d'}}}"),
			"role's command":    withEnvironment("roles: {r: {redis: {port: 6379}}}"),
			"role's method":     withEnvironment("roles: {r: {grpc: {port: 1}}}"),
			"role's path":       withEnvironment("roles: {r: {http: {port: 1}}}"),
			"inside's network":  withEnvironment("inside: {entry: 'http://x'}"),
			"notify nobody":     withEnvironment("notify: [{on: [start]}]"),
			"schedule's name":   withSchedule("{cron: '@daily', scenario: s}"),
			"schedule's cron":   withSchedule("{name: n, scenario: s}"),
			"schedule's key":    withSchedule("{name: n, cron: '@daily', scenaro: s}"),
			"window's end":      withSchedule("{name: n, cron: '@daily', scenario: s, windows: [{from: '09:00'}]}"),
			"window's key":      withSchedule("{name: n, cron: '@daily', scenario: s, windows: [{from: '09:00', to: '10:00', day: mon}]}"),
			"time of day":       withSchedule("{name: n, cron: '@daily', scenario: s, windows: [{from: 9, to: '10:00'}]}"),
			"blackout's day":    withSchedule("{name: n, cron: '@daily', scenario: s, blackout: [{from: 24}]}"),
			"condition's key":   withSchedule("{name: n, cron: '@daily', scenario: s, only_if: [{htp: {get: 'http://x'}}]}"),
			"condition's URL":   withSchedule("{name: n, cron: '@daily', scenario: s, only_if: [{http: {}}]}"),
			"approval's within": withSchedule("{name: n, cron: '@daily', scenario: s, approval: {within: 30}}"),
			"sweep of a list":   withSchedule("{name: n, cron: '@daily', environment: a, sweep: []}"),
		},
	} {
		schema := compile(t, kind, fault.Specs())
		for name, text := range texts {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				if err := loaders()[kind](text); err == nil {
					t.Errorf("the loader takes it:\n%s", text)
				}
				if err := schema.Validate(value(t, []byte(text))); err == nil {
					t.Errorf("the schema takes it:\n%s", text)
				}
			})
		}
	}
}
