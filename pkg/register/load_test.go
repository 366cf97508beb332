package register_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/register"
)

// one is a register of one decision, which is right but for what is added.
func one(more string) string {
	return "version: 1\nspofs:\n  - component: db\n    environment: staging\n    decision: accept\n    " + more + "\n"
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string // what each line begins with
	}{
		"empty":             {"", []string{"r.yaml:1:1: "}},
		"no version":        {"spofs: []", []string{`r.yaml:1:1: the file: missing required key "version"`}},
		"older version":     {"version: 0\nspofs: []", []string{"r.yaml:1:10: version:"}},
		"newer version":     {"version: 2\nspfs: []", []string{"r.yaml:1:10: version: found 2"}},
		"no list":           {"version: 1", []string{`r.yaml:1:1: the file: missing required key "spofs"`}},
		"of another shape":  {"version: 1\nspofs: {a: b}", []string{"r.yaml:2:8: spofs:"}},
		"nothing":           {"version: 1\nspofs: [{}]", []string{"r.yaml:2:9: spofs[0]: missing required key", "r.yaml:2:9: spofs[0]: missing required key", "r.yaml:2:9: spofs[0]: missing required key"}},
		"twice nothing":     {"version: 1\nspofs: [{environment: a, decision: fix}, {environment: a, decision: fix}]", []string{`r.yaml:2:9: spofs[0]: missing required key "component"`, `r.yaml:2:42: spofs[1]: missing required key "component"`}},
		"unknown key":       {one("ower: Ada"), []string{`r.yaml:6:5: unknown key "ower": did you mean "owner"`}},
		"decision":          {strings.Replace(one(""), "accept", "acept", 1), []string{`r.yaml:5:15: spofs[0].decision: found "acept", did you mean "accept"`}},
		"rto below 0":       {one("rto: -1h"), []string{"r.yaml:6:10: spofs[0].rto: found -1h"}},
		"rto without unit":  {one("rto: 4"), []string{"r.yaml:6:10: spofs[0].rto:"}},
		"review":            {one("review: soon"), []string{`r.yaml:6:13: spofs[0].review: found "soon"`}},
		"no day of a month": {one("review: 2027-02-30"), []string{`r.yaml:6:13: spofs[0].review: found "2027-02-30"`}},
		"cost in part":      {one("cost: {hour_down: 1}"), []string{`r.yaml:6:11: spofs[0].cost: missing required key "failures_a_year"`, `r.yaml:6:11: spofs[0].cost: missing required key "redundancy_a_month"`}},
		"cost below 0":      {one("cost: {hour_down: 1, failures_a_year: -1, redundancy_a_month: 1}"), []string{"r.yaml:6:11: spofs[0].cost:"}},
		"redundancy below":  {one("cost: {hour_down: 1, failures_a_year: 1, redundancy_a_month: -1}"), []string{"r.yaml:6:11: spofs[0].cost:"}},
		"a second time":     {one("owner: Ada\n  - {component: db, environment: staging, decision: fix}"), []string{"r.yaml:7:5: spofs[1]: duplicate decision on db in staging"}},
		"elsewhere is none": {one("owner: Ada\n  - {component: db, environment: other, decision: fix}"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := register.Load("r.yaml", []byte(c.text))
			var lines []string
			if err != nil {
				lines = strings.Split(err.Error(), "\n")
			}
			if len(lines) != len(c.want) {
				t.Fatalf("found %q, expected %q", lines, c.want)
			}
			for i, want := range c.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("found %q, expected %q", lines[i], want)
				}
			}
		})
	}
}

func TestWhatADecisionLacks(t *testing.T) {
	t.Parallel()
	full := load(t).SPOFs[0]
	for name, c := range map[string]struct {
		change func(*register.Decision)
		now    time.Time
		want   []string // a word of each
	}{
		"nothing":  {func(*register.Decision) {}, now, nil},
		"owner":    {func(d *register.Decision) { d.Owner = "" }, now, []string{"owner"}},
		"rto":      {func(d *register.Decision) { d.RTO = 0 }, now, []string{"rto"}},
		"plan":     {func(d *register.Decision) { d.Plan = "" }, now, []string{"plan"}},
		"review":   {func(d *register.Decision) { d.Review = register.Date{} }, now, []string{"review"}},
		"its day":  {func(*register.Decision) {}, time.Date(2027, 3, 1, 23, 59, 59, 0, time.UTC), nil},
		"the next": {func(*register.Decision) {}, time.Date(2027, 3, 2, 0, 0, 0, 0, time.UTC), []string{"2027-03-01"}},
		"all":      {func(d *register.Decision) { *d = register.Decision{} }, now, []string{"owner", "rto", "plan", "review"}},
	} {
		d := full
		c.change(&d)
		got := d.Lacks(c.now)
		if len(got) != len(c.want) {
			t.Errorf("%s: it lacks %q, expected %q", name, got, c.want)
			continue
		}
		for i, word := range c.want {
			if !strings.Contains(got[i], word) {
				t.Errorf("%s: it lacks %q, expected %q", name, got[i], word)
			}
		}
	}
	if d, ok := load(t).Find("staging", "app"); ok || d.Component != "" {
		t.Errorf("found %+v", d)
	}
	if _, ok := load(t).Find("other", "db"); ok {
		t.Error("found in another environment")
	}
}

// An acceptance is exact to its bounds: an outage as long as was accepted is, and one
// that was longer is not.
func TestAcceptanceIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rto := time.Duration(rapid.Int64Range(1, int64(100*time.Hour)).Draw(t, "rto"))
		lasted := time.Duration(rapid.Int64Range(0, int64(200*time.Hour)).Draw(t, "lasted"))
		day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 1000).Draw(t, "day"))
		at := day.Add(time.Duration(rapid.Int64Range(-int64(72*time.Hour), int64(72*time.Hour)).Draw(t, "at")))
		d := register.Decision{Decision: register.Accept, Owner: "Ada", RTO: rto, Review: register.Date{Time: day}}
		ok, why := d.Accepts(lasted, at)
		if want := lasted <= rto && at.Before(day.AddDate(0, 0, 1)); ok != want || (why == "") != ok {
			t.Errorf("accepts %v of %v at %v until %s: %v, %q", lasted, rto, at, d.Review, ok, why)
		}
	})
}

// FuzzLoad: whatever is in a file, every problem of it has a place; and what loads is
// the same when it is written and loaded again.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{text, one("rto: -1h"), one("cost: {}"), "version: 2", "version: 1\nspofs: [1, {}]", "- a", ""} {
		f.Add([]byte(seed))
	}
	place := regexp.MustCompile(`^spofs\.yaml:[1-9][0-9]*:[1-9][0-9]*: \S`)
	f.Fuzz(func(t *testing.T, data []byte) {
		was, err := register.Load("spofs.yaml", data)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !place.MatchString(line) {
					t.Errorf("a problem without a place: %q of\n%v", line, err)
				}
			}
			return
		}
		written, err := yaml.Marshal(was)
		if err != nil {
			t.Fatal(err)
		}
		now, err := register.Load("spofs.yaml", written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		for i := range now.SPOFs {
			if place := was.SPOFs[i].Where; !strings.HasPrefix(place, "spofs.yaml:") {
				t.Errorf("its place is %q", place)
			}
			was.SPOFs[i].Where, now.SPOFs[i].Where = "", ""
		}
		if diff := cmp.Diff(was, now); diff != "" {
			t.Errorf("%s\n%s", diff, written)
		}
	})
}
