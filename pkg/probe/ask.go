package probe

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Question is a step that is asked once, without a load: of a component, for its role.
type Question struct {
	Step      Step
	Way       Way
	Protocols Protocols
}

// Check reports what is wrong with the step, which knows no values of users.
func (q Question) Check(path string, problem func(path, format string, args ...any)) {
	q.Step.check(path, map[string]bool{}, problem)
}

// Ask asks, on a connection of its own, and returns nil if the answer is the expected one.
// Else the error is the class of what happened instead, with what was found.
func (q Question) Ask(ctx context.Context) error {
	r, err := q.ask(ctx)
	if err != nil || r.err == nil {
		return err
	}
	return r.class()
}

// Answer asks, as [Question.Ask] does, and returns the answer. That there is no such thing,
// such as no row, is an answer.
func (q Question) Answer(ctx context.Context) (Answer, error) {
	r, err := q.ask(ctx)
	switch {
	case err != nil:
		return Answer{}, err
	case r.err != nil && (r.answer == nil || !r.answer.Absent):
		return Answer{}, r.class()
	}
	return *r.answer, nil
}

// class is what happened instead of the expected answer.
func (r stepResult) class() error {
	text := reason(r.err)
	if m, ok := errors.AsType[mismatch](r.err); ok && m.found != "" {
		text += " (found " + m.found + ")"
	}
	return errors.New(text)
}

// ask asks on a connection of its own.
func (q Question) ask(ctx context.Context) (r stepResult, err error) {
	j := Journey{Steps: []Step{q.Step}, Connections: "fresh", Cookies: "off"}
	if deadline, ok := ctx.Deadline(); ok {
		j.Timeout = max(time.Until(deadline), time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(ctx, j.limit())
	defer cancel()
	transport, err := q.Way.transport(j.limit())
	if err != nil {
		return r, err
	}
	transport.DisableKeepAlives = true
	w, err := newWalker(compilation{Opening: Opening{Way: q.Way}, protocols: q.Protocols, journey: j, traces: true})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	u, err := w.user(User{client: http.RoundTripper(transport)}, 0, 0)
	if err != nil {
		return r, err
	}
	return w.take(ctx, &w.steps[0], u), nil
}
