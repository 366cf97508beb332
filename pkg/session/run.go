package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/trace"
)

// Request asks for something to be done in an environment.
type Request struct {
	Input

	Meter   *run.Meter       // what users meet, for those who watch
	Observe func(run.Update) // told what changes
	Person  fault.Person     // who does what a manual fault asks for
	KeepLab bool             // leave the lab up
	Logs    int              // keep the last N log lines of each component
	Again   string           // the command that does the same again, for the record
}

// Outcome is a run that has got as far as a verdict.
type Outcome struct {
	Dir    string // the run's folder
	Report report.Report
}

// Run runs a scenario once, and sends the verdict to those whom the environment names.
// The outcome is nil if the run got no verdict. The error is what went wrong: one that
// is [run.ErrNotPutBack] counts above any verdict.
func (s Session) Run(ctx context.Context, r Request) (o *Outcome, err error) {
	s.Notify(ctx, r.Environment.Notify, attach.Message{
		Event: attach.Started, Run: r.Scenario.Name, Line: "game day started: " + r.Scenario.Name + " in " + r.Environment.Name,
	})
	var dir string
	err = s.with(ctx, r, func(ctx context.Context, day run.Day) error {
		dir, err = day.Run(ctx)
		return err
	})
	if dir == "" {
		return nil, err
	}
	built, buildErr := report.Build(dir)
	if buildErr != nil {
		return nil, errors.Join(err, buildErr)
	}
	message, messageErr := attach.Of(built)
	if messageErr == nil {
		s.Notify(ctx, r.Environment.Notify, message)
	}
	s.track(ctx, r.Environment.Notify, []report.Report{built})
	return &Outcome{dir, built}, errors.Join(err, messageErr)
}

// with opens the environment of a request, and makes the day in it. What it tells, and
// its error, are without the secrets of the environment.
func (s Session) with(ctx context.Context, r Request, do func(context.Context, run.Day) error) (err error) {
	secrets, err := r.Environment.Secrets()
	if err != nil {
		return fmt.Errorf("%w: %w", run.ErrRefused, err)
	}
	defer func() { err = secrets.Error(err) }()
	if err := r.Environment.CheckEnviron(r.Journeys); err != nil {
		return fmt.Errorf("%w: %w", run.ErrRefused, err)
	}
	r.Observe = withoutSecrets(r.Observe, secrets)
	site, err := s.Open(ctx, r.Environment)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	labs, err := s.Provisioner(r.Environment.Kind, site, run.Progress(r.Observe))
	if err != nil {
		return err
	}
	annotated, done := s.annotated(ctx, r)
	defer done()
	return do(fault.WithPerson(ctx, r.Person), run.Day{
		Scenario: r.Scenario, Environment: r.Environment, Journeys: r.Journeys, Protocols: s.Protocols, Site: site,
		Labs: labs, Lab: r.Lab, KeepLab: r.KeepLab, StateDir: s.StateDir, Out: s.Out,
		Again: r.Again, Logs: r.Logs, Gameday: s.Version, Guard: s.Guard, Open: s.open,
		Observe: annotated, Meter: r.Meter,
		Report: func(dir string) error { return s.writeReports(context.WithoutCancel(ctx), dir) },
	})
}

// withoutSecrets takes secrets out of updates.
func withoutSecrets(observe func(run.Update), secrets *redact.Redactor) func(run.Update) {
	return func(u run.Update) {
		u.Text = secrets.Text(u.Text)
		if u.Event != nil {
			e := *u.Event
			e.What, e.Component, e.By = secrets.Text(e.What), secrets.Text(e.Component), secrets.Text(e.By)
			u.Event = &e
		}
		observe(u)
	}
}

// writeReports writes the reports of a run into its folder, with what the register
// says of it.
func (s Session) writeReports(ctx context.Context, dir string) error {
	before := said(dir)
	r, err := report.Build(dir)
	if err != nil {
		return err
	}
	decisions, err := s.Register()
	if err != nil {
		return err
	}
	if r.Accepted = report.AcceptanceOf(r, decisions, time.Now()); r.Accepted != nil {
		if err := report.SaveAcceptance(dir, r.Accepted); err != nil {
			return err
		}
	}
	if err := trace.Export(ctx, r); err != nil {
		s.Warn(err)
	}
	if err := WriteReports(dir, report.Files(), r); err != nil || said(dir) == before {
		return err
	}
	return rewrite(dir) // a note has come meanwhile
}

// WriteReports writes reports of a run into a folder, each whole or not at all.
func WriteReports(dir string, files []report.File, r report.Report) error {
	for _, f := range files {
		if err := writeReport(filepath.Join(dir, f.Name), func(w io.Writer) error { return f.Format(w, r) }); err != nil {
			return err
		}
	}
	return nil
}

// writeReport writes one file of a report. A symbolic link is replaced: the folder may
// be a stranger's.
func writeReport(path string, write func(io.Writer) error) error {
	if err := atomicfile.Write(path, 0o666, write); err != nil { // less the umask
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
