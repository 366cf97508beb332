package scenario

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/target"
)

// ExpectedAlert is an alert that has to fire because of a fault.
type ExpectedAlert struct {
	gate.Alert `yaml:",inline"`

	Within       time.Duration   `yaml:"within" jsonschema:"required" jsonschema_description:"How long after the first failed or slow user the alert must fire; after the fault if no user notices it."`
	ClearsWithin time.Duration   `yaml:"clears_within,omitempty" jsonschema_description:"How long after the revert the alert may still fire. The run lasts until it has cleared, or until this time has passed (default: it is not checked)."`
	About        target.Selector `yaml:"about,omitempty" jsonschema_description:"The components that the alert is about: by service, name, label or zone. A run that faults none of them does not expect it (default: every run expects it)."`
}

// AlertsRequired is the value of a scenario's alerts: that makes detection count for the
// exit code.
const AlertsRequired = "required"

// afterAlerts is how long a watch lasts, at the least, after the limit of an alert.
const afterAlerts = 5 * time.Second

// checkAlerts reports what is wrong with expected alerts. watch is the watch of the
// scenario, or 0 if it is unknown.
func checkAlerts(doc *strictyaml.Document, path string, alerts []ExpectedAlert, watch time.Duration) {
	for i, a := range alerts {
		at := index(path, i)
		if err := a.Check(); err != nil {
			place, _, _ := strings.Cut(err.Error(), ":")
			if place = at + "." + place; !doc.Has(place) {
				place = at
			}
			doc.Problem(place, "%s: %v", at, err)
		}
		checkPositive(doc, at+".within", a.Within)
		checkPositive(doc, at+".clears_within", a.ClearsWithin)
		if watch > 0 && a.Within > watch {
			doc.Problem(at+".within", "%s.within: found %v, expected at most the watch of %v: a shorter watch cannot show whether the alert fires in time", at, a.Within, watch)
		}
		switch about := a.About; {
		case !doc.Has(at + ".about"):
		case about.Role != "" || about.Any != 0 || about.Percent != 0:
			doc.Problem(at+".about", "%s.about: expected service, name, label or zone", at)
		case about.IsZero():
			doc.Problem(at+".about", "%s.about: found nothing in it, expected service, name, label or zone", at)
		}
	}
}

// checkPositive reports a duration that is declared, and not above 0.
func checkPositive(doc *strictyaml.Document, path string, is time.Duration) {
	if doc.Has(path) && is <= 0 {
		doc.Problem(path, "%s: found %v, expected a duration above 0", path, is)
	}
}

// longest is the longest time within which an alert has to fire.
func longest(alerts []ExpectedAlert) (most time.Duration) {
	for _, a := range alerts {
		most = max(most, a.Within)
	}
	return most
}

// In is the scenario in an environment: with what the environment asks outside, too. A
// watch that the scenario does not declare becomes long enough for its alerts.
func (s Scenario) In(env Environment) Scenario {
	s.ExpectAlerts = union(env.ExpectAlerts, s.ExpectAlerts)
	s.Must = union(located(env.Must, env.Prometheus), located(s.Must, env.Prometheus))
	s.Observe = union(observed(env.Observe, env.Prometheus), observed(s.Observe, env.Prometheus))
	s.watchAlerts()
	return s
}

// watchAlerts makes a watch that is not declared long enough for the alerts.
func (s *Scenario) watchAlerts() {
	if s.WatchByDefault && len(s.ExpectAlerts) > 0 {
		s.Timing.Watch = max(s.Timing.Watch, longest(s.ExpectAlerts)+afterAlerts)
	}
}

// located are conditions whose queries all name a server, if there is one.
func located(all []Must, server string) []Must {
	all = slices.Clone(all)
	for i := range all {
		all[i].Prometheus = askedAt(all[i].Prometheus, server)
	}
	return all
}

// union is both lists, without what the second repeats: a scenario that a run has stored
// has the environment's part already.
func union[T any](a, b []T) []T {
	all := slices.Clone(a)
	for _, one := range b {
		if !slices.ContainsFunc(a, func(other T) bool { return reflect.DeepEqual(one, other) }) {
			all = append(all, one)
		}
	}
	return all
}

// CheckAlerts checks that a scenario in its environment shows whether its alerts fire in
// time, if it requires them to.
func (s Scenario) CheckAlerts() error {
	if s.Alerts != AlertsRequired {
		return nil
	}
	if len(s.ExpectAlerts) == 0 {
		return fmt.Errorf("scenario %s has alerts: required, but neither it nor its environment has expect_alerts: add them", s.Name)
	}
	for _, a := range s.ExpectAlerts {
		if a.Within > s.Timing.Watch {
			return fmt.Errorf("scenario %s: alert %s may take %v, but the watch ends after %v: use a longer timing.watch", s.Name, a.Name, a.Within, s.Timing.Watch)
		}
	}
	return nil
}
