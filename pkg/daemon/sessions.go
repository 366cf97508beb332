package daemon

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/store"
)

// Sessions carries jobs out as a person's commands are, by the very same functions,
// without a terminal.
type Sessions struct{ Session session.Session }

var _ Runner = Sessions{}

// absent is the person of a run that no person started.
type absent struct{}

// Do implements [fault.Person].
func (absent) Do(context.Context, string) error {
	return errors.New("gameday serve has no person at a terminal to do it: use gameday run for this scenario")
}

// Run implements [Runner].
func (s Sessions) Run(ctx context.Context, j store.Job, on func(Live)) Result {
	secrets := redact.Common()
	say := func(text string) { on(Live{Kind: Line, Text: secrets.Text(text)}) }
	quiet := s.Session
	quiet.Warn = func(err error) { say("warning: " + err.Error()) }
	w := &watching{on: on, say: say}
	beats, stop := context.WithCancel(context.WithoutCancel(ctx))
	var beating sync.WaitGroup
	beating.Go(func() { w.beat(beats) })
	defer func() { stop(); beating.Wait() }()
	var r Result
	var err error
	if j.What == scenario.SweepWord {
		r, err = runSweep(ctx, quiet, j, w)
	} else {
		r, err = runScenario(ctx, quiet, j, w)
	}
	r.ExitCode, r.Left = session.ExitCode(err, r.ExitCode), errors.Is(err, run.ErrNotPutBack)
	if err != nil {
		r.Why = cmp.Or(r.Why, secrets.Text(err.Error()))
		r.Never = r.Document == "" && r.ExitCode == session.ExitUsage
	}
	return r
}

// runScenario runs a scenario once.
func runScenario(ctx context.Context, s session.Session, j store.Job, w *watching) (Result, error) {
	in, err := s.Find(j.What, j.Environment)
	if err != nil {
		return Result{}, err
	}
	o, err := s.Run(ctx, w.request(in))
	if o == nil {
		return Result{}, err
	}
	var document bytes.Buffer
	err = errors.Join(err, report.JSON(&document, o.Report))
	return Result{
		Run: o.Report.ID, Verdict: string(o.Report.Outcome), ExitCode: o.Report.ExitCode(),
		Document: document.String(), Why: cmp.Or(o.Report.Left, o.Report.Aborted),
	}, err
}

// runSweep sweeps an environment.
func runSweep(ctx context.Context, s session.Session, j store.Job, w *watching) (Result, error) {
	var what scenario.Sweep
	if j.Sweep != nil {
		what = *j.Sweep
	}
	request, err := s.Scheduled(j.Environment, what)
	if err != nil {
		return Result{}, err
	}
	request.Request = w.request(request.Input)
	swept, err := s.Sweep(ctx, request)
	if swept == nil {
		return Result{}, err
	}
	var document bytes.Buffer
	err = errors.Join(err, report.Document(&document, &swept.Sweep))
	return Result{Verdict: string(swept.Sweep.Outcome()), ExitCode: swept.Sweep.ExitCode(), Document: document.String()}, err
}

// Steady implements [Runner].
func (s Sessions) Steady(ctx context.Context, j store.Job, lasts time.Duration) error {
	in, err := s.Session.Find(j.What, j.Environment)
	if err != nil {
		return err
	}
	return s.Session.Steady(ctx, in, lasts)
}

// Tell implements [Runner].
func (s Sessions) Tell(ctx context.Context, j store.Job, more []scenario.Notice, event, line string) {
	if env, err := s.Session.Library.Environment(j.Environment); j.Environment != "" && err == nil {
		more = append(slices.Clip(more), env.Notify...)
	}
	s.Session.Notify(ctx, more, attach.Message{Event: event, Run: fmt.Sprintf("job %d", j.ID), Line: line})
}

// watching tells listeners of a run under way.
type watching struct {
	on  func(Live)
	say func(line string)

	mu    sync.Mutex
	meter *run.Meter
	phase run.Phase
	began time.Time
	lasts time.Duration
}

// request is a request whose updates go to the watching clients.
func (w *watching) request(in session.Input) session.Request {
	meter := run.NewMeter(in.Scenario.Objective.Verdict())
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meter = meter
	return session.Request{Input: in, Meter: meter, Person: absent{}, Observe: func(u run.Update) {
		if u.Phase != "" {
			w.mu.Lock()
			w.phase, w.began, w.lasts = u.Phase, time.Now(), u.For
			w.mu.Unlock()
		}
		if u.Run != "" {
			w.on(Live{Kind: Began, Text: u.Run})
		}
		if u.Event != nil && u.Event.Kind == record.KindAwaiting {
			w.on(Live{Kind: Changed}) // the page has another button
		}
		if line := session.Line(u); line != "" {
			w.say(line)
		}
	}}
}

// beat reports how users are served, every second until ctx ends.
func (w *watching) beat(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if l, ok := w.now(); ok {
				w.on(l)
			}
		}
	}
}

func (w *watching) now() (l Live, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phase == "" || w.phase == run.Done {
		return l, false
	}
	l = Live{Kind: Meter, Phase: string(w.phase), For: w.lasts.Seconds(), Elapsed: time.Since(w.began).Seconds()}
	users, bad := w.meter.Served(session.Recently)
	l.Users = users
	if l.Users > 0 {
		l.Good = new(1 - float64(bad)/float64(users))
	}
	return l, true
}
