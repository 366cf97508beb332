package advice_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/advice"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/scenarios"
)

func load(t *testing.T) advice.Table {
	t.Helper()
	table, err := advice.Load()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// What a row names is there: kinds of components, groups of faults, scenarios and labs.
// Every kind of fault is in one group.
func TestTheTableNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	table := load(t)
	for _, row := range table.Advice {
		known := slices.ContainsFunc(table.Components, func(c advice.Component) bool { return c.Name == row.Component })
		if row.Component != "" && !known {
			t.Errorf("%q is for the unknown component %q", row.Do, row.Component)
		}
		if _, known := table.Faults[row.Fault]; row.Fault != "" && !known {
			t.Errorf("%q is for the unknown faults %q", row.Do, row.Fault)
		}
		for _, outcome := range row.Outcomes {
			if !slices.Contains([]advice.Outcome{advice.Down, advice.Late, advice.Partial, advice.Writes}, outcome) {
				t.Errorf("%q is for the unknown outcome %q", row.Do, outcome)
			}
		}
		name, env, _ := strings.Cut(row.ShownBy, " --env lab/")
		if row.ShownBy == "" {
			continue
		}
		if _, err := scenarios.Files.ReadFile(name + ".yaml"); err != nil {
			t.Errorf("%q is shown by %s: %v", row.Do, row.ShownBy, err)
		}
		if _, err := labs.Files.ReadDir(env); env != "" && err != nil {
			t.Errorf("%q is shown by %s: %v", row.Do, row.ShownBy, err)
		}
	}
	for _, name := range fault.Specs().Names() {
		n := 0
		for _, kinds := range table.Faults {
			if slices.Contains(kinds, name) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("fault %s is in %d groups, expected 1", name, n)
		}
	}
}

// The advice for what runs of the labs have shown, and for what they could have.
func TestAdvice(t *testing.T) {
	t.Parallel()
	table := load(t)
	for _, c := range []struct {
		names, faults, outcome, kind, want string
	}{
		{"db", "kill", "down", "database", "standby that replicates"},
		{"db-primary gameday-checkout_pg-1_1", "kill", "down", "database", "standby that replicates"},
		{"gameday-checkout_db_1", "command", "down", "database", "only if all copies are lost"},
		{"db", "isolate", "writes", "database", "synchronous replication"},
		{"db", "fill", "down", "database", "disk of the database"},
		{"db", "delay", "partial", "database", "query a timeout"},
		{"db", "kill", "late", "database", "longest part of the recovery"},
		{"lb-1", "kill", "down", "load balancer", "virtual address"},
		{"TLS certificate", "kill", "down", "certificate", "on every load balancer"},
		{"DNS record", "kill", "down", "DNS record", "several addresses"},
		{"DNS", "dns", "down", "DNS server", "two or more DNS servers"},
		{"nat", "kill", "down", "NAT gateway", "second NAT gateway"},
		{"nat", "connections", "down", "NAT gateway", "more addresses"},
		{"zone a", "zone", "down", "zone", "three zones"},
		{"site", "kill", "down", "site", "second region"},
		{"the one engineer with the password", "kill manual", "down", "person", "second person"},
		{"cache", "kill", "down", "cache", "Sentinel"},
		{"app", "kill", "partial", "app server", "stop sending users"},
		{"app", "kill", "down", "app server", "two or more app servers"},
		{"mailer", "kill", "down", "", "second one that takes over"},
		{"dbt", "kill", "down", "", "second one that takes over"}, // words are matched whole
		{"mailer", "noop", "down", "", ""},
	} {
		kind, row, ok := table.For(advice.Asked{Names: []string{c.names}, Faults: strings.Fields(c.faults), Outcome: advice.Outcome(c.outcome)})
		got := row.Do
		if kind != c.kind || ok != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: a %q, %q", c, kind, got)
		}
	}
}
