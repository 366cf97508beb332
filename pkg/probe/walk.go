package probe

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"time"
)

// maxID is the maximum size of an acknowledged ID, in bytes: all of them are kept until
// they are looked up.
const maxID = 1 << 10

// stepResult is the result of a step.
type stepResult struct {
	title   string
	sent    time.Time     // without what was held before
	latency time.Duration // without held
	held    time.Duration // how long the step was held open, and all was well
	code    int
	in, out int
	// err is a transport error or a failed assertion.
	err error
	// answered is whether a response was read to its end, and could be judged.
	answered bool
	absent   bool // the response denies that there is such a thing
	wanted   bool // the status of the response was the expected one
	// connected is whether there was a connection, so that something may have been sent; it is
	// known of what a retrier may not send twice.
	connected bool
	ackID     string // the ID of the acknowledged write, if any
	// failed are the attempts before this one; polled is whether they were no failures, but
	// asked too early.
	failed []stepResult
	polled bool
	paused time.Duration // before the first attempt
	answer *Answer       // if the walker traces
	// captured are the values that the step captured, if the walker traces.
	captured map[string]string
}

// attempts are the failed attempts before the last one.
func (s stepResult) attempts() []stepResult {
	if s.polled {
		return nil
	}
	return s.failed
}

// walked is one user's way.
type walked struct {
	steps []stepResult
	// paused is how long the user did nothing, or held a step open. It is no part of the
	// journey's latency.
	paused time.Duration
	// remembered are the captured values that a look-up needs.
	remembered map[string]string
}

// user returns a user with the values of the journey.
func (w *walker) user(u User, seed, seq uint64) (*User, error) {
	u.cookies, u.traces = w.cookies, w.traces
	u.vars = map[string]any{"seq": w.place.number(seq)}
	if w.users != nil && len(w.users.Rows) > 0 {
		n := seq % uint64(len(w.users.Rows))
		if w.users.Order == "random" {
			n = rand.New(rand.NewPCG(seed, seq)).Uint64N(uint64(len(w.users.Rows))) //nolint:gosec // G404: a choice, not a secret
		}
		for i, column := range w.users.Columns {
			u.vars[column] = w.users.Rows[n][i]
		}
	}
	if len(w.let) == 0 {
		return &u, nil
	}
	made := make(map[string]any, len(w.let))
	for name, t := range w.let {
		value, err := t.render(u.vars)
		if err != nil {
			return &u, err
		}
		made[name] = value
	}
	maps.Copy(u.vars, made)
	return &u, nil
}

// walk takes the steps of one user, up to the first step that fails. limit is the
// timeout of the journey, without its pauses.
func (w *walker) walk(ctx context.Context, u *User, limit time.Duration) (way walked) {
	way.steps = make([]stepResult, 0, len(w.steps))
	left := limit
	for i := range w.steps {
		s := &w.steps[i]
		paused := time.Duration(0)
		if s.Pause > 0 {
			started := time.Now()
			wait(ctx, s.Pause)
			paused = time.Since(started)
			way.paused += paused
		}
		r := w.within(ctx, left, s, u)
		r.paused = paused
		left -= r.latency
		way.paused += r.held
		way.steps = append(way.steps, r)
		if r.err != nil {
			break
		}
	}
	if len(w.remembered) > 0 {
		way.remembered = make(map[string]string, len(w.remembered))
		for _, name := range w.remembered {
			if v, ok := u.vars[name]; ok {
				way.remembered[name] = text(v)
			}
		}
	}
	return way
}

// within takes a step. Only a journey with pauses needs a timeout for each step: that of
// the journey is ctx's.
func (w *walker) within(ctx context.Context, left time.Duration, s *step, u *User) stepResult {
	if !w.pauses {
		return w.take(ctx, s, u)
	}
	ctx, cancel := context.WithTimeout(ctx, left+s.held)
	defer cancel()
	return w.take(ctx, s, u)
}

// wait waits, and reports whether ctx has not ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// take takes one step with its attempts, and adds its captured values to the user's. Its
// result is that of the last attempt, with the time since the first one.
func (w *walker) take(ctx context.Context, s *step, u *User) stepResult {
	started := time.Now()
	var failed []stepResult
	for attempt := 1; ; attempt++ {
		r := w.once(ctx, s, u)
		pause, again := s.again(attempt, r, started)
		if again && wait(ctx, pause) {
			failed = append(failed, r)
			continue
		}
		if len(failed) > 0 {
			r.latency += r.sent.Sub(started)
			for _, f := range failed {
				r.latency -= f.held
				r.held += f.held
			}
			r.sent, r.failed, r.polled = started, failed, s.Poll != nil
		}
		r.sent = r.sent.Add(r.held) // when the system was asked for what then failed
		if r.err == nil && s.Expect.Within > 0 && r.latency > s.Expect.Within {
			r.err = Failure("slower than "+s.Expect.Within.String(), r.latency.String())
		}
		return r
	}
}

