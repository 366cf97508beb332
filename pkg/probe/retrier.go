package probe

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
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
	r := retrying{attempts: c.Attempts, backoff: c.Backoff, timeout: c.Timeout}
	if r.attempts == 0 {
		r.attempts = DefaultAttempts
	}
	if r.timeout == 0 {
		r.timeout = limit
	}
	return r
}

// pause is the time between an attempt and the next one.
func (r retrying) pause(attempt int) time.Duration { return r.backoff << min(attempt-1, maxDoubling) }

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
func unsent(met stepResult) bool {
	if met.code != 0 {
		return false
	}
	if _, ok := errors.AsType[*net.DNSError](met.err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](met.err)
	return ok && op.Op == "dial"
}

// once sends the request of a step once. An attempt of a retrier has a timeout of its own.
func (w *walker) once(ctx context.Context, s *step, u *User) stepResult {
	if s.retries == nil {
		return w.attempt(ctx, s, u)
	}
	ctx, cancel := context.WithTimeout(ctx, s.retries.timeout)
	defer cancel()
	return w.attempt(ctx, s, u)
}
