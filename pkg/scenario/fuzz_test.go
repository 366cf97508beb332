package scenario_test

import (
	"bytes"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/scenarios"
)

// seeds adds files as they are bundled.
func seeds(f *testing.F, files fs.FS, glob string) {
	f.Helper()
	paths, err := fs.Glob(files, glob)
	if err != nil || len(paths) == 0 {
		f.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		data, err := fs.ReadFile(files, path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

var place = regexp.MustCompile(`^fuzz\.yaml:[1-9][0-9]*:[1-9][0-9]*: \S`)

// placed expects every line of an error to begin with its place.
func placed(t *testing.T, err error) {
	t.Helper()
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !place.MatchString(line) && !strings.HasPrefix(line, "and ") {
			t.Errorf("a problem without a place: %q of\n%v", line, err)
		}
	}
}

// readAgain expects a value that was loaded to be the same when it is written and
// loaded again.
func readAgain[T any](t *testing.T, was T, load func(data []byte) (T, error)) {
	t.Helper()
	data, err := yaml.Marshal(was)
	if err != nil {
		t.Fatalf("%+v: %v", was, err)
	}
	now, err := load(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if again, err := yaml.Marshal(now); err != nil || !bytes.Equal(data, again) {
		t.Errorf("%v\n%s", err, cmp.Diff(string(data), string(again)))
	}
}

// Whatever is in a file, loading it ends with a value, which is the same when it is
// written and read, or with errors that say where.
func FuzzLoad(f *testing.F) {
	seeds(f, scenarios.Files, "*.yaml")
	f.Add([]byte("version: 1\nname: x\nfaults:\n  - kill: {target: [1]}\n  - {}\n  - 3\ntiming: {watch: -1s}"))
	kinds := library().Kinds
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := scenario.Load("fuzz.yaml", data, kinds)
		if err != nil {
			placed(t, err)
			return
		}
		readAgain(t, s, func(data []byte) (scenario.Scenario, error) { return scenario.Load("fuzz.yaml", data, kinds) })
	})
}

func FuzzLoadJourney(f *testing.F) {
	seeds(f, labs.Files, "*/journeys/*.yaml")
	f.Add([]byte("version: 1\nname: fuzz\nsteps: [{get: '/{{.x}}', expect: {json: {'$[': exists}}}]\nconfirm: {get: /x}"))
	f.Add([]byte("version: 1\nname: fuzz\nsteps: [{post: /x, json: {a: &a {b: 1}, c: *a, d: &d [*d]}}]"))
	f.Add([]byte("version: 1\nname: fuzz\nsteps: [{get: /x, headers: {\"a\\nb\": }}]")) // a place of two lines
	f.Fuzz(func(t *testing.T, data []byte) {
		j, err := scenario.LoadJourney("fuzz.yaml", data, nil)
		if err != nil {
			placed(t, err)
			return
		}
		readAgain(t, j, func(data []byte) (probe.Journey, error) { return scenario.LoadJourney("fuzz.yaml", data, nil) })
	})
}

func FuzzLoadEnvironments(f *testing.F) {
	seeds(f, labs.Files, "*/gameday.yaml")
	f.Add([]byte(withSchedule("{name: n, cron: '0 10 * * 2', sweep: {rate: 5/s}, environment: a, windows: [{days: [mon], from: '09:00', to: '10:00'}], blackout: [{from: 2026-12-24}], only_if: [{steady: 5s}]}")))
	for _, cron := range []string{"TZ=UTC", "CRON_TZ=", "@every -5m", ", * * * *", "@every 1m"} {
		f.Add([]byte(withSchedule("{name: n, cron: '" + cron + "', scenario: s}")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := scenario.LoadEnvironments("fuzz.yaml", data, drivers())
		if err != nil {
			placed(t, err)
			return
		}
		readAgain(t, e, func(data []byte) (scenario.Environments, error) {
			return scenario.LoadEnvironments("fuzz.yaml", data, drivers())
		})
	})
}
