package scenario

import (
	"fmt"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// LoadStored reads the scenario of a run that was stored, by this gameday or another
// one. A stored run is evidence, and outlives the rules for files that people write:
//
//   - A key that is not known is ignored, and so is abort_when: it has had its effect.
//   - A kind of fault that is not known keeps its name, its target and its times. The
//     Spec of every fault is what was stored, as a map.
//   - What [Load] checks beside the form of values is not checked.
//   - A value that only describes the run (title, suspect, timing, faults, ...) and
//     cannot be read is left out.
//
// What the verdict rests on must be there and be read, as a wrong verdict is worse than
// none: the objective, and the journeys with their rates. A newer version is an error.
func LoadStored(file string, data []byte) (Scenario, error) {
	doc := strictyaml.Parse(file, data)
	doc.MaxDuration = verdict.MaxSpan
	s := stored{Scenario: Scenario{File: file}}
	doc.Decode(&s)
	if newer(doc, s.Version) {
		return s.Scenario, doc.Problems.Err()
	}
	for _, path := range neededPaths(len(s.Load)) {
		if len(doc.Problems) == 0 && !doc.Has(path) {
			doc.Problem(path, "%s is missing, and the verdict rests on it", path)
		}
	}
	return s.Scenario, doc.Problems.Err()
}

// neededPaths are the values without which there is no verdict.
func neededPaths(journeys int) []string {
	paths := []string{"objective.rto"}
	for i := range max(journeys, 1) {
		paths = append(paths, index("load", i)+".journey", index("load", i)+".rate")
	}
	return paths
}

// values are where the values of a mapping go, by their key: pointers.
type values map[string]any

// readStored reads those values of a mapping that are known. Those that are needed must
// be readable; of the others, what cannot be read is left out.
func readStored(d *strictyaml.Document, n strictyaml.Node, needed, others values) {
	for _, p := range d.Pairs(n) {
		if into, ok := needed[p.Key]; ok {
			d.DecodeNode(p.Value, into)
		}
		if into, ok := others[p.Key]; ok {
			before := len(d.Problems)
			d.DecodeNode(p.Value, into)
			d.Problems = d.Problems[:before]
		}
	}
}

// The types of a stored scenario's values: each reads itself leniently.
type (
	stored          struct{ Scenario }
	storedSuspect   Suspect
	storedObjective Objective
	storedLoad      JourneyLoad
	storedClient    probe.Client
	storedFault     Fault
	storedTiming    Timing
	storedTarget    target.Selector
	storedPeople    People
	storedAlert     ExpectedAlert
	storedMust      Must
	storedMetric    Metric
)

// DecodeYAML implements [strictyaml.Decodable].
func (s *stored) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	var load []storedLoad
	var faults []storedFault
	var people People
	var alerts []storedAlert
	var must []storedMust
	var metrics []storedMetric
	readStored(d, n, values{
		"version": &s.Version, "objective": (*storedObjective)(&s.Objective), "load": &load, "expect_alerts": &alerts, "must": &must,
	}, values{
		"alerts": &s.Alerts,
		"name":   &s.Name, "title": &s.Title, "environment": &s.Environment, "seed": &s.Seed,
		"suspect": (*storedSuspect)(&s.Suspect), "timing": (*storedTiming)(&s.Timing), "faults": &faults,
		"people": (*storedPeople)(&people), "runbook": &s.Runbook, "observe": &metrics,
	})
	if !people.IsZero() {
		s.People = &people
	}
	for _, l := range load {
		s.Load = append(s.Load, JourneyLoad(l))
	}
	for _, f := range faults {
		s.Faults = append(s.Faults, Fault(f))
	}
	for _, m := range must {
		s.Must = append(s.Must, Must(m))
	}
	for _, m := range metrics {
		s.Observe = append(s.Observe, Metric(m))
	}
	for _, a := range alerts {
		s.ExpectAlerts = append(s.ExpectAlerts, ExpectedAlert(a))
	}
}

