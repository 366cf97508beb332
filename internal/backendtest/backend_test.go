// Package backendtest_test holds the protocols of journeys against one another, and against
// back ends that are lost, in real containers: one process there speaks HTTP, gRPC and
// WebSockets.
package backendtest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// outages are what each journey of a run met.
func outages(t *testing.T, f run.Folder) map[string]verdict.Verdict {
	t.Helper()
	_, cases, err := f.Judge(nil)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]verdict.Verdict{}
	for _, c := range cases {
		all[c.Journey] = verdict.Judge(c.Case)
	}
	return all
}

// One back end is killed for four seconds. Users of HTTP and users of gRPC, fifty of each a
// second, are told of the same outage: neither protocol adds a wait of its own.
func TestOneOutageByTwoProtocols(t *testing.T) { //nolint:paralleltest // it measures
	enginetest.Long(t, "backend")
	s := newSystem(t)
	s.write(t, "journeys/web.yaml", "version: 1\nname: web\nsteps: [{name: order, post: /orders, expect: {status: 201}}]\n")
	s.write(t, "journeys/calls.yaml", "version: 1\nname: calls\nsteps: [{name: order, grpc: {method: grpc.testing.TestService/UnaryCall, address: ':50051'}, expect: {json: {$.username: open}}}]\n")
	f := s.breaks(t, "outage", `version: 1
name: outage
environment: direct
objective: {rto: 15s, good: 99%, within: 500ms}
load: [{journey: web, rate: 50/s, critical: true}, {journey: calls, rate: 50/s, critical: true}]
faults: [{kill: {target: {label: backend=11}, for: 4s}}]
timing: {baseline: 5s, watch: 15s, repair: 30s}
`)
	all := outages(t, f)
	web, calls := all["web"], all["calls"]
	for name, v := range all {
		if v.State != verdict.Recovered || v.RecoveryLo == nil || v.RecoveryHi == nil {
			t.Fatalf("%s: %+v", name, v)
		}
		t.Logf("%s: recovered after %s to %s, from the first bad user, at %s", name, v.RecoveryLo, v.RecoveryHi, v.FirstImpact)
	}
	lo := max(*web.FirstImpact+*web.RecoveryLo, *calls.FirstImpact+*calls.RecoveryLo)
	hi := min(*web.FirstImpact+*web.RecoveryHi, *calls.FirstImpact+*calls.RecoveryHi)
	t.Logf("both within %s to %s", lo, hi)
	if lo > hi || *web.RecoveryHi < *calls.RecoveryLo || *calls.RecoveryHi < *web.RecoveryLo {
		t.Error("the bounds do not overlap")
	}
	if *web.RecoveryLo < verdict.Seconds(3*time.Second) {
		t.Errorf("the back end was gone for 4s, found an outage of %s", web.RecoveryLo)
	}
}

// held is what users of a journey met from the moment of the fault on.
type held struct {
	bad  []record.Sample
	good int // of those that left more than five seconds after the fault
}

func heldIn(t *testing.T, f run.Folder, journey string) (h held) {
	t.Helper()
	at := f.Marks[record.MarkFault]
	for s, err := range record.Samples(f.Dir, record.SamplesFile) {
		switch {
		case err != nil:
			t.Fatal(err)
		case s.Journey != journey || s.Sent.Add(s.Latency).Before(at):
		case s.Failed():
			h.bad = append(h.bad, s)
		case s.Sent.After(at.Add(5 * time.Second)):
			h.good++
		}
	}
	return h
}

// patience is the journeys' timeout, and some more for a busy machine.
const patience = 2500 * time.Millisecond

// Users hold a stream of gRPC or a WebSocket for three seconds, while a proxy fails over
// from one back end to another: who held one of the lost back end was not served, and is
// told why; nobody hangs, and who comes later is served by the other.
func TestStreamsThroughAFailover(t *testing.T) { //nolint:paralleltest // it measures
	enginetest.Long(t, "backend")
	for fault, holders := range map[string]map[string]string{ //nolint:paralleltest // it measures; what most users meet who hold one
		"kill": {"stream": "s: connection closed", "live": "s: the server closed the WebSocket while it was held"},
		// Nothing tells of it but the silence.
		"pause": {"stream": "s: the stream was silent for 1s", "live": "s: the server was silent for 1s while the WebSocket was held"},
	} {
		t.Run(fault, func(t *testing.T) {
			s := newSystem(t)
			s.write(t, "journeys/stream.yaml", "version: 1\nname: stream\nsteps: [{name: s, grpc: {method: grpc.testing.TestService/StreamingOutputCall, address: ':50051', stream: {hold: 3s, gap: 1s}}}]\n")
			s.write(t, "journeys/live.yaml", "version: 1\nname: live\nsteps: [{name: s, websocket: {path: /live, hold: 3s, gap: 1s}, expect: {json: {$.state: open}}}]\n")
			f := s.breaks(t, fault, `version: 1
name: `+fault+`
environment: proxy
objective: {rto: 10s, good: 99%, within: 1s}
load: [{journey: stream, rate: 10/s, critical: true}, {journey: live, rate: 10/s, critical: true}]
faults: [{`+fault+`: {target: {label: backend=11}}}]
timing: {baseline: 6s, watch: 14s, repair: 30s}
`)
			for journey, v := range outages(t, f) {
				h := heldIn(t, f, journey)
				t.Logf("%s: %s after at most %v; %d users were not served, %d later ones were", journey, v.State, v.RecoveryHi, len(h.bad), h.good)
				// Ten a second hold for three seconds each: thirty when the fault comes. Those that
				// come until the proxy fails over are not served either.
				if v.State != verdict.Recovered || len(h.bad) < 25 || len(h.bad) > 90 || h.good < 50 {
					t.Errorf("%s: %d users were not served, expected about 30; %d later ones were: %+v", journey, len(h.bad), h.good, v)
				}
				found := map[string]int{}
				for _, s := range h.bad {
					if found[s.Error]++; s.Latency > patience {
						t.Errorf("%s: %s after %v, expected an end within %v", journey, s.Error, s.Latency, patience)
					}
				}
				t.Logf("%s: %v", journey, found)
				if found[holders[journey]] < 15 {
					t.Errorf("%s: %d users met %q", journey, found[holders[journey]], holders[journey])
				}
				delete(found, holders[journey])
				for class := range found { // of those who came until the proxy failed over, too
					if !slices.Contains([]string{"s: connection closed", "s: the stream was silent for 1s", "s: timeout"}, class) {
						t.Errorf("%s: found %q", journey, class)
					}
				}
			}
		})
	}
}
