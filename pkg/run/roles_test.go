package run_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/internal/toyenv"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// cluster is an environment of two databases, of which the one with a label is the primary;
// and another service with a role of its own.
func cluster(t *testing.T) *toyenv.Env {
	t.Helper()
	env, err := toyenv.New(t.TempDir(), database("pg-1", "primary", target.Running), database("pg-2", "replica", target.Running), target.Component{Name: "lb", Service: "lb"})
	if err != nil {
		t.Fatal(err)
	}
	env.Options.Roles = map[string]target.Role{"primary": {Among: target.Selector{Label: "role=primary"}}, "lb": {Among: target.Selector{Service: "lb"}}}
	return env
}

func database(name, role string, state target.State) target.Component {
	return target.Component{Name: name, Service: "pg", State: state, Healthy: true, Labels: map[string]string{"role": role}}
}

// conductCluster is a run in which pg-1 is killed. onWatch is called when the watch begins.
// It returns the events about roles, and the notes.
func conductCluster(t *testing.T, env *toyenv.Env, onWatch func()) (roles, notes []record.Event) {
	t.Helper()
	s, err := scenario.Load("x.yaml", []byte("version: 1\nname: x\nobjective: {rto: 1s, hold: 1s}\nload: [{journey: checkout, rate: 50/s, critical: true}]\n"+
		"faults: [{kill: {target: {role: primary}}}]\ntiming: {baseline: 2s, watch: 10s, repair: 5s}\n"), fault.Specs())
	if err != nil {
		t.Fatal(err)
	}
	where := scenario.Environment{Name: "staging", Roles: map[string]scenario.Role{"primary": {Among: target.Selector{Service: "pg"}}, "lb": {Among: target.Selector{Service: "lb"}}}}
	p, err := plan.Build(t.Context(), env, plan.Request{Scenario: s, Environment: where, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	j, err := journal.Create(filepath.Join(dir, "j"+journal.Suffix), journal.Header{Run: "r", Address: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	writer, err := record.Create(filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	account, err := run.Conductor{
		Env: env, Journal: j, Record: writer, Clock: record.NewClock(), Meter: run.NewMeter(s.Objective.Verdict()),
		Loads: []run.Traffic{content{}}, Undoers: run.UndoersOn(env, nil),
		Observe: func(u run.Update) {
			if u.Phase == run.Watch {
				go onWatch()
			}
		},
	}.Conduct(t.Context(), p)
	if err := errors.Join(err, account.Left, writer.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	events, err := record.Events(filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		switch e.Kind {
		case record.KindRole:
			roles = append(roles, e)
		case record.KindNote:
			notes = append(notes, e)
		}
	}
	return roles, notes
}

// A role that moves is recorded between two looks, which contain the moment in which it
// did. Roles that no faulted component can hold are not asked for.
func TestRolesAreFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		env := cluster(t)
		var lost, moved time.Time
		put := func(all ...target.Component) {
			for _, c := range all {
				if err := env.Put(c); err != nil {
					t.Error(err)
				}
			}
		}
		done := make(chan struct{})
		roles, notes := conductCluster(t, env, func() {
			defer close(done)
			<-time.After(2200 * time.Millisecond)
			lost = time.Now()
			put(database("pg-1", "none", target.Stopped))
			<-time.After(3 * time.Second)
			moved = time.Now()
			put(database("pg-2", "primary", target.Running))
		})
		<-done
		var told []string
		for i, e := range roles {
			told = append(told, fmt.Sprintf("%s %s: %s", e.Role, e.What, e.Component))
			when := []time.Time{{}, lost, moved}[i]
			if i > 0 && (e.Before == nil || e.Before.After(when) || e.At.Before(when) || e.At.Sub(*e.Before) > 600*time.Millisecond) {
				t.Errorf("%+v, but it was at %v", e, when)
			}
		}
		if got := strings.Join(told, "; "); got != "primary holds role primary: pg-1; primary no component holds role primary: ; primary holds role primary: pg-2" {
			t.Errorf("%s; %v", got, notes)
		}
	})
}

// An environment that cannot be asked is told of once, and nothing is claimed of its roles.
func TestRolesThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		env := cluster(t)
		var broken atomic.Bool
		env.OnFind = func() error {
			if broken.Load() {
				return errors.New("connection refused")
			}
			return nil
		}
		roles, notes := conductCluster(t, env, func() { broken.Store(true) })
		told := 0
		for _, n := range notes {
			if n.What == "who holds role primary could not be asked: connection refused" {
				told++
			}
		}
		if told != 1 || len(roles) != 1 {
			t.Errorf("told %d times: %v; %v", told, notes, roles)
		}
	})
}
