package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/daemon"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/store"
)

// unattended runs commands with nobody at a terminal: what the daemon does is what a
// person would have typed, by the very same code.
type unattended struct {
	out string // folder of the runs' folders
}

var _ daemon.Runner = unattended{}

// watching is what follows a run that nobody sits in front of.
type watching struct {
	on func(daemon.Live)

	mu    sync.Mutex
	meter *run.Meter
	phase run.Phase
	began time.Time
	lasts time.Duration
}

type watchingKey struct{}

// watchingOf is what follows the run of a context, or nil.
func watchingOf(ctx context.Context) *watching {
	w, _ := ctx.Value(watchingKey{}).(*watching)
	return w
}

// follow is told of a meter, and of all that a view is told.
func (w *watching) follow(meter *run.Meter, observe func(run.Update)) func(run.Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meter = meter
	return func(u run.Update) {
		if u.Phase != "" {
			w.mu.Lock()
			w.phase, w.began, w.lasts = u.Phase, time.Now(), u.For
			w.mu.Unlock()
		}
		observe(u)
	}
}

// beat tells how users are served, every second until ctx ends.
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

func (w *watching) now() (l daemon.Live, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phase == "" || w.phase == run.Done || w.meter == nil {
		return l, false
	}
	l = daemon.Live{Kind: daemon.Meter, Phase: string(w.phase), For: w.lasts.Seconds(), Elapsed: time.Since(w.began).Seconds()}
	users, bad := w.meter.Served(recently)
	l.Users = users
	if l.Users > 0 {
		l.Good = new(1 - float64(bad)/float64(l.Users))
	}
	return l, true
}

// lines gives each line that is written to it, one after the other.
type lines struct {
	on func(string)

	mu   sync.Mutex
	rest []byte
}

// Write implements [io.Writer].
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, after, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		l.on(string(line))
		l.rest = after
	}
}

// commandOf is what a person would type for a job.
func (u unattended) commandOf(j store.Job) []string {
	return append(scenario.Command(j.What, j.Environment, j.Args), "--json", "--out", u.out)
}

// Run implements [daemon.Runner].
func (u unattended) Run(ctx context.Context, j store.Job, on func(daemon.Live)) daemon.Result {
	secrets, err := redact.New()
	if err != nil {
		return daemon.Result{ExitCode: exitUsage, Why: err.Error()}
	}
	w := &watching{on: on}
	beats, stop := context.WithCancel(context.WithoutCancel(ctx))
	var beating sync.WaitGroup
	beating.Go(func() { w.beat(beats) })
	defer func() { stop(); beating.Wait() }()
	last := ""
	var said bytes.Buffer
	code := gameday(context.WithValue(ctx, watchingKey{}, w), u.commandOf(j), &said, &lines{on: func(line string) {
		line = secrets.Text(line)
		if problem, ok := strings.CutPrefix(line, "gameday: "); ok {
			last = problem
		}
		on(daemon.Live{Kind: daemon.Line, Text: line})
	}})
	return resultOf(j, code, said.Bytes(), last)
}

// resultOf is what a command said, as a result.
func resultOf(j store.Job, code int, document []byte, problem string) daemon.Result {
	r := daemon.Result{ExitCode: code, Why: problem, Left: code == exitNotPutBack}
	if !json.Valid(document) {
		r.Never = code == exitUsage // and it said why
		return r
	}
	r.Document = string(document)
	if j.What == "sweep" {
		r.Verdict = map[int]string{exitOK: "disproved", exitProven: "proven", exitInconclusive: "inconclusive", exitAborted: "aborted"}[code]
		return r
	}
	var of struct {
		Run     string `json:"run"`
		Verdict string `json:"verdict"`
		Aborted string `json:"aborted"`
		Left    string `json:"left"`
	}
	if err := json.Unmarshal(document, &of); err != nil {
		r.Why = err.Error()
		return r
	}
	r.Run, r.Verdict = of.Run, of.Verdict
	r.Why = cmp.Or(of.Left, of.Aborted, problem)
	return r
}

// Steady implements [daemon.Runner]: users walk the job's journeys as they would in its
// run, and nothing is broken.
func (unattended) Steady(ctx context.Context, j store.Job, lasts time.Duration) (err error) {
	in, err := bind(j.What, j.Environment)
	if err == nil {
		in.engine, err = openEnvironment(ctx, in.environment)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.engine.Close()) }() //nolint:contextcheck // closing must not be cut off
	if _, err := plan.Build(ctx, in.engine, plan.Request{Scenario: in.scenario, Environment: in.environment, Journeys: in.journeys}); err != nil {
		return err // what cannot be found cannot be steady
	}
	meter := run.NewMeter(in.scenario.Objective.Verdict())
	day := run.Day{Scenario: in.scenario, Environment: in.environment, Journeys: in.journeys, Engine: in.engine}
	walking, stop := context.WithTimeout(ctx, lasts+2*time.Second) // a load worker has to be started
	defer stop()
	wait := walkAll(walking, day, func(n int, v probe.Visit) {
		if in.scenario.Load[n].Critical {
			meter.Add(v.Sample)
		}
	})
	<-walking.Done()
	steady := meter.Steady(lasts)
	err = errors.Join(wait(), in.engine.Dismiss(context.WithoutCancel(ctx)))
	if err == nil && !steady {
		err = fmt.Errorf("users are not served within the objective for %v", lasts)
	}
	return err
}

// Tell implements [daemon.Runner].
func (unattended) Tell(ctx context.Context, j store.Job, more []scenario.Notice, event, line string) {
	env := scenario.Environment{Notify: more}
	if j.Environment != "" {
		known, err := library().Environment(j.Environment)
		if err == nil {
			env.Notify = append(env.Notify, known.Notify...)
		}
	}
	notify(ctx, logged{}, env, attach.Message{Event: event, Run: fmt.Sprintf("job %d", j.ID), Line: line})
}

var _ io.Writer = (*lines)(nil)
