package run

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Conductor carries a plan out: baseline, inject, watch, undo, repair. Whatever
// happens on the way, it undoes what it did.
type Conductor struct {
	Env     target.Environment
	Journal *journal.Journal
	Record  *record.Writer
	Clock   record.Clock
	Meter   *Meter
	Loads   []Traffic // one for each journey of the plan
	Undoers Undoers
	// Struck tells the loads that the first fault is ordered; nil if none needs to know.
	Struck func()
	// Guarded waits until something would undo the faults if this process died. It reports false
	// if ctx ends before that; nil if that is always so.
	Guarded func(ctx context.Context) bool
	// Calibrate lets the loads begin their calibrations; nil if they have none.
	Calibrate func()
	// Confirm looks acknowledged writes up after repair; nil where no RPO was
	// declared.
	Confirm func(ctx context.Context, acks *record.Acked) error
	// Unlooked says that acknowledged writes are not looked up; empty if there are none.
	Unlooked string
	// SQL performs the statements of conditions.
	SQL     SQL
	Observe func(Update)
}

// conduct is one run under way.
type conduct struct {
	Conductor
	plan    plan.Plan
	account Account
	bound   []*bound
	begun   map[time.Duration]bool // the moments whose faults were ordered
	mu      sync.Mutex             // guards walked
	walked  map[string]bool        // the journeys of which a user was seen
	walking chan struct{}          // closed once users were seen of all of them
	lost    atomic.Int64
	ended   atomic.Bool // a load ended before the run
	stops   []*outside  // one for each stop condition
	early   *early      // what users met before the fault
	others  *Meter      // of users who can be served again; see [conduct.recovering]
	roles   *roles
	// baselineAt is the baseline's last mark.
	baselineAt  time.Time
	hand        byHand    // of undo: by-hand
	deciding    *deciding // what users met, for a watch that ends once it is decided
	instrument  *instrument
	calibrating time.Time // when the calibrations were begun
	reverted    time.Time // when the revert was ordered
	answers     answers   // of what is asked outside
}

// Conduct carries the plan out. It returns an error only if it could not start; the account
// and the record contain the result.
//
// When ctx ends, what was done is undone, and the run counts as aborted.
func (c Conductor) Conduct(ctx context.Context, p plan.Plan) (account Account, err error) {
	if c.Confirm != nil {
		if err := c.Record.KeepAcks(); err != nil {
			return account, err
		}
	}
	// The load and the faults of the baseline start helpers.
	if err := c.Journal.Begin(journal.Entry{ID: HelpersKind, Kind: HelpersKind, Name: "helpers", Settle: fault.Settle}); err != nil {
		return account, err
	}
	run := &conduct{Conductor: c, plan: p, begun: map[time.Duration]bool{}, walked: map[string]bool{}, walking: make(chan struct{}), early: newEarly(p.Scenario), roles: newRoles(p)}
	run.instrument = newInstrument(c.Clock.Now())
	run.early.instrument, run.deciding = run.instrument, newDeciding(p.Scenario, run.instrument)
	run.others = run.recovering()
	ctx = fault.Witnessed(ctx, func(by, instruction string) {
		run.tell(record.Event{At: c.Clock.Now(), Kind: record.KindConfirmed, By: by, What: instruction})
	})
	lasting, end := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	loadErrs := make(chan error, len(c.Loads))
	for _, load := range c.Loads {
		background.Go(func() {
			err := load.Run(lasting, run.visited)
			if err == nil && lasting.Err() == nil {
				run.ended.Store(true)
				run.event(record.KindLoad, "", "the load of a journey ended before the run: each row of its users is for one user (order: once)")
			}
			loadErrs <- err
		})
	}
	background.Go(func() { run.followRoles(lasting) })
	asked, aside := questions(p, c.SQL)
	run.account.AlertsAside = aside
	for _, q := range asked {
		background.Go(func() { run.poll(lasting, q) })
	}
	if watcher, ok := c.Env.(target.Watcher); ok {
		background.Go(func() { run.follow(lasting, watcher) })
	}
	background.Go(func() { run.listen(lasting) })
	defer func() {
		end()
		background.Wait()
		for range c.Loads {
			err = errors.Join(err, <-loadErrs)
		}
		err = errors.Join(err, run.mark(record.MarkEnd, c.Clock.Now(), ""))
		if err == nil && ctx.Err() == nil {
			run.confirm(ctx)
		}
		run.account.Truths = run.instrument.known()
		c.Observe(Update{Phase: Done})
		account = run.account
	}()
	err = run.experiment(ctx)
	return run.account, err
}

