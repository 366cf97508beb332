package scenario

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/gate"
)

// Metric is a number that a run looks at beside its users. It is no condition: it changes
// nothing about a verdict, and a server that does not answer stops no run.
type Metric struct {
	Name       string           `yaml:"name" jsonschema:"required" jsonschema_description:"How reports call the metric, at most 60 characters."`
	Prometheus *gate.Prometheus `yaml:"prometheus" jsonschema:"required" jsonschema_description:"A query with one series as its result: sum(queue_length). Its server is the environment's prometheus, unless it is {url: …, query: …}."`
	Unit       string           `yaml:"unit,omitempty" jsonschema_description:"The unit of its values, at most 20 characters: jobs, ms, %."`
}

// The bounds of what a run looks at: each metric is a panel of its chart.
const (
	MostMetrics  = 8
	mostOfMetric = 60 // characters of a name
	mostOfUnit   = 20 // characters
)

// Title is the metric's name with its unit.
func (m Metric) Title() string {
	if m.Unit == "" {
		return m.Name
	}
	return m.Name + " (" + m.Unit + ")"
}

// String describes what is looked at, without secrets in its URL.
func (m Metric) String() string {
	switch {
	case m.Prometheus == nil:
		return m.Title()
	case m.Prometheus.URL == "":
		return m.Title() + ": " + m.Prometheus.Query + " at the server of the environment"
	}
	return m.Title() + ": " + m.Prometheus.String()
}

// checkObserve reports what is wrong with the metrics of a file. A query without a server is
// asked at that of the environment.
func checkObserve(doc *strictyaml.Document, path string, all []Metric) {
	if len(all) > MostMetrics {
		doc.Problem(path, "%s: found %d metrics, expected at most %d: each is a panel of the chart", path, len(all), MostMetrics)
	}
	for i, m := range all {
		at := index(path, i)
		checkText(doc, at+".name", m.Name, mostOfMetric)
		checkText(doc, at+".unit", m.Unit, mostOfUnit)
		if doc.Has(at+".name") && strings.TrimSpace(m.Name) == "" {
			doc.Problem(at+".name", "%s.name: found nothing in it, expected a name for reports", at)
		}
		if m.Name != "" && named(all[:i], m.Name) {
			doc.Problem(at+".name", "%s.name: found %q twice: give each metric a name of its own", at, m.Name)
		}
		switch p := m.Prometheus; {
		case p == nil:
		case p.URL != "":
			checkGates(doc, at, nil, p)
		case p.Query == "":
			doc.Problem(at+".prometheus", "%s.prometheus: found no query, expected a PromQL expression", at)
		}
	}
}

// checkText reports a text that is longer than a chart has room for, or is not one line.
func checkText(doc *strictyaml.Document, path, text string, most int) {
	checkLine(doc, path, text)
	if n := utf8.RuneCountInString(text); n > most {
		doc.Problem(path, "%s: found %d characters, expected at most %d", path, n, most)
	}
}

// named reports whether one of the metrics has a name.
func named(all []Metric, name string) bool {
	return slices.ContainsFunc(all, func(m Metric) bool { return m.Name == name })
}

// checkServers reports the metrics of an environment that are asked for nowhere: sweeps observe
// them, too.
func (e Environment) checkServers(doc *strictyaml.Document, path string) {
	for i, m := range e.Observe {
		if m.Prometheus != nil && m.Prometheus.URL == "" && e.Prometheus == "" {
			at := index(path, i) + ".prometheus"
			doc.Problem(at, "%s: found a query, but no server: add prometheus: URL to the environment, or write prometheus: {url: …, query: …}", at)
		}
	}
}

// observed are metrics whose queries all name a server, if there is one.
func observed(all []Metric, server string) []Metric {
	all = slices.Clone(all)
	for i := range all {
		all[i].Prometheus = askedAt(all[i].Prometheus, server)
	}
	return all
}

// askedAt is a query at its own server, or else at that of the environment.
func askedAt(p *gate.Prometheus, server string) *gate.Prometheus {
	if p == nil || p.URL != "" {
		return p
	}
	return &gate.Prometheus{URL: server, Query: p.Query}
}

// checkObserved checks that the metrics of a scenario in its environment can be asked for, and
// told apart.
func (s Scenario) checkObserved(env Environment) (errs []error) {
	if n := len(s.Observe); n > MostMetrics {
		errs = append(errs, fmt.Errorf("scenario %s in environment %s observes %d metrics, expected at most %d: each is a panel of the chart", s.Name, env.Name, n, MostMetrics))
	}
	for i, m := range s.Observe {
		if m.Prometheus != nil && m.Prometheus.URL == "" {
			errs = append(errs, fmt.Errorf("metric %s has a query, but no server: add prometheus: URL to environment %s, or write prometheus: {url: …, query: …}", m.Name, env.Name))
		}
		if named(s.Observe[:i], m.Name) {
			errs = append(errs, fmt.Errorf("scenario %s and environment %s both observe a metric with the name %q: rename one", s.Name, env.Name, m.Name))
		}
	}
	return errs
}
