package server

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/store"
)

// What people do, the same by the page and by the API. Its errors are for them.

// errAsked is wrapped by the error of somebody who has asked for what cannot be.
var errAsked = errors.New("cannot be done")

func asked(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errAsked}, args...)...)
}

// word is what a scenario, an environment and a component may be called here: no path.
var word = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// place is what an environment may be called: its name, or that of a lab.
var place = regexp.MustCompile(`^(lab/)?[A-Za-z0-9][A-Za-z0-9_.+-]*$`)

func (s *Server) runNow(ctx context.Context, what, environment string) (store.Job, error) {
	if !word.MatchString(what) {
		return store.Job{}, asked("%q is no name of a scenario", what)
	}
	if environment != "" && !place.MatchString(environment) {
		return store.Job{}, asked("%q is no name of an environment", environment)
	}
	note(ctx, "%s %s", what, environment)
	environment, err := s.Known(what, environment)
	if err != nil {
		return store.Job{}, asked("%v", err)
	}
	return s.Daemon.Ask(ctx, store.Job{What: what, Environment: environment, Who: personOf(ctx).Name})
}

func (s *Server) approve(ctx context.Context, id int64) (store.Job, error) {
	if err := s.Daemon.Approve(ctx, id, personOf(ctx).Name); err != nil {
		return store.Job{}, err
	}
	return s.Daemon.Store.Job(ctx, id)
}

// stop stops a job, or all where id is 0.
func (s *Server) stop(ctx context.Context, id int64) (int, error) {
	if id != 0 {
		if _, err := s.Daemon.Store.Job(ctx, id); errors.Is(err, store.ErrNone) {
			return 0, err
		}
	}
	n, err := s.Daemon.Stop(ctx, id, personOf(ctx).Name)
	if err == nil && id != 0 && n == 0 {
		err = fmt.Errorf("job %d has ended already: %w", id, store.ErrState)
	}
	return n, err
}

// hold holds an environment, until a moment or for a time.
func (s *Server) hold(ctx context.Context, environment, why, until string) (store.Hold, error) {
	h := store.Hold{Environment: environment, Why: strings.TrimSpace(why), Who: personOf(ctx).Name, Since: s.Daemon.Now()}
	if !place.MatchString(environment) {
		return h, asked("%q is no name of an environment", environment)
	}
	if h.Why == "" || len(h.Why) > 500 {
		return h, asked("say why, in up to 500 letters")
	}
	note(ctx, "%s, %s", environment, h.Why)
	var err error
	if h.Until, err = ParseUntil(until, s.Daemon.Now()); err != nil {
		return h, asked("%v", err)
	}
	return h, s.Daemon.Hold(ctx, h)
}

// ParseUntil reads until when: a moment, or how long from now; "" is until it is
// released.
func ParseUntil(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || !t.After(now) {
		return time.Time{}, fmt.Errorf("until %q: expected a moment to come such as %s, or how long, such as 2h", text, now.Add(time.Hour).UTC().Format(time.RFC3339))
	}
	return t, nil
}

func (s *Server) release(ctx context.Context, environment string) error {
	if !place.MatchString(environment) {
		return asked("%q is no name of an environment", environment)
	}
	note(ctx, "%s", environment)
	return s.Daemon.Store.Release(ctx, environment)
}

// waiting are the jobs that have not ended.
func (s *Server) waiting(ctx context.Context) ([]store.Job, error) {
	return s.Daemon.Store.Jobs(ctx, store.Filter{States: []store.State{store.Running, store.Queued, store.Awaiting}})
}
