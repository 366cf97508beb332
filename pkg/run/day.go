package run

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/lab"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// LabKind is the journal's kind for a lab that a run has started.
const LabKind = "lab"

// Day is a whole game day: the environment locked, a lab brought up where the
// scenario names one, the plan carried out, and all left as it was found.
type Day struct {
	Scenario    scenario.Scenario
	Environment scenario.Environment
	Journeys    []probe.Journey // as in Scenario.Load
	Engine      *docker.Environment
	Labs        lab.Labs
	Lab         string // the lab to bring up, where the environment is one
	KeepLab     bool
	Again       string // the command that does the same again, for the record
	Logs        int    // so many last lines of whatever was broken are kept; none where 0
	StateDir    string // of journals and locks
	Out         string // folder of the runs' folders
	Gameday     string // the version, for the record
	// Guard starts the process that plays the journal if this one dies.
	Guard   func(journalPath string) (stop func() error, err error)
	Observe func(Update)
	Meter   *Meter
	// Report writes the reports into the folder of a run that has ended.
	Report func(dir string) error
}

// ErrNotPutBack is wrapped by the error of a run that could not leave the
// environment as it was.
var ErrNotPutBack = errors.New("the environment could not be put back")

// ErrRefused is wrapped by the error of a run that never began.
var ErrRefused = errors.New("nothing was broken")

// JournalDir and LockDir are the folders of a state folder.
func JournalDir(stateDir string) string { return filepath.Join(stateDir, "journals") }

// LockDir is where environments are locked.
func LockDir(stateDir string) string { return filepath.Join(stateDir, "locks") }

// IDTime is how the moment stands at the beginning of an id.
const IDTime = "20060102T150405Z"

// NewID names a run: when, what, and four digits to tell two apart.
func NewID(name string, now time.Time) string {
	var four [2]byte
	_, _ = rand.Read(four[:]) // never fails
	return now.UTC().Format(IDTime) + "-" + name + "-" + hex.EncodeToString(four[:])
}

// Run is the whole day. It returns the run's folder, where it got as far as
// having one. The error is [ErrNotPutBack] above all others.
func (d Day) Run(ctx context.Context) (dir string, err error) {
	err = d.Hold(ctx, func(stage Stage) error {
		dir, err = stage.Play(ctx, d.Scenario)
		return err
	})
	return dir, err
}

// Stage is an environment that is held, up and watched over, in which runs may
// follow each other.
type Stage struct {
	day     Day
	entries *journal.Journal
}

// Hold locks the environment, brings its lab up, and leaves everything as it was
// found once do has returned.
func (d Day) Hold(ctx context.Context, do func(Stage) error) (err error) {
	started := time.Now()
	id := NewID(d.Scenario.Name, started)
	header, err := d.header(id, started)
	if err != nil {
		return err
	}
	lock, err := journal.Acquire(LockDir(d.StateDir), d.Engine.ID(), header)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if err := d.leftovers(ctx); err != nil {
		return err
	}
	entries, err := journal.Create(filepath.Join(JournalDir(d.StateDir), id+journal.Suffix), header)
	if err != nil {
		return err
	}
	stopGuard, err := d.Guard(entries.Path())
	if err != nil {
		return errors.Join(err, entries.Close())
	}
	// In this order: all undone, the journal let go, and only then the guard.
	defer func() {
		if left := Undo(ctx, entries, d.undoer()); left != nil {
			err = errors.Join(fmt.Errorf("%w: %w", ErrNotPutBack, left), err)
		}
		err = errors.Join(err, d.Engine.Dismiss(ctx), entries.Close(), stopGuard())
		forgetStops(d.StateDir, entries.Path())
	}()
	if err := d.labUp(ctx, entries); err != nil {
		return err
	}
	return do(Stage{d, entries})
}

func (d Day) header(id string, started time.Time) (journal.Header, error) {
	config, err := d.Environment.Docker.Pin()
	if err != nil {
		return journal.Header{}, err
	}
	address, err := json.Marshal(config)
	return journal.Header{
		Run: id, Scenario: d.Scenario.Name, Environment: d.Environment.Name, Address: address,
		PID: os.Getpid(), Started: started.UTC(),
	}, err
}

func (d Day) undoer() Undoer { return Undoing(d.Engine, d.Labs) }

// Undoing undoes the entries of an environment's journal: labs, and faults.
func Undoing(env *docker.Environment, labs lab.Labs) Undoer {
	return func(ctx context.Context, e journal.Entry) error {
		if e.Kind == LabKind {
			return labs.Down(ctx, e.Name)
		}
		return fault.Undo(ctx, env, e)
	}
}

// leftovers undoes what a dead run has left of this environment: its guard may
// have died too. It is the lock's holder who may.
func (d Day) leftovers(ctx context.Context) error {
	_, left, err := UndoAll(ctx, d.StateDir, func(h journal.Header) (Undoer, func() error, error) {
		if h.Environment != d.Environment.Name {
			return nil, nil, nil
		}
		return d.undoer(), func() error { return nil }, nil
	})
	if err = errors.Join(err, left); err != nil {
		return fmt.Errorf("%w: a former run has left something: %w", ErrNotPutBack, err)
	}
	return nil
}

