package probe

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gameday-dev/gameday/pkg/record"
)

// Visit is one user's attempt at the journey, with its results.
type Visit struct {
	Sample record.Sample
	Steps  []record.Sample
	Ack    *record.Ack // the write that the system acknowledged, if any
}

// Load sends users through a journey at an arrival rate.
type Load struct {
	Journey Journey
	Way     Way
	Rate    Rate
	Seed    uint64 // of the jitter of arrivals
}

// Confirm looks up acknowledged writes the same way; see [Confirm].
func (l Load) Confirm(ctx context.Context, acks []record.Ack, progress func(done, all int)) error {
	return Confirm(ctx, l.Journey, l.Way, acks, progress)
}

// Run sends users until ctx ends, then waits for the remaining ones for at most the
// journey's timeout. It calls on for every visit, one at a time, in the order in which
// visits end; on must not block for long. Run returns an error only if the load could
// not start.
func (l Load) Run(ctx context.Context, on func(Visit)) error {
	w, err := newWalker(l.Way.Entry, l.Journey.Steps...)
	if err != nil {
		return fmt.Errorf("journey %s: %w", l.Journey.Name, err)
	}
	timeout := l.Journey.limit()
	transport, err := l.Way.transport(timeout)
	if err != nil {
		return fmt.Errorf("journey %s: %w", l.Journey.Name, err)
	}
	defer transport.CloseIdleConnections()
	user := &user{
		walker: w, transport: transport, fresh: l.Journey.Connections == "fresh", timeout: timeout, walked: map[uint64][]stepResult{},
	}

	// The number of workers is unlimited: a limited number would wait for a stalled
	// server and then send late, in bursts. An Attacker can be used only once.
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: user}),
		vegeta.MaxBody(0),
	)
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	pace := &arrivals{rate: l.Rate, seed: l.Seed, ended: ctx.Done()}
	targeter := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: l.Way.Entry})
	for result := range attacker.Attack(targeter, pace, 0, l.Journey.Name) {
		on(l.visit(result, user.take(result.Seq)))
	}
	return nil
}

// visit combines vegeta's result of a hit with the results of its steps.
func (l Load) visit(result *vegeta.Result, steps []stepResult) Visit {
	v := Visit{Sample: record.Sample{
		Journey: l.Journey.Name, Seq: result.Seq, Sent: result.Timestamp, Latency: result.Latency,
	}}
	for _, s := range steps {
		sample := record.Sample{
			Journey: l.Journey.Name + "/" + s.title, Seq: result.Seq, Sent: s.sent, Latency: s.latency,
			Code: uint16(s.code), BytesOut: uint64(s.out), BytesIn: uint64(s.in), //nolint:gosec // G115: a status, and sizes
		}
		if s.err != nil {
			sample.Error, sample.Void = reason(s.err), ours(s.err)
			if sample.Code < http.StatusBadRequest {
				sample.Code = 0 // vegeta's own report counts any other code as a success
			}
			v.Sample.Error, v.Sample.Void = s.title+": "+sample.Error, sample.Void
		} else if !served(s.code) {
			sample.Code = http.StatusOK // it was expected, and vegeta would count it as a failure
		}
		if s.ackID != "" {
			v.Ack = &record.Ack{Journey: l.Journey.Name, ID: s.ackID, At: s.sent.Add(s.latency)}
		}
		v.Steps = append(v.Steps, sample)
		v.Sample.Code = sample.Code
		v.Sample.BytesIn += sample.BytesIn
		v.Sample.BytesOut += sample.BytesOut
	}
	if len(steps) == 0 {
		v.Sample.Error = result.Error // vegeta failed before the journey
	}
	return v
}

// user is the http.RoundTripper that walks a journey for every hit of vegeta.
type user struct {
	walker    *walker
	transport *http.Transport
	fresh     bool          // every user opens new connections
	timeout   time.Duration // of a whole journey

	mu     sync.Mutex
	walked map[uint64][]stepResult // by sequence number, until take
}

// RoundTrip walks the journey. It reports success or failure to vegeta in a response and
// never in an error, because vegeta would wrap the error.
func (u *user) RoundTrip(r *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(r.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("vegeta sent no sequence number: %w", err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), u.timeout)
	defer cancel()
	transport := u.transport
	if u.fresh {
		transport = transport.Clone()
		defer transport.CloseIdleConnections()
	}
	steps := u.walker.walk(ctx, transport, map[string]any{"seq": seq})
	u.mu.Lock()
	u.walked[seq] = steps
	u.mu.Unlock()
	response := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Request: r}
	if len(steps) == 0 || steps[len(steps)-1].err != nil {
		response.StatusCode = 0
	}
	return response, nil
}

func (u *user) take(seq uint64) []stepResult {
	u.mu.Lock()
	defer u.mu.Unlock()
	steps := u.walked[seq]
	delete(u.walked, seq)
	return steps
}

// arrivals is vegeta's pacer for users: on schedule, each user up to half a gap late.
// Without this jitter, three steps would reach three servers in the same order for ever.
//
// It waits for a user's time itself: vegeta would not notice meanwhile that the load has
// ended, and at 1/h that takes an hour.
type arrivals struct {
	rate  Rate
	seed  uint64
	ended <-chan struct{}
}

// Pace implements vegeta.Pacer.
func (a *arrivals) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	gap := float64(a.rate.Gap())
	late := rand.New(rand.NewPCG(a.seed, hits)).Float64() / 2 //nolint:gosec // G404: jitter, not a secret
	timer := time.NewTimer(time.Duration(gap*(float64(hits)+late)) - elapsed)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0, false
	case <-a.ended:
		return 0, true
	}
}

// Rate implements vegeta.Pacer.
func (a *arrivals) Rate(time.Duration) float64 { return a.rate.PerSecond() }
