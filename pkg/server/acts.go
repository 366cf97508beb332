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

// The actions of the page and of the API. Their errors are shown to the client.

// errRequest is wrapped by the errors of requests that are invalid.
var errRequest = errors.New("invalid request")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errRequest}, args...)...)
}

// scenarioName is what the name of a scenario looks like. It allows no path.
var scenarioName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// environmentName is what the name of an environment or of a lab looks like.
var environmentName = regexp.MustCompile(`^(lab/)?[A-Za-z0-9][A-Za-z0-9_.+-]*$`)

func (s *Server) runNow(ctx context.Context, what, environment string) (store.Job, error) {
	if !scenarioName.MatchString(what) {
		return store.Job{}, invalid("%q is not a scenario name", what)
	}
	if environment != "" && !environmentName.MatchString(environment) {
		return store.Job{}, invalid("%q is not an environment name", environment)
	}
	note(ctx, "%s %s", what, environment)
	environment, err := s.Known(what, environment)
	if err != nil {
		return store.Job{}, invalid("%v", err)
	}
	return s.Daemon.Ask(ctx, store.Job{What: what, Environment: environment, Who: personOf(ctx).Name})
}

func (s *Server) approve(ctx context.Context, id int64) (store.Job, error) {
	if err := s.Daemon.Approve(ctx, id, personOf(ctx).Name); err != nil {
		return store.Job{}, err
	}
	return s.Daemon.Store.Job(ctx, id)
}

// stop stops a job; id 0 means all jobs.
func (s *Server) stop(ctx context.Context, id int64) (int, error) {
	if id != 0 {
		if _, err := s.Daemon.Store.Job(ctx, id); errors.Is(err, store.ErrNone) {
			return 0, err
		}
	}
	n, err := s.Daemon.Stop(ctx, id, personOf(ctx).Name)
	if err == nil && id != 0 && n == 0 {
		err = fmt.Errorf("job %d has already ended: %w", id, store.ErrState)
	}
	return n, err
}

// hold holds an environment. until is a time, a duration, or empty.
func (s *Server) hold(ctx context.Context, environment, why, until string) (store.Hold, error) {
	h := store.Hold{Environment: environment, Why: strings.TrimSpace(why), Who: personOf(ctx).Name, Since: s.Daemon.Now()}
	if !environmentName.MatchString(environment) {
		return h, invalid("%q is not an environment name", environment)
	}
	if h.Why == "" || len(h.Why) > 500 {
		return h, invalid("why: expected a reason of 1 to 500 characters")
	}
	note(ctx, "%s, %s", environment, h.Why)
	var err error
	if h.Until, err = ParseUntil(until, s.Daemon.Now()); err != nil {
		return h, invalid("%v", err)
	}
	return h, s.Daemon.Hold(ctx, h)
}

// ParseUntil reads the end of a hold: a time, or a duration from now. It returns the
// zero time for "", which means until the hold is released.
func ParseUntil(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || !t.After(now) {
		return time.Time{}, fmt.Errorf("until %q: expected a time in the future such as %s, or a duration such as 2h", text, now.Add(time.Hour).UTC().Format(time.RFC3339))
	}
	return t, nil
}

func (s *Server) release(ctx context.Context, environment string) error {
	if !environmentName.MatchString(environment) {
		return invalid("%q is not an environment name", environment)
	}
	note(ctx, "%s", environment)
	return s.Daemon.Store.Release(ctx, environment)
}

// waiting are the jobs that have not ended.
func (s *Server) waiting(ctx context.Context) ([]store.Job, error) {
	return s.Daemon.Store.Jobs(ctx, store.Filter{States: []store.State{store.Running, store.Queued, store.Awaiting}})
}
