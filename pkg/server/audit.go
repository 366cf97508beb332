package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/store"
)

// remarks are what a handler adds to the audit log's entry of its request.
type remarks struct {
	detail string // not a secret
	known  bool   // the client has logged in with this request
}

// notesKey is the context key of the remarks.
type notesKey struct{}

// note adds a detail to the audit log's entry of a request. It must not be a secret.
func note(ctx context.Context, format string, args ...any) {
	if n, ok := ctx.Value(notesKey{}).(*remarks); ok {
		n.detail = fmt.Sprintf(format, args...)
	}
}

// statusRecorder records the status of a response.
type statusRecorder struct {
	http.ResponseWriter
	status int
	ended  bool // the handler has returned, and has not panicked
}

// WriteHeader implements [http.ResponseWriter].
func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap gives [http.ResponseController] access to the wrapped writer.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// maxPath is the maximum length of a path in the audit log, in bytes.
const maxPath = 200

// account writes an action, or an attempt at one, to the audit log. Attempts can be made
// without end: most of them are only counted. That is also true of an action that needs
// no token, which is to log out without being logged in.
func (s *Server) account(r *http.Request, p person, answer *statusRecorder) {
	outcome := http.StatusText(answer.status)
	switch {
	case !answer.ended:
		outcome = "failed: the handler panicked"
	case answer.status < http.StatusMultipleChoices, answer.status == http.StatusSeeOther: // the redirect after a form
		outcome = "done"
	}
	what := r.Method + " " + plaintext.OneLine(r.URL.Path, maxPath)
	n, _ := r.Context().Value(notesKey{}).(*remarks)
	if n.detail != "" {
		what += ": " + n.detail
	}
	e := store.Entry{Who: p.Name, From: p.From, What: what, Outcome: outcome}
	switch {
	case !p.Known && !n.known:
		s.strangers.add(e, s.enterCounted)
	case answer.ended && answer.status >= http.StatusBadRequest:
		s.refusals.add(e, s.enterCounted) // another site's page can have a browser try again and again
	default:
		s.enter(r.Context(), e)
	}
}

// enterCounted is [Server.enter] for what belongs to no request, or to several.
func (s *Server) enterCounted(e store.Entry) { s.enter(s.lasts, e) }

// enter writes a line to the audit log.
func (s *Server) enter(ctx context.Context, e store.Entry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	e = e.Short()
	s.Log.Info("audit", "who", e.Who, "from", e.From, "what", e.What, "outcome", e.Outcome)
	if err := s.Daemon.Store.Audit(ctx, e); err != nil {
		s.complain("write the audit log", err)
	}
}

// A crowd keeps the first entries of a minute, and counts the others: they are one entry,
// which is written when the minute is over.
type crowd struct {
	name  string // of several clients
	first int    // the number of entries that are kept

	ending sync.Mutex // held until the entry that sums up is written
	mu     sync.Mutex // guards the rest
	n      int
	last   store.Entry
	names  map[string]bool // of clients, up to a maximum
	from   map[string]bool // addresses, likewise
	timer  *time.Timer
}

const (
	crowdTime = time.Minute
	maxFrom   = 1000 // different names or addresses that are counted
	// tooMany is how many requests without a valid token are answered with a page in a
	// minute.
	tooMany = 300
)

// add writes an entry, or counts it.
func (c *crowd) add(e store.Entry, write func(store.Entry)) {
	if c.count(e, write) <= c.first {
		write(e)
	}
}

func (c *crowd) count(e store.Entry, write func(store.Entry)) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	switch {
	case c.n == 1:
		c.names, c.from = map[string]bool{}, map[string]bool{}
		c.timer = time.AfterFunc(crowdTime, func() { c.end(write) })
	case c.n > c.first:
		c.last = e
		if len(c.names) < maxFrom {
			c.names[e.Who] = true
		}
		if len(c.from) < maxFrom {
			c.from[e.From] = true
		}
	}
	return c.n
}

// many reports whether the entries of this minute have reached tooMany: the next one gets a
// short answer.
func (c *crowd) many() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n >= tooMany
}

// end sums up the entries that were counted.
func (c *crowd) end(write func(store.Entry)) {
	c.ending.Lock()
	defer c.ending.Unlock()
	if e, ok := c.sum(); ok {
		write(e)
	}
}

func (c *crowd) sum() (e store.Entry, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
	e, more := c.last, c.n-c.first
	if len(c.names) > 1 {
		e.Who = c.name
	}
	if others := len(c.from) - 1; others > 0 {
		e.From = fmt.Sprintf("%s and %d other addresses", e.From, others)
	}
	e.What = fmt.Sprintf("%d more refused requests within a minute, the last: %s", more, e.What)
	c.n, c.timer, c.names, c.from = 0, nil, nil, nil
	return e, more > 0
}

// maxComplaints is how many errors of requests are logged in a minute.
const maxComplaints = 60

// complaints counts the errors that were logged.
type complaints struct {
	mu    sync.Mutex
	began time.Time
	n     int
}

func (c *complaints) count(now time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if since := now.Sub(c.began); since < 0 || since >= time.Minute {
		c.began, c.n = now, 0
	}
	c.n++
	return c.n
}

// complain logs the error of a request. Clients can cause errors without end: beyond a
// number in a minute they are not logged.
func (s *Server) complain(what string, err error) {
	if errors.Is(err, context.Canceled) {
		return // the client has disconnected
	}
	switch n := s.complaints.count(time.Now()); {
	case n <= maxComplaints:
		s.Log.Error(what, "err", plaintext.OneLine(err.Error(), 1000))
	case n == maxComplaints+1:
		s.Log.Error("more errors of requests are not logged for a minute")
	}
}
