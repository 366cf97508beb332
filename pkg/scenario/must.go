package scenario

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Must is a condition that must be met, beside what users are promised: one source, and
// what its values must be.
type Must struct {
	Name       string           `yaml:"name,omitempty" jsonschema_description:"How reports call the condition (default: what is asked)."`
	Prometheus *gate.Prometheus `yaml:"prometheus,omitempty" jsonschema_description:"A query; its values are those of all series. Without a comparison: at least one series, and no value of 0."`
	HTTP       *gate.HTTP       `yaml:"http,omitempty" jsonschema_description:"A check; its value is the response's body. Without a comparison: it answers as expected."`
	Command    gate.Command     `yaml:"command,omitempty" jsonschema_description:"A command on gameday's machine; its value is its standard output. Without a comparison: its exit code is 0."`
	SQL        *probe.SQL       `yaml:"sql,omitempty" jsonschema_description:"A statement that returns one column; its values are those of all rows. It needs a comparison."`
	gate.Test  `yaml:",inline"`

	During      verdict.During `yaml:"during,omitempty" jsonschema:"enum=baseline,enum=fault,enum=after,enum=always" jsonschema_description:"When it must be met: in the baseline, while the fault lasts, after its revert, or always. In the baseline it must be met in any case (default: always)."`
	AgainWithin time.Duration  `yaml:"again_within,omitempty" jsonschema_description:"For how long the condition may be unmet; with during: after, how long after the revert. The run lasts until it is met again, or until this time has passed (default: 0s, it must not be unmet at all)."`
}

// Title is the condition's name, or what is asked, without secrets.
func (m Must) Title() string {
	switch {
	case m.Name != "":
		return m.Name
	case m.Prometheus != nil:
		return m.Prometheus.Query
	case m.HTTP != nil:
		return m.HTTP.String()
	case m.SQL != nil:
		return m.SQL.Title()
	case len(m.Command) > 0:
		return m.Command.String()
	}
	return "condition"
}

// Holds asks once whether the condition is met, and else why not. An error means that this
// is unknown. query performs the statement of one of SQL.
func (m Must) Holds(ctx context.Context, query func(context.Context, probe.SQL) ([]byte, error)) (ok bool, why string, err error) {
	var values []string
	switch {
	case m.Prometheus != nil && m.IsZero():
		return m.Prometheus.Holds(ctx)
	case m.HTTP != nil && m.IsZero():
		return m.HTTP.Succeeds(ctx)
	case m.Prometheus != nil:
		values, err = m.Prometheus.Values(ctx)
	case m.HTTP != nil:
		var value string
		value, err = m.HTTP.Value(ctx)
		values = []string{value}
	case m.SQL != nil:
		values, err = m.rows(ctx, query)
	default:
		exit, value, err := m.Command.Run(ctx)
		switch {
		case err != nil:
			return false, "", err
		case exit != 0 && m.IsZero():
			return false, fmt.Sprintf("%s: exit code %d", m.Command, exit), nil
		case exit != 0:
			return false, "", fmt.Errorf("%s: exit code %d", m.Command, exit)
		case m.IsZero():
			return true, "", nil
		}
		values = []string{value}
	}
	if err != nil {
		return false, "", err
	}
	return m.Test.Holds(values)
}

// rows are the values of a statement's only column.
func (m Must) rows(ctx context.Context, query func(context.Context, probe.SQL) ([]byte, error)) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, gate.Patience)
	defer cancel()
	body, err := query(ctx, *m.SQL)
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if err := decoder.Decode(&rows); err != nil {
		return nil, errors.New("the statement returns no rows: use SELECT")
	}
	values := make([]string, len(rows))
	for i, row := range rows {
		if len(row) != 1 {
			return nil, fmt.Errorf("a row has %d columns, expected 1", len(row))
		}
		for _, v := range row {
			values[i] = fmt.Sprint(v)
		}
	}
	return values, nil
}

// WhenMet is when a condition must be met.
func (m Must) WhenMet() verdict.During { return cmp.Or(m.During, verdict.DuringAlways) }

// checkMust reports what is wrong with conditions.
func checkMust(doc *strictyaml.Document, path string, all []Must) {
	for i, m := range all {
		at := index(path, i)
		if n := count(m.Prometheus != nil, m.HTTP != nil, len(m.Command) > 0, m.SQL != nil); n != 1 {
			doc.Problem(at, "%s: expected one of prometheus, http, command and sql, found %d", at, n)
		}
		if doc.Has(at + ".again_within") {
			if m.AgainWithin < 0 {
				doc.Problem(at+".again_within", "%s.again_within: found %v, expected 0 or more", at, m.AgainWithin)
			}
			if m.During == verdict.DuringBaseline {
				doc.Problem(at+".again_within", "%s.again_within: a condition of the baseline is met at once, or nothing is broken: remove it", at)
			}
		}
		if err := m.Check(); err != nil {
			key, _, _ := strings.Cut(err.Error(), ":")
			doc.Problem(at+"."+key, "%s.%v", at, err)
		}
		m.checkSource(doc, at)
	}
}

// checkSource reports what is wrong with where a condition is asked for. A query without a
// server is asked at that of the environment.
func (m Must) checkSource(doc *strictyaml.Document, at string) {
	if m.Prometheus != nil && m.Prometheus.URL == "" {
		checkGates(doc, at, m.HTTP, nil)
	} else {
		checkGates(doc, at, m.HTTP, m.Prometheus)
	}
	if m.SQL == nil {
		return
	}
	if m.IsZero() {
		doc.Problem(at, "%s: expected equals, above, below or matches: a statement alone is no condition", at)
	}
	m.SQL.Check(func(key, format string, args ...any) {
		place := at + ".sql." + key
		if !doc.Has(place) {
			place = at + ".sql"
		}
		doc.Problem(place, at+".sql."+key+": "+format, args...)
	})
}

// CheckOutside checks that what a scenario in its environment asks outside can be asked.
func (s Scenario) CheckOutside(env Environment) error {
	errs := s.checkObserved(env)
	for _, m := range s.Must {
		if m.Prometheus != nil && m.Prometheus.URL == "" {
			errs = append(errs, fmt.Errorf("condition %s has a query, but no server: add prometheus: URL to environment %s, or write prometheus: {url: …, query: …}", m.Title(), env.Name))
		}
		if m.SQL != nil {
			asked := probe.Journey{Steps: []probe.Step{{SQL: m.SQL}}}
			errs = append(errs, env.unnamed("condition "+m.Title(), asked.Environ())...)
		}
	}
	return errors.Join(errs...)
}
