package server

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/store"
)

// The actions of the page and of the API. Their errors are shown to the client.

// errRequest is wrapped by the errors of requests that are invalid.
var errRequest = errors.New("invalid request")

// actFor is how long an action may take. It goes on if the client disconnects: an order to
// stop that has arrived must not be carried out by half.
const actFor = 20 * time.Second

func acting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), actFor)
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errRequest}, args...)...)
}

// The maximum lengths of texts, in bytes.
const (
	maxName = 200 // of a name in a message
	maxWhy  = 500 // of the reason of a hold
)

// environmentName is what the name of an environment or of a lab looks like.
var environmentName = regexp.MustCompile(`^(lab/)?[A-Za-z0-9][A-Za-z0-9_.+-]*$`)

func checkEnvironment(name string) error {
	if !environmentName.MatchString(name) {
		return invalid("%q is not an environment name", plaintext.OneLine(name, maxName))
	}
	return nil
}

func (s *Server) runNow(ctx context.Context, what, environment string) (store.Job, error) {
	ctx, cancel := acting(ctx)
	defer cancel()
	if !scenario.IsName(what) {
		return store.Job{}, invalid("%q is not a scenario name", plaintext.OneLine(what, maxName))
	}
	if err := checkEnvironment(environment); environment != "" && err != nil {
		return store.Job{}, err
	}
	note(ctx, "%s %s", what, environment)
	environment, err := s.Known(what, environment)
	if err != nil {
		return store.Job{}, invalid("%v", err)
	}
	return s.Daemon.Ask(ctx, store.Job{What: what, Environment: environment, Who: personOf(ctx).Name})
}

func (s *Server) approve(ctx context.Context, id int64) (store.Job, error) {
	ctx, cancel := acting(ctx)
	defer cancel()
	if err := s.Daemon.Approve(ctx, id, personOf(ctx).Name); err != nil {
		return store.Job{}, err
	}
	return s.Daemon.Store.Job(ctx, id)
}

// stop stops a job; id 0 means all jobs.
func (s *Server) stop(ctx context.Context, id int64) (int, error) {
	ctx, cancel := acting(ctx)
	defer cancel()
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
	ctx, cancel := acting(ctx)
	defer cancel()
	h := store.Hold{Environment: environment, Who: personOf(ctx).Name, Since: s.Daemon.Now()}
	if err := checkEnvironment(environment); err != nil {
		return h, err
	}
	var err error
	if h.Why, err = ParseReason(why); err != nil {
		return h, invalid("%v", err)
	}
	note(ctx, "%s, %s", environment, h.Why)
	if h.Until, err = ParseUntil(until, s.Daemon.Now()); err != nil {
		return h, invalid("%v", err)
	}
	if err := Holdable(ctx, s.Daemon.Store, environment, s.known); err != nil {
		return h, invalid("%v", err)
	}
	return h, s.Daemon.Hold(ctx, h)
}

// known checks that there is an environment of a name. The environments of schedules are
// known even if gameday.yaml cannot be read just now.
func (s *Server) known(environment string) error {
	if slices.ContainsFunc(s.Daemon.All(), func(sch scenario.Schedule) bool { return sch.Environment == environment }) {
		return nil
	}
	return s.Environment(environment)
}

// Holdable checks that a hold on an environment holds something: a job uses it, or known
// knows it. A hold on a mistyped name would look like one, and hold nothing.
func Holdable(ctx context.Context, s *store.Store, environment string, known func(string) error) error {
	unknown := known(environment)
	if unknown == nil {
		return nil
	}
	jobs, err := s.Jobs(ctx, store.Filter{Environment: environment, States: []store.State{store.Running, store.Queued, store.Awaiting}, Limit: 1})
	if err == nil && len(jobs) > 0 {
		return nil // it was removed from gameday.yaml meanwhile
	}
	return unknown
}

// ParseReason reads the reason of a hold, as it is shown: on one line.
func ParseReason(text string) (string, error) {
	why := plaintext.OneLine(text, maxWhy+1)
	if why == "" || len(why) > maxWhy {
		return "", fmt.Errorf("why: expected a reason of 1 to %d characters", maxWhy)
	}
	return why, nil
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
		return time.Time{}, fmt.Errorf("until %q: expected a time in the future such as %s, or a duration such as 2h", plaintext.OneLine(text, maxName), now.Add(time.Hour).UTC().Format(time.RFC3339))
	}
	return t, nil
}

func (s *Server) release(ctx context.Context, environment string) error {
	ctx, cancel := acting(ctx)
	defer cancel()
	if err := checkEnvironment(environment); err != nil {
		return err
	}
	note(ctx, "%s", environment)
	return s.Daemon.Store.Release(ctx, environment)
}

// waiting are the jobs that have not ended.
func (s *Server) waiting(ctx context.Context) ([]store.Job, error) {
	return s.Daemon.Store.Jobs(ctx, store.Filter{States: []store.State{store.Running, store.Queued, store.Awaiting}})
}