// experiment is the order of the phases.
func (r *conduct) experiment(ctx context.Context) (err error) {
	// Whatever happens from here on, a panic included, is followed by this.
	panicked := true
	defer func() {
		r.account.Left = r.undo(ctx)
		if panicked || ctx.Err() != nil || err != nil || r.account.Left != nil || len(r.bound) == 0 {
			return
		}
		if r.account.Left = r.repair(ctx); r.account.Left == nil {
			r.awaitClear(ctx)
		}
	}()
	err = r.untilUndo(ctx)
	panicked = false
	if err != nil && r.account.Aborted == "" {
		r.abort(err.Error())
	}
	return err
}

// untilUndo is the experiment up to the end of the watch.
func (r *conduct) untilUndo(ctx context.Context) error {
	if err := r.mark(record.MarkBaseline, r.Clock.Now(), ""); err != nil {
		return err
	}
	for _, fact := range r.plan.Environment.Connections(r.plan.Scenario.Load) {
		r.note("connection of users: " + fact)
	}
	if r.Unlooked != "" {
		r.note(r.Unlooked)
	}
	r.Observe(Update{Phase: Baseline, For: r.plan.Scenario.Timing.Baseline})
	r.warm(ctx)
	r.awaitUsers(ctx)
	r.Journal.End(HelpersKind)
	// The first mark is for a run that does not get here.
	if err := r.mark(record.MarkBaseline, r.Clock.Now(), ""); err != nil {
		return err
	}
	if r.Calibrate != nil {
		r.calibrating = time.Now()
		r.Calibrate()
	}
	steady, err := r.steady(ctx)
	if err == nil && steady {
		steady = r.calibrated(ctx)
	}
	r.early.close()
	r.answers.forget()
	if ctx.Err() != nil {
		steady = false
		r.abort(endedBy(ctx))
	}
	if err != nil || !steady {
		return err
	}
	r.firstRoles(ctx)
	r.Observe(Update{Phase: Inject})
	if err := r.inject(ctx, 0); err != nil || r.account.Aborted != "" {
		return err
	}
	return r.watch(ctx)
}

// usersWithin is how long the first users may take to come: a load worker has to be
// started. What they then meet is judged, and their absence too.
const usersWithin = 10 * time.Second

// awaitUsers waits until users of every journey have come, so that the baseline is as
// long as it was declared.
func (r *conduct) awaitUsers(ctx context.Context) {
	timer := time.NewTimer(usersWithin)
	defer timer.Stop()
	select {
	case <-r.walking:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// seen notes that users of a journey have come.
func (r *conduct) seen(journey string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.walked[journey] {
		return
	}
	if r.walked[journey] = true; len(r.walked) == len(r.Loads) {
		close(r.walking)
	}
}

func (r *conduct) abort(why string) {
	r.account.Aborted = why
	r.note("aborted: " + why)
}

// visited takes what a user met. It is called from every load at once.
func (r *conduct) visited(v probe.Visit) {
	if v.Truth != nil {
		v.Truth.Move(r.Clock.Steady)
		r.instrument.learn(*v.Truth)
		return
	}
	v.Sample.Sent = r.Clock.Steady(v.Sample.Sent)
	if r.instrument.take(v.Sample) {
		_ = r.Record.Instrument(v.Sample) // an error is kept, and told when the record is closed
		return
	}
	r.seen(v.Sample.Journey)
	_ = r.Record.Sample(v.Sample) // an error is kept, and told when the record is closed
	for _, s := range v.Steps {
		s.Sent = r.Clock.Steady(s.Sent)
		_ = r.Record.Step(s) // likewise
	}
	if v.Ack != nil {
		v.Ack.At = r.Clock.Steady(v.Ack.At)
		_ = r.Record.Ack(*v.Ack) // likewise
	}
	if v.Sample.Void && r.lost.Add(1) == 1 {
		r.event(record.KindLoad, "", "the load generator failed, so samples are missing: "+v.Sample.Error)
	}
	if l := r.load(v.Sample.Journey); l.Critical {
		r.Meter.Add(v.Sample)
		if r.others != nil && !r.leftOut(l) {
			r.others.Add(v.Sample)
		}
	}
	r.early.add(v.Sample)
	r.deciding.add(v.Sample)
}

// confirm looks up the writes that were acknowledged. It comes after the load,
// which it would disturb, and only where the environment was put back.
func (r *conduct) confirm(ctx context.Context) {
	if r.Confirm == nil || len(r.bound) == 0 || r.account.Left != nil || r.account.Aborted != "" {
		return
	}
	r.Observe(Update{Phase: Confirm})
	err := r.Record.Confirm(func(acks *record.Acked) {
		err := errors.Join(r.Confirm(ctx, acks), acks.Err())
		if err != nil {
			r.note("some acknowledged writes could not be looked up: " + err.Error())
		}
	})
	r.account.Confirmed = err == nil // else closing the record says why
}

// load is the load of a name; the zero load if there is none.
func (r *conduct) load(name string) scenario.JourneyLoad {
	for _, l := range r.plan.Scenario.Load {
		if l.Name() == name {
			return l
		}
	}
	return scenario.JourneyLoad{}
}
