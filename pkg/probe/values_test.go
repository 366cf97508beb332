package probe_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/probe"
)

func TestRatesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := probe.Rate{Users: rapid.IntRange(1, 1e6).Draw(t, "users"), Per: rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour}).Draw(t, "per")}
		text, err := r.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var again probe.Rate
		if err := again.UnmarshalText(text); err != nil || again != r {
			t.Errorf("%s: %v %v", text, again, err)
		}
		if gap := r.Gap() * time.Duration(r.Users); gap > r.Per || r.Per-gap >= time.Duration(r.Users) {
			t.Errorf("%s: a gap of %v", text, r.Gap())
		}
	})
	if zero := (probe.Rate{}); zero.PerSecond() != 0 || zero.Gap() != 0 {
		t.Errorf("no rate has %v a second", zero.PerSecond())
	}
}

func TestTitlesAndRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step                probe.Step
		title, method, path string
	}{
		{probe.Step{Name: "n", Get: "/a"}, "n", "GET", "/a"},
		{probe.Step{Delete: "/a"}, "/a", "DELETE", "/a"},
		{probe.Step{}, "", "", ""},
	} {
		if method, path := c.step.Request(); c.step.Title() != c.title || method != c.method || path != c.path {
			t.Errorf("%+v: %s %s %s", c.step, c.step.Title(), method, path)
		}
	}
	ack, confirm := probe.Step{Acknowledges: "$.id"}, &probe.Step{Get: "/"}
	for name, c := range map[string]struct {
		j    probe.Journey
		want bool
	}{
		"both":       {probe.Journey{Steps: []probe.Step{{}, ack}, Confirm: confirm}, true},
		"no confirm": {probe.Journey{Steps: []probe.Step{ack}}, false},
		"no ack":     {probe.Journey{Steps: []probe.Step{{}}, Confirm: confirm}, false},
	} {
		if got := c.j.Acknowledges(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestResultsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"empty": "", "text": "no results", "gzip of nothing": "\x1f\x8b", "broken gzip": "\x1f\x8bxxxxxxxxxxxxxxx"} {
		var last error
		for s, err := range probe.NewResults(strings.NewReader(text)).All() {
			if last = err; err == nil {
				t.Errorf("%s: found %+v", name, s)
			}
		}
		if !errors.Is(last, probe.ErrNotResults) {
			t.Errorf("%s: %v", name, last)
		}
	}
}

// A record that breaks off is an error with its number, and what came before is
// given.
func TestResultsThatBreakOff(t *testing.T) {
	t.Parallel()
	const line = `{"attack":"a","seq":0,"code":200,"timestamp":"2026-01-01T00:00:00Z","latency":1000000,"bytes_out":0,"bytes_in":0,"error":"","body":null,"method":"GET","url":"http://x","headers":null}` + "\n"
	n := 0
	var last error
	for _, err := range probe.NewResults(strings.NewReader(line + line + line[:40] + "\n" + line)).All() {
		if last = err; err == nil {
			n++
		}
	}
	if n != 2 || last == nil || !strings.Contains(last.Error(), "line 3") {
		t.Errorf("%d, %v", n, last)
	}
	for _, err := range probe.NewResults(strings.NewReader(line + line)).All() {
		if err != nil {
			t.Error(err)
		}
		break // a reader may stop
	}
}
