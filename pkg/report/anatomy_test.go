package report_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
)

// role is an event about the holders of a role, seen at a time since the fault and before.
func role(name, holders string, before, at time.Duration) record.Event {
	fault := origin.Add(10 * time.Second)
	e := record.Event{At: fault.Add(at), Kind: record.KindRole, Role: name, Component: holders, What: "holds role " + name}
	if before != at {
		e.Before = new(fault.Add(before))
	}
	return e
}

// withEvents is the folder of a fixed run with more events.
func withEvents(t *testing.T, down time.Duration, events ...record.Event) string {
	t.Helper()
	dir := fixed(t, down, nil)
	path := filepath.Join(dir, record.EventsFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		data = append(append(data, line...), '\n')
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

const s = time.Second

// The anatomy has what was seen, in its order and with its bounds. What was not seen before
// the fault, or moved before it, is not claimed.
func TestAnatomy(t *testing.T) {
	t.Parallel()
	usual := "fault ordered 0s → first failed or slow request 0s → service good again 11.98s to 12.01s → revert ordered 40.00s"
	for name, c := range map[string]struct {
		down    time.Duration
		events  []record.Event
		want    string
		longest string
	}{
		"no role":   {down: 12 * s, want: usual},
		"no outage": {},
		"down":      {down: 45 * s, want: "fault ordered 0s → first failed or slow request 0s → revert ordered 40.00s → last failed or slow request 44.98s"},
		"a role that moved": {
			down:    12 * s,
			events:  []record.Event{role("primary", "pg-1", -s, -s), role("primary", "", 2*s, 3*s), role("primary", "pg-2", 9*s, 9500*time.Millisecond)},
			want:    strings.Replace(usual, "→ service", "→ role primary moved to pg-2 9.00s to 9.50s → service", 1),
			longest: "first failed or slow request → role primary moved to pg-2: 9.00s to 9.50s",
		},
		"bounds that overlap": {
			down:   12 * s,
			events: []record.Event{role("primary", "pg-1", -s, -s), role("primary", "pg-2", 2*s, 10*s)},
			want:   strings.Replace(usual, "→ service", "→ role primary moved to pg-2 2.00s to 10.00s → service", 1),
		},
		"a role that comes back": {
			down:   12 * s,
			events: []record.Event{role("primary", "pg-1", -s, -s), role("primary", "", s, 2*s), role("primary", "pg-1", 41*s, 42*s)},
			want:   usual + " → role primary has a holder again 41.00s to 42.00s",
		},
		"redundancy": {
			down:   12 * s,
			events: []record.Event{role("replica", "pg-2, pg-3", -s, -s), role("replica", "pg-3", s, 2*s), role("replica", "pg-1, pg-3", 45*s, 46*s)},
			want:   usual + " → role replica has all 2 holders again 45.00s to 46.00s",
		},
		"not restored":         {down: 12 * s, events: []record.Event{role("replica", "pg-2, pg-3", -s, -s), role("replica", "pg-3", s, 2*s)}, want: usual},
		"restored for a while": {down: 12 * s, events: []record.Event{role("replica", "a, b", -s, -s), role("replica", "a", s, 2*s), role("replica", "a, b", 3*s, 4*s), role("replica", "b", 5*s, 6*s)}, want: usual},
		"not seen before":      {down: 12 * s, events: []record.Event{role("primary", "pg-1", s, s), role("primary", "pg-2", 2*s, 3*s)}, want: usual},
		"moved before":         {down: 12 * s, events: []record.Event{role("primary", "pg-1", -2*s, -2*s), role("primary", "pg-2", -2*s, -s)}, want: usual},
		"health of another":    {down: 12 * s, events: []record.Event{{At: origin.Add(12 * s), Kind: record.KindEngine, Component: "other", What: "health_status: unhealthy"}}, want: usual},
		"health of the component": {
			down:    12 * s,
			events:  []record.Event{{At: origin.Add(13 * s), Kind: record.KindEngine, Component: "gameday-checkout_db_1", What: "health_status: unhealthy"}},
			want:    strings.Replace(usual, "→ service", "→ health check of gameday-checkout_db_1: unhealthy (by the environment's clock) 3.00s → service", 1),
			longest: "health check of gameday-checkout_db_1: unhealthy (by the environment's clock) → service good again: 8.98s to 9.01s",
		},
	} {
		r, err := report.Build(withEvents(t, c.down, c.events...))
		if err != nil {
			t.Fatal(err)
		}
		if r.Anatomy == nil {
			if c.want != "" {
				t.Errorf("%s: no anatomy", name)
			}
			continue
		}
		var parts []string
		for _, m := range r.Anatomy.Moments {
			parts = append(parts, m.What+" "+m.Bounds())
			if m.Lo > m.Hi || m.Lo < 0 {
				t.Errorf("%s: %+v", name, m)
			}
		}
		if got := strings.Join(parts, " → "); got != c.want {
			t.Errorf("%s:\n%s, expected\n%s", name, got, c.want)
		}
		longest := ""
		if r.Anatomy.Longest != nil {
			longest = r.Anatomy.Longest.Text()
		}
		if longest != c.longest {
			t.Errorf("%s: longest %q, expected %q", name, longest, c.longest)
		}
	}
}

// Of kept logs the first lines with errors after the fault are shown, and no others: not
// those of before, nor without a time, nor without an error.
func TestFirstErrorsInTheLogs(t *testing.T) {
	t.Parallel()
	dir := fixed(t, 12*s, nil)
	if err := os.MkdirAll(filepath.Join(dir, run.LogsDir), 0o750); err != nil {
		t.Fatal(err)
	}
	at := func(since time.Duration) string { return origin.Add(10*s + since).Format(time.RFC3339Nano) }
	text := at(-s) + " error: before\n" + at(s) + " all is well\nerror: without a time\n" + at(2*s) + " \x1b[31mERROR\x1b[0m connect: connection refused\n"
	var errors strings.Builder
	for word := range strings.FieldsSeq("a b c d e f g") {
		fmt.Fprintf(&errors, "%s error %s %s\n", at(3*s), word, strings.Repeat("x", 1000))
	}
	fmt.Fprintf(&errors, "%s error a %s\n%s error 7\n%s error 8\n", at(4*s), strings.Repeat("x", 1000), at(5*s), at(6*s))
	text += errors.String()
	for name, text := range map[string]string{"app-1": text, "app-2": at(s) + " no errors here, 0 failures\n"} {
		if err := os.WriteFile(filepath.Join(dir, run.LogsDir, name+".log"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := report.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Why) != 1 || r.Why[0].Component != "app-1" || len(r.Why[0].Lines) != 5 || r.Why[0].More != 6 || r.Why[0].From != nil {
		t.Fatalf("%+v", r.Why)
	}
	if first := r.Why[0].Lines[0]; first.Text != `\x1b[31mERROR\x1b[0m connect: connection refused` || first.At.Duration() != 2*s || len(r.Why[0].Lines[1].Text) > 300 {
		t.Errorf("%+v", r.Why[0].Lines)
	}
	if shown := written(t, terminalOf(100, r)); !strings.Contains(shown, "app-1, 2.00s after injection:") || strings.Contains(shown, "before") {
		t.Error(shown)
	}
}
