package run_test

import (
	"testing"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// Clients that keep an address for ever do not count for recovery only if others walk the
// same journey: else nobody would see that it is still broken.
func TestWhoDoesNotCountForRecovery(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		load string
		out  []string
	}{
		"beside another kind":       {"{journey: checkout, rate: 100/s, critical: true, clients: [browser, dns-forever]}", []string{"checkout (dns-forever)"}},
		"beside another journey":    {"{journey: search, rate: 100/s, critical: true}, {journey: checkout, rate: 100/s, critical: true, clients: [dns-forever]}", nil},
		"alone":                     {"{journey: checkout, rate: 100/s, critical: true, clients: [dns-forever]}", nil},
		"not critical, nor counted": {"{journey: search, rate: 100/s, critical: true}, {journey: checkout, rate: 100/s, clients: [browser, dns-forever]}", nil},
	} {
		s, err := scenario.Load("x.yaml", []byte("version: 1\nname: x\nobjective: {rto: 5s, good: 90%}\nload: ["+c.load+"]\nfaults: [{kill: {target: {service: db}}}]\ntiming: {baseline: 10s, watch: 40s}\n"), fault.Specs())
		if err != nil {
			t.Fatal(err)
		}
		got := run.LeftOut(s)
		if len(got) != len(c.out) || len(got) > 0 && got[0] != c.out[0] {
			t.Errorf("%s: %v, expected %v", name, got, c.out)
		}
	}
}
