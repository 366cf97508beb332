package steps

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// maxIdle is how long an unused connection is kept, as with HTTP.
const maxIdle = 90 * time.Second

// session is a connection on which a protocol has been agreed on.
type session interface {
	// Close releases what belongs to the session. The connection is closed already.
	Close() error
	// usable reports whether another user can use it.
	usable() bool
}

// pool are the sessions that users share. It has no upper bound and no queue: a user who
// finds none idle opens one. So there are at most as many as there are users at once.
type pool[S session] struct {
	kind  string // the key of the step, in front of errors
	fresh bool   // each user opens a new one
	open  func(ctx context.Context, d *dialing) (S, error)
	dial  func(ctx context.Context, network, address string) (net.Conn, error)

	mu     sync.Mutex
	idle   []member[S]
	closed bool
}

// member is a session with its connection.
type member[S session] struct {
	session S
	net     *conn
	since   time.Time // when it became idle
}

func (m member[S]) close() {
	_ = m.net.Close()     // its end was judged, or it was idle
	_ = m.session.Close() // the same
}

// use lets one user use a session. An error of do is of the server or of its connection.
func (p *pool[S]) use(ctx context.Context, do func(S) error) error {
	m, ok := p.take()
	if !ok {
		d := &dialing{dial: p.dial}
		s, err := p.open(context.WithValue(ctx, dialingKey{}, d), d)
		last := d.end()
		if err != nil {
			if last != nil {
				_ = last.Close() // it is not used
			}
			return p.reason(ctx, last, err)
		}
		m = member[S]{session: s, net: last}
	}
	stop := context.AfterFunc(ctx, func() { _ = m.net.Close() })
	err := do(m.session)
	if !stop() || p.fresh || m.net.cause() != nil || !m.session.usable() || !p.give(m) {
		m.close()
	}
	return p.reason(ctx, m.net, err)
}

// take takes the session that was used last, and closes those that have ended.
func (p *pool[S]) take() (m member[S], ok bool) {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 || p.fresh {
			p.mu.Unlock()
			return m, false
		}
		m, p.idle = p.idle[n-1], p.idle[:n-1]
		p.mu.Unlock()
		if time.Since(m.since) < maxIdle && m.net.quiet() {
			return m, true
		}
		m.close()
	}
}

// give puts a session back, and reports whether it was kept.
func (p *pool[S]) give(m member[S]) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	m.since = time.Now()
	p.idle = append(p.idle, m)
	return true
}

// Close closes the idle sessions. Those in use are closed by their users.
func (p *pool[S]) Close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, m := range idle {
		m.close()
	}
	return nil
}

// reason is the error of a user in gameday's own words: what ended the step is what counts,
// not what a library made of it.
func (p *pool[S]) reason(ctx context.Context, c *conn, err error) error {
	if err == nil {
		return nil
	}
	if denial, ok := errors.AsType[refusal](err); ok {
		return probe.Failure(p.kind+": "+denial.class, denial.text)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", p.kind, ctx.Err())
	}
	if ofTLS(err) {
		return err
	}
	if c != nil && c.cause() != nil {
		return c.cause()
	}
	if _, ok := errors.AsType[net.Error](err); ok || ended(err) {
		return err
	}
	if strings.Contains(strings.ToLower(err.Error()), "tls") {
		return probe.Failure(p.kind+": the server does not offer TLS", err.Error())
	}
	return probe.Failure(p.kind+": malformed response", err.Error())
}

// ofTLS reports whether a server's certificate was not trusted, or the server does not
// speak TLS.
func ofTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	return ok
}

// refusal is an error that the server answered. class has nothing of its text.
type refusal struct{ class, text string }

// Error implements error.
func (r refusal) Error() string { return r.class + ": " + r.text }