// labUp brings the lab up where there is one and it is not up. That it is to be
// taken down again is durable before the first container starts.
func (d Day) labUp(ctx context.Context, entries *journal.Journal) error {
	if d.Lab == "" {
		return nil
	}
	// A lab that serves is used as it is.
	if serving, err := d.Labs.Serving(ctx, d.Lab); err != nil || serving {
		return err
	}
	state, err := d.Engine.Project(ctx, lab.Project(d.Lab))
	if err != nil {
		return err
	}
	if state.Empty() && !d.KeepLab {
		if err := entries.Begin(journal.Entry{ID: "lab", Kind: LabKind, Name: d.Lab, Settle: fault.Settle}); err != nil {
			return err
		}
	}
	if err := d.Labs.Up(ctx, d.Lab); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return entries.Done("lab")
}

// Play makes the plan of a scenario, carries it out, and saves the run in a folder of
// its own, which it returns.
func (s Stage) Play(ctx context.Context, what scenario.Scenario) (string, error) {
	ctx, leave := s.stoppable(ctx)
	defer leave()
	d, started := s.day, time.Now()
	d.Scenario = what
	id := NewID(what.Name, started)
	p, err := plan.Build(ctx, d.Engine, plan.Request{
		Scenario: d.Scenario, Environment: d.Environment, Journeys: d.Journeys, Seed: cmp.Or(d.Scenario.Seed, seed()),
	})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	dir := filepath.Join(d.Out, id)
	secrets, err := redact.New(d.Environment.Redact...)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	writer, err := record.Create(dir)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	writer.Redact = secrets.Text
	account, err := d.conductor(s.entries, writer, p.Seed).Conduct(ctx, p)
	meta := Meta{
		Finished: time.Now().UTC(),
		ID:       id, Gameday: d.Gameday, Environment: d.Environment.Name, Started: started.UTC(), Seed: p.Seed,
		Again: d.Again, Versions: d.Engine.Versions(ctx),
		Steps: account.Steps, NotInForce: account.NotInForce, NotFelt: account.NotFelt, Aborted: account.Aborted, Confirmed: account.Acks != nil,
	}
	if account.Left != nil {
		meta.Left = account.Left.Error()
		err = errors.Join(fmt.Errorf("%w: %w", ErrNotPutBack, account.Left), err)
	}
	if account.Acks != nil {
		err = errors.Join(err, record.WriteAcks(dir, account.Acks))
	}
	err = errors.Join(err, writer.Close(), Save(dir, meta, d.Scenario, secrets), d.saveLogs(ctx, dir, account.Steps, started, secrets))
	if reportErr := d.Report(dir); reportErr != nil {
		err = errors.Join(err, reportErr)
	}
	return dir, err
}

func seed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])                        // never fails
	return binary.LittleEndian.Uint64(b[:]) >> 11 // exact in JSON readers too
}

func (d Day) conductor(entries *journal.Journal, writer *record.Writer, seed uint64) Conductor {
	c := Conductor{
		Env: d.Engine, Journal: entries, Record: writer, Clock: record.NewClock(),
		Meter: d.Meter, Undo: d.undoer(), Observe: d.Observe,
	}
	for i := range d.Scenario.Load {
		c.Loads = append(c.Loads, d.Traffic(i, seed+uint64(i)))
	}
	if d.Scenario.Objective.RPO != nil {
		c.Confirm = d.confirm
	}
	return c
}

// Walk is a journey that users set out on, from wherever they do.
type Walk interface {
	Traffic
	// Confirm looks acknowledged writes up from where the users are.
	Confirm(ctx context.Context, acks []record.Ack, progress func(done, all int)) error
}

// Traffic is the users of the n-th journey of the scenario's load.
func (d Day) Traffic(n int, seed uint64) Walk {
	l := d.Scenario.Load[n]
	load := probe.Load{Journey: d.Journeys[n], Way: d.Environment.Way(l), Rate: l.Rate, Seed: seed}
	if d.Environment.Comes(l) == scenario.FromOutside {
		return load
	}
	return probe.Remote{Load: load, Start: func(ctx context.Context) (io.ReadWriteCloser, error) {
		return d.Engine.StartWorker(ctx, d.Environment.Inside.Network)
	}}
}

// confirm looks up what each journey was acknowledged.
func (d Day) confirm(ctx context.Context, acks []record.Ack) error {
	var errs []error
	for n, j := range d.Journeys {
		var mine []record.Ack
		var places []int
		for i, a := range acks {
			if a.Journey == j.Name {
				mine, places = append(mine, a), append(places, i)
			}
		}
		errs = append(errs, d.Traffic(n, 0).Confirm(ctx, mine, func(done, all int) {
			d.Observe(Update{Minor: true, Text: fmt.Sprintf("looking up acknowledged writes: %d of %d", done, all)})
		}))
		for k, i := range places {
			acks[i] = mine[k]
		}
	}
	return errors.Join(errs...)
}
