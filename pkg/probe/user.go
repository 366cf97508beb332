package probe

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// users is the http.RoundTripper that walks a journey for every hit of vegeta.
type users struct {
	walker    *walker
	transport *http.Transport
	fresh     bool          // every user opens new connections
	timeout   time.Duration // of a whole journey, without its pauses
	thinking  time.Duration // the pauses
	seed      uint64

	mu     sync.Mutex
	walked map[uint64]walked // by sequence number, until take
}

// begin prepares the users of a load.
func (l Load) begin() (*users, error) { return l.open(compilation{}) }

// open compiles the journey of a load.
func (l Load) open(c compilation) (*users, error) {
	l.connects()
	transport, err := l.Way.transport(l.Journey.limit())
	if err != nil {
		return nil, err
	}
	l.Client.limits(transport)
	if l.door != nil {
		transport.DialContext = l.door.through(transport.DialContext)
	}
	c.Way, c.protocols, c.journey, c.client, c.place = l.Way, l.Protocols, l.Journey, l.Client, l.Place
	w, err := newWalker(c)
	if err != nil {
		return nil, err
	}
	return &users{
		walker: w, transport: transport, fresh: l.Journey.Connections == "fresh", timeout: l.limit(), thinking: l.Journey.thinking(),
		seed: l.Seed, walked: map[uint64]walked{},
	}, nil
}

// close ends the connections that users shared.
func (u *users) close() error {
	u.transport.CloseIdleConnections()
	return u.walker.close()
}

// RoundTrip walks the journey. It reports success or failure to vegeta in a response and
// never in an error, because vegeta would wrap the error.
func (u *users) RoundTrip(r *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(r.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("vegeta sent no sequence number: %w", err)
	}
	way := u.walk(r.Context(), seq)
	u.mu.Lock()
	u.walked[seq] = way
	u.mu.Unlock()
	response := &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}
	if len(way.steps) == 0 || way.steps[len(way.steps)-1].err != nil {
		response.StatusCode = 0
	}
	return response, nil
}

// walk is the way of one user.
func (u *users) walk(ctx context.Context, seq uint64) walked {
	ctx, cancel := context.WithTimeout(ctx, u.timeout+u.thinking)
	defer cancel()
	transport := u.transport
	if u.fresh {
		transport = transport.Clone()
		defer transport.CloseIdleConnections()
	}
	one, err := u.walker.user(User{client: transport}, u.seed, seq)
	if err != nil {
		return walked{steps: []stepResult{{title: "let", sent: time.Now(), err: ownError(err.Error())}}}
	}
	return u.walker.walk(ctx, one, u.timeout)
}

func (u *users) take(seq uint64) walked {
	u.mu.Lock()
	defer u.mu.Unlock()
	way := u.walked[seq]
	delete(u.walked, seq)
	return way
}