// DecodeYAML implements [strictyaml.Decodable].
func (m *storedMust) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	readStored(d, n, values{"during": &m.During, "again_within": &m.AgainWithin}, values{
		"name": &m.Name, "prometheus": &m.Prometheus, "http": &m.HTTP, "command": &m.Command, "sql": &m.SQL,
		"equals": &m.Equals, "above": &m.Above, "below": &m.Below, "matches": &m.Matches,
	})
}

// DecodeYAML implements [strictyaml.Decodable].
func (m *storedMetric) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	readStored(d, n, nil, values{"name": &m.Name, "prometheus": &m.Prometheus, "unit": &m.Unit})
}

// DecodeYAML implements [strictyaml.Decodable].
func (a *storedAlert) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	readStored(d, n, values{"name": &a.Name, "within": &a.Within, "clears_within": &a.ClearsWithin}, values{
		"alertmanager": &a.Alertmanager, "prometheus": &a.Prometheus, "grafana": &a.Grafana, "http": &a.HTTP, "labels": &a.Labels,
		"about": (*storedTarget)(&a.About),
	})
}

// DecodeYAML implements [strictyaml.Decodable].
func (s *storedSuspect) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	readStored(d, n, nil, values{"component": &s.Component, "because": &s.Because})
}

// DecodeYAML implements [strictyaml.Decodable].
func (o *storedObjective) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	readStored(d, n, values{
		"rto": &o.RTO, "rpo": &o.RPO, "good": &o.Good, "within": &o.Within, "window": &o.Window, "hold": &o.Hold,
	}, nil)
}

// DecodeYAML implements [strictyaml.Decodable].
func (l *storedLoad) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	var clients []storedClient
	readStored(d, n, values{"journey": &l.Journey, "rate": &l.Rate, "stages": &l.Stages, "arrivals": &l.Arrivals, "critical": &l.Critical, "clients": &clients}, values{"from": &l.From})
	for _, c := range clients {
		l.Clients = append(l.Clients, Client{Client: probe.Client(c)})
	}
}

// DecodeYAML implements [strictyaml.Decodable]. The name of a load contains that of its client.
func (c *storedClient) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	readStored(d, n, values{"kind": &c.Kind, "name": &c.Name}, values{
		"size": &c.Size, "idle": &c.Idle, "attempts": &c.Attempts, "backoff": &c.Backoff, "timeout": &c.Timeout,
	})
}

// DecodeYAML implements [strictyaml.Decodable].
func (t *storedTiming) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	readStored(d, n, nil, values{"baseline": &t.Baseline, "watch": &t.Watch, "until": &t.Until, "repair": &t.Repair})
}

// DecodeYAML implements [strictyaml.Decodable].
func (p *storedPeople) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	readStored(d, n, nil, values{"facilitator": &p.Facilitator, "on_call": &p.OnCall, "observers": &p.Observers})
}

// DecodeYAML implements [strictyaml.Decodable].
func (t *storedTarget) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	readStored(d, n, nil, values{
		"service": &t.Service, "name": &t.Name, "label": &t.Label, "zone": &t.Zone, "role": &t.Role, "percent": &t.Percent, "any": &t.Any,
	})
}

// DecodeYAML implements [strictyaml.Decodable].
func (f *storedFault) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	for _, p := range d.Pairs(n) {
		f.Kind, f.Where = p.Key, fmt.Sprintf("%s:%d:%d", d.File, p.At.Line, p.At.Column)
		spec := map[string]any{}
		f.Spec = spec
		readStored(d, p.Value, nil, values{"target": (*storedTarget)(&f.Target), "at": &f.At, "for": &f.For})
		for _, own := range d.Pairs(p.Value) {
			if own.Key != "target" && own.Key != "at" && own.Key != "for" {
				var v any
				d.DecodeNode(own.Value, &v)
				spec[own.Key] = v
			}
		}
	}
}
