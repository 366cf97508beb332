package run

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/notes"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// IDTime is how the moment stands at the beginning of an id.
const IDTime = "20060102T150405Z"

// NewID names a run: when, what, and four digits to tell two apart.
func NewID(name string, now time.Time) string {
	var four [2]byte
	_, _ = rand.Read(four[:]) // never fails
	return now.UTC().Format(IDTime) + "-" + name + "-" + hex.EncodeToString(four[:])
}

// Run is the whole day. It returns the run's folder, if it got as far as having
// one. The error is [ErrNotPutBack] above all others.
func (d Day) Run(ctx context.Context) (dir string, err error) {
	err = d.Hold(ctx, func(ctx context.Context, stage Stage) error {
		dir, err = stage.Play(ctx, d.Scenario)
		return err
	})
	return dir, err
}

// Play makes the plan of a scenario, carries it out, and saves the run in a folder of
// its own, which it returns.
func (s Stage) Play(ctx context.Context, what scenario.Scenario) (string, error) {
	ctx, leave := s.stoppable(ctx)
	defer leave()
	d, started := s.day, time.Now()
	d.Scenario = what
	id := NewID(what.Name, started)
	p, err := plan.Build(ctx, d.Site, plan.Request{
		Scenario: d.Scenario, Environment: d.Environment, Journeys: d.Journeys, Seed: cmp.Or(d.Scenario.Seed, seed()),
	})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	dir := filepath.Join(d.Out, id)
	secrets, err := d.Environment.Secrets()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	writer, err := record.Create(dir)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	defer notes.StayOn(dir)()
	writer.Redact = secrets.Text
	d.Observe(Update{Run: id, Minor: true})
	conductor := d.conductor(s.entries, writer, p.Seed)
	conductor.Guarded = s.guarded
	account, err := conductor.Conduct(ctx, p)
	meta := Meta{
		Finished: time.Now().UTC(),
		ID:       id, Gameday: d.Gameday, Environment: d.Environment.Name, Started: started.UTC(), Seed: p.Seed,
		Connection: d.Environment.Connections(d.Scenario.Load),
		Again:      d.Again, Versions: versions(ctx, d.Site),
		Steps: account.Steps, NotInForce: account.NotInForce, NotFelt: account.NotFelt, NotCalibrated: account.NotCalibrated, NotKept: account.NotKept, ByHand: account.ByHand, Decided: account.Decided, Aborted: account.Aborted, AlertsAside: account.AlertsAside, Confirmed: account.Confirmed,
	}
	if meta.Calibrate = d.Scenario.Calibrate; meta.Calibrate == "" && d.instrumented() {
		meta.Calibrate = scenario.On
	}
	if account.Truths != nil {
		err = errors.Join(err, record.WriteTruths(dir, account.Truths))
	}
	if account.Left != nil {
		meta.Left = account.Left.Error()
		err = errors.Join(fmt.Errorf("%w: %w", ErrNotPutBack, account.Left), err)
	}
	err = errors.Join(err, writer.Close(), Save(dir, meta, d.Scenario, secrets), d.saveLogs(ctx, dir, account.Steps, started, secrets))
	return dir, errors.Join(err, d.Report(dir))
}

// instrumented reports whether the load has a control load beside it: one that is given in
// place of the day's own has none.
func (d Day) instrumented() bool { return d.Walks == nil }

// versions are those of what took part beside gameday.
func versions(ctx context.Context, site target.Site) map[string]string {
	if versioned, ok := site.(target.Versioned); ok {
		return versioned.Versions(ctx)
	}
	return nil
}

func seed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])                        // never fails
	return binary.LittleEndian.Uint64(b[:]) >> 11 // exact in JSON readers too
}

func (d Day) conductor(entries *journal.Journal, writer *record.Writer, seed uint64) Conductor {
	users := d.Users()
	struck := make(chan struct{})
	users.Struck = struck
	c := Conductor{
		Env: d.Site, Journal: entries, Record: writer, Clock: record.NewClock(),
		Meter: d.Meter, Undoers: d.undoers(), Observe: d.Observe, SQL: d.sql,
		Struck: sync.OnceFunc(func() { close(struck) }),
	}
	if d.instrumented() {
		users.Control = &probe.Control{Rate: probe.ControlRate()}
	}
	if d.instrumented() && d.Scenario.Calibrate != scenario.Off {
		for range users.Load {
			users.Calibrate = append(users.Calibrate, make(chan struct{}, probe.MostCalibrations))
		}
		c.Calibrate = func() {
			for _, begin := range users.Calibrate {
				begin <- struct{}{} // there is room for all
			}
		}
	}
	walks := d.Walks
	if walks == nil {
		walks = users.Of
	}
	for i := range users.Load {
		c.Loads = append(c.Loads, walks(i, seed+uint64(i)))
	}
	c.Unlooked = d.Scenario.Unlooked(d.Journeys)
	if d.Scenario.Objective.RPO != nil {
		c.Confirm = func(ctx context.Context, acks *record.Acked) error {
			return users.Confirm(ctx, walks, acks, func(done, all int) {
				d.Observe(Update{Minor: true, Text: fmt.Sprintf("looking up acknowledged writes: %d of %d", done, all)})
			})
		}
	}
	return c
}

// sql performs a statement from gameday's machine, and returns its rows as JSON.
func (d Day) sql(ctx context.Context, statement probe.SQL) ([]byte, error) {
	way := d.Environment.Way(scenario.JourneyLoad{From: scenario.FromOutside})
	answer, err := probe.Question{Step: probe.Step{SQL: &statement}, Way: way, Protocols: d.Protocols}.Answer(ctx)
	return answer.Body, err
}
