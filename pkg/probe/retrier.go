package probe

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// retrying is how a retrier tries a failed request again.
type retrying struct {
	attempts int
	backoff  time.Duration
	timeout  time.Duration // of one attempt
	// safe is whether the server may receive the request twice. If it may not, only what was
	// not sent is tried again.
	safe bool
}

// retrying is how the client tries a failed request again, if the timeout of the journey is
// limit.
func (c Client) retrying(limit time.Duration) retrying {
	return retrying{attempts: cmp.Or(c.Attempts, DefaultAttempts), backoff: c.Backoff, timeout: cmp.Or(c.Timeout, limit)}
}

// whole is how long all attempts may take, with the pauses between them, in nanoseconds. The
// settings may be any, so that a duration could overflow.
func (r retrying) whole() (ns float64) {
	attempts := min(r.attempts, maxAttempts)
	ns = float64(attempts) * float64(r.timeout)
	for n := range attempts - 1 {
		ns += float64(int(1)<<min(n, maxDoubling)) * float64(r.backoff)
	}
	return ns
}

// retries is how a step is tried again by the client; nil if it is not. A step with its own
// retry or poll keeps that: the journey's author knows what the product does there.
func (c compilation) retries(s Step) *retrying {
	method, _ := s.Request()
	if c.client.Kind != Retrier || method == "" || s.Retry != nil || s.Poll != nil {
		return nil
	}
	r := c.client.retrying(c.journey.limit())
	r.safe = s.repeatable()
	return &r
}

// repeatable reports whether a server may receive the request twice: its method is idempotent
// (RFC 9110, 9.2.2), or it has an identity that the user made once, by which the server can
// tell that it is the same one. A value of a template is made for each attempt, unless it is
// a value of the user.
func (s Step) repeatable() bool {
	method, _ := s.Request()
	if slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete}, method) {
		return true
	}
	for name, text := range s.Headers {
		if strings.EqualFold(name, "Idempotency-Key") && s.once(text) {
			return true
		}
	}
	return isTemplate(s.Acknowledges) && s.once(s.Acknowledges)
}

// once reports whether a text is the same in all attempts of the step.
func (s Step) once(text string) bool {
	found, err := uses(text)
	if err != nil || len(found.names) == 0 {
		return false
	}
	for name := range s.Capture {
		if slices.Contains(found.names, name) {
			return false // the server made it
		}
	}
	return !slices.ContainsFunc(found.functions, func(f string) bool { return f == "uuid" || f == "now" || f == "random" })
}

// again reports whether a failed attempt is worth another one: there was no complete response,
// or it was the server's error. What was the load generator's own fault is none of the
// client's business.
func (r retrying) again(attempt int, met stepResult) bool {
	if attempt >= r.attempts || ours(met.err) {
		return false
	}
	_, own := errors.AsType[ownError](met.err)
	if met.code < http.StatusInternalServerError && own {
		return false // an assertion failed
	}
	return r.safe || unsent(met)
}

// unsent reports whether nothing of a request was sent, as there was no connection.
func unsent(met stepResult) bool { return met.code == 0 && !met.connected }

// once sends the request of a step once. An attempt of a retrier has a timeout of its own.
func (w *walker) once(ctx context.Context, s *step, u *User) stepResult {
	if s.retries == nil {
		return w.attempt(ctx, s, u)
	}
	ctx, cancel := context.WithTimeout(ctx, s.retries.timeout)
	defer cancel()
	if s.retries.safe {
		return w.attempt(ctx, s, u)
	}
	// The error does not tell: it may be that of a connection to where the server has sent
	// the user, or of the one on which net/http itself sends a request again.
	var connected atomic.Bool
	r := w.attempt(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}), s, u)
	r.connected = connected.Load()
	return r
}