// again is whether the step is repeated after an attempt, and after which pause.
func (s *step) again(attempt int, r stepResult, started time.Time) (pause time.Duration, again bool) {
	switch {
	case r.err == nil:
		return 0, false
	case s.retries != nil:
		return doubled(s.retries.backoff, attempt), s.retries.again(attempt, r)
	case s.Retry != nil:
		return doubled(s.Retry.Backoff, attempt), attempt < s.Retry.Attempts
	case s.Poll != nil:
		return s.Poll.Every, isNotYet(r.err) && time.Since(started)+s.Poll.Every < s.Poll.Within
	}
	return 0, false
}

// maxDoubling is how often a backoff doubles.
const maxDoubling = 10

// doubled is the pause after an attempt, from 1: the backoff, which doubles with each one.
func doubled(backoff time.Duration, attempt int) time.Duration {
	return backoff << min(attempt-1, maxDoubling)
}

// notYetError is the error of a response to a poll that is not the result.
type notYetError struct{ error }

// Unwrap is why it is not the result.
func (e notYetError) Unwrap() error { return e.error }

func isNotYet(err error) bool {
	_, ok := errors.AsType[notYetError](err)
	return ok
}

// attempt sends the request of a step once, and judges the response.
func (w *walker) attempt(ctx context.Context, s *step, u *User) (r stepResult) {
	r = stepResult{title: s.title, sent: time.Now()}
	got, err := s.action.Do(ctx, u)
	r.latency = time.Since(r.sent) - got.Held // what follows is gameday's own time
	r.held = got.Held
	r.code, r.in, r.out, r.absent = got.Code, int(got.Size), got.Sent, got.Absent
	if w.traces {
		kept := got
		r.answer = &kept
	}
	if err != nil {
		r.err = err
		return r
	}
	if r.err = w.turn(ctx); r.err != nil {
		return r
	}
	defer func() { <-w.judging }()
	u.answer = got // the user is on the heap; an answer of its own would be an allocation for each step
	r.ackID, r.err = s.judge(&u.answer, u)
	if w.traces {
		r.captured = make(map[string]string, len(s.captures))
		for name := range s.captures {
			r.captured[name] = text(u.vars[name])
		}
	}
	r.wanted = u.answer.wanted
	r.answered = !errors.Is(r.err, errTooLarge)
	return r
}

// turn waits until a response can be judged. No more of them are judged at once than
// there are processors: a few megabytes of JSON take a hundred in memory.
func (w *walker) turn(ctx context.Context) error {
	select {
	case w.judging <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errNoTurn
	}
}

// errNoTurn is the load generator's own: the response has arrived.
var errNoTurn = errors.New("gameday had no processor free to judge the response")

// judge checks a response against the assertions, captures values, and returns the ID of
// the acknowledged write.
func (s *step) judge(got *Answer, u *User) (ackID string, err error) {
	if err := s.expect.hold(got); err != nil {
		return "", err
	}
	if s.Poll != nil {
		if err := s.until.hold(got); err != nil {
			return "", notYetError{err}
		}
	}
	for name, find := range s.captures {
		found, err := find(got)
		if err != nil {
			return "", err
		}
		if len(found) == 0 {
			return "", missing(s.Capture[name].what())
		}
		u.vars[name] = found[0]
	}
	return s.acknowledged(got, u)
}

// acknowledged is the ID of the write that a response acknowledges, if any.
func (s *step) acknowledged(got *Answer, u *User) (id string, err error) {
	switch {
	case s.chosen != nil:
		if id, err = u.Render(s.chosen); err != nil {
			return "", err
		}
	case s.acknowledges != nil:
		found, err := s.acknowledges(got)
		if err != nil {
			return "", err
		}
		if len(found) > 0 && found[0] != nil {
			id = text(found[0])
		}
	default:
		return "", nil
	}
	switch {
	case id == "":
		return "", missing(s.Acknowledges + " to acknowledge")
	case len(id) > maxID:
		return "", ownError(s.Acknowledges + " to acknowledge is longer than 1 KiB")
	}
	return id, nil
}
