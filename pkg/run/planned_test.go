package run_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/internal/toyenv"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// gameDay is a random scenario in a random environment.
type gameDay struct {
	file       string // the scenario, as a person writes it
	later      bool   // it has faults that begin later
	components []target.Component
	options    target.Options
	limit      int
}

func drawGameDay(r *rapid.T) (d gameDay) {
	services, zones, states := []string{"app", "db", "lb"}, []string{"", "a", "b"}, slices.Concat(slices.Repeat([]target.State{target.Running}, 12), []target.State{target.Stopped, target.Stopped, target.Paused})
	for i := range rapid.IntRange(3, 8).Draw(r, "components") {
		service := rapid.SampledFrom(services).Draw(r, "service")
		d.components = append(d.components, target.Component{
			Name: fmt.Sprintf("%s-%d", service, i), Service: service, Zone: rapid.SampledFrom(zones).Draw(r, "zone"), Healthy: true,
			Labels:    map[string]string{"tier": rapid.SampledFrom([]string{"web", "data"}).Draw(r, "tier")},
			State:     rapid.SampledFrom(states).Draw(r, "state"),
			Protected: rapid.IntRange(0, 24).Draw(r, "protected") == 1,
		})
	}
	d.options.Roles = map[string]target.Role{"primary": {Among: target.Selector{Service: "db"}}}
	if rapid.IntRange(0, 9).Draw(r, "protect") == 1 {
		d.options.Protect = []target.Selector{{Service: rapid.SampledFrom(services).Draw(r, "protected service")}}
	}
	d.limit = max(0, rapid.IntRange(-6, 4).Draw(r, "max_targets"))
	var faults []string
	for i := range rapid.IntRange(1, 3).Draw(r, "faults") {
		at := ""
		if i > 0 && rapid.IntRange(0, 4).Draw(r, "later") == 1 {
			at, d.later = ", at: 1s", true
		}
		if rapid.IntRange(0, 7).Draw(r, "zone fault") == 1 {
			faults = append(faults, "zone: {name: "+rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "name")+at+"}")
			continue
		}
		selector := rapid.SampledFrom([]string{
			"service: app", "service: db", "service: lb", "zone: a", "zone: b", "label: tier", "label: tier=web", "role: primary", "name: app-0", "label: tier=data, service: db", rapid.SampledFrom([]string{"", "service: nosuch"}).Draw(r, "wrong"),
		}).Draw(r, "selector")
		choice := rapid.SampledFrom([]string{"", "any: 1", "any: 2", "percent: 1", "percent: 50", "percent: 100", rapid.SampledFrom([]string{"any: 0", "percent: 101", "any: 5"}).Draw(r, "odd")}).Draw(r, "choice")
		kind := rapid.SampledFrom([]string{"kill", "pause", "noop"}).Draw(r, "kind")
		faults = append(faults, kind+": {target: {"+strings.Trim(selector+", "+choice, ", ")+"}"+at+"}")
	}
	d.file = "version: 1\nname: x\nobjective: {rto: 1s, hold: 1s}\nload: [{journey: checkout, rate: 50/s, critical: true}]\n" +
		"timing: {baseline: 1s, watch: 3s, repair: 5s}\nseed: " + strconv.FormatUint(rapid.Uint64Range(1, 1<<40).Draw(r, "seed"), 10) +
		"\nfaults:\n  - " + strings.Join(faults, "\n  - ") + "\n"
	return d
}

// environmental are the refusals of a plan that no reading of the file could have known.
var environmental = regexp.MustCompile(`no component of .* matches|no component matches|is protected|is (stopped|paused), expected|components would be touched|no component currently has this role`)

// trial is one game day, planned and run.
func (d gameDay) trial(t *testing.T) (wrong error) {
	t.Helper()
	s, err := scenario.Load("x.yaml", []byte(d.file), fault.Specs())
	if err != nil {
		return nil // refused by validate, and so never planned
	}
	env, err := toyenv.New(t.TempDir(), d.components...)
	if err != nil {
		return err
	}
	env.Options = d.options
	before, err := statesOf(env)
	if err != nil {
		return err
	}
	declared := map[string]scenario.Role{}
	for name, role := range d.options.Roles {
		declared[name] = scenario.Role{Among: role.Among}
	}
	where := scenario.Environment{Name: "staging", MaxTargets: d.limit, Roles: declared}
	planned, err := plan.Build(t.Context(), env, plan.Request{Scenario: s, Environment: where, Seed: s.Seed})
	if after, statesErr := statesOf(env); statesErr != nil || !maps.Equal(before, after) || env.Kills.Load()+env.Starts.Load() > 0 {
		return fmt.Errorf("a plan touches: %v, then %v", before, after)
	}
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			if !environmental.MatchString(line) {
				return fmt.Errorf("validate accepts what plan refuses: %s", line)
			}
		}
	}
	account, broken, runErr := conductOn(t, env, plan.Plan{Scenario: s, Environment: where, Seed: s.Seed})
	if err != nil && !d.later && (runErr == nil || len(account.Steps) > 0 || len(broken) > 0) {
		return fmt.Errorf("plan refuses (%w), and run breaks %v (%+v)", err, broken, account.Steps)
	}
	if err == nil && !d.later {
		if runErr != nil {
			return fmt.Errorf("plan accepts, and run refuses: %w", runErr)
		}
		if got, want := touched(account), plannedNames(planned); !slices.Equal(got, want) {
			return fmt.Errorf("plan names %v, and run takes %v", want, got)
		}
		if want := harmed(planned); !slices.Equal(broken, want) {
			return fmt.Errorf("plan names %v, and run breaks %v", want, broken)
		}
	}
	for _, name := range broken {
		if c, err := env.Find(t.Context(), target.Selector{Name: name}); err != nil || c[0].Protected {
			return fmt.Errorf("%s is protected, and run breaks it (%w)", name, err)
		}
	}
	if d.limit > 0 && len(broken) > d.limit {
		return fmt.Errorf("%d components may be touched, and run breaks %v", d.limit, broken)
	}
	if after, err := statesOf(env); err != nil || !maps.Equal(before, after) {
		return fmt.Errorf("before: %v, afterwards: %v", before, after)
	}
	return nil
}

func statesOf(env *toyenv.Env) (map[string]target.State, error) {
	all, err := env.All()
	states := map[string]target.State{}
	for _, c := range all {
		states[c.Name] = c.State
	}
	return states, err
}

func touched(a run.Account) (names []string) {
	for _, s := range a.Steps {
		names = append(names, s.Kind+" "+s.Component)
	}
	return names
}

func plannedNames(p plan.Plan) (names []string) {
	for _, s := range p.Steps {
		names = append(names, s.Kind+" "+s.Component.Name)
	}
	return names
}

// harmed are the components that a plan would break, by name.
func harmed(p plan.Plan) (names []string) {
	for _, s := range p.Steps {
		if s.Kind != "noop" && !slices.Contains(names, s.Component.Name) {
			names = append(names, s.Component.Name)
		}
	}
	slices.Sort(names)
	return names
}

// conductOn runs a game day whose users are served whatever happens, and gives the
// components that were not in their former state when it began to undo.
func conductOn(t *testing.T, env *toyenv.Env, p plan.Plan) (account run.Account, broken []string, err error) {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Create(filepath.Join(dir, "j"+journal.Suffix), journal.Header{Run: "r", Address: []byte("{}")})
	if err != nil {
		return account, nil, err
	}
	writer, err := record.Create(filepath.Join(dir, "run"))
	if err != nil {
		return account, nil, err
	}
	before, err := statesOf(env)
	if err != nil {
		return account, nil, err
	}
	c := run.Conductor{
		Env: env, Journal: j, Record: writer, Clock: record.NewClock(), Meter: run.NewMeter(p.Scenario.Objective.Verdict()),
		Loads: []run.Traffic{content{}}, Undoers: run.UndoersOn(env, nil),
		Observe: func(u run.Update) {
			if u.Phase != run.UndoIt {
				return
			}
			now, _ := statesOf(env)
			for _, name := range slices.Sorted(maps.Keys(now)) {
				if now[name] != before[name] {
					broken = append(broken, name)
				}
			}
		},
	}
	account, err = c.Conduct(t.Context(), p)
	if left := j.Pending(); len(left) > 0 {
		err = errors.Join(err, fmt.Errorf("left in the journal: %v", left))
	}
	return account, broken, errors.Join(err, account.Left, writer.Close(), j.Close())
}

// content are users who are always served well.
type content struct{}

// Run implements [run.Traffic].
func (content) Run(ctx context.Context, on func(probe.Visit)) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for seq := uint64(0); ; seq++ {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			on(probe.Visit{Sample: record.Sample{Journey: "checkout", Seq: seq, Sent: now, Latency: time.Millisecond, Code: 200}})
		}
	}
}

// What plan names is what run breaks; what validate accepts, plan does not refuse for the
// file's own fault; plan touches nothing (cases 17, 20, 24).
func TestPlanIsWhatRunDoes(t *testing.T) {
	t.Parallel()
	for range 6 { // of 100 each, and more with -rapid.checks
		rapid.Check(t, func(r *rapid.T) {
			d := drawGameDay(r)
			var wrong error
			synctest.Test(t, func(t *testing.T) { wrong = d.trial(t) })
			if wrong != nil {
				r.Fatalf("%v\n%s%+v, roles and protection: %+v, max_targets: %d", wrong, d.file, d.components, d.options, d.limit)
			}
		})
	}
}
