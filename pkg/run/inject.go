package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/target"
)

// bound is a step with what injecting and undoing it need, and how it went.
type bound struct {
	plan.Step
	handle target.Handle
	entry  journal.Entry

	ordered, inForce time.Time
	err              error // why it is not in force
	done             bool  // the order was carried out
	over             bool  // it was taken back as declared
	account          int   // its place in the account
}

// warm makes ready, while users are watched, what the orders will need. Who
// holds a role when its moment comes may be another component: a fault that was not
// made ready takes a little longer.
func (r *conduct) warm(ctx context.Context) {
	var warming sync.WaitGroup
	for _, s := range r.plan.Steps {
		warmer, ok := s.Fault.(fault.Warmer)
		if !ok {
			continue
		}
		warming.Go(func() {
			h, err := s.Open(ctx, r.Env)
			if err == nil {
				err = warmer.Warm(ctx, h)
			}
			if err != nil {
				r.note(fmt.Sprintf("prepare %s of %s: %v", s.Kind, s.Component.Name, err))
			}
		})
	}
	warming.Wait()
	r.warmRoles(ctx)
}

// inject binds the faults of a moment to who is there now, makes their undoing
// durable, and orders them, all at once.
func (r *conduct) inject(ctx context.Context, at time.Duration) error {
	before := make([]plan.Step, len(r.bound))
	for i, b := range r.bound {
		before[i] = b.Step
	}
	steps, err := r.plan.BindAt(ctx, r.Env, at, before)
	if err != nil {
		return err
	}
	now, err := r.prepareAll(ctx, steps)
	if err != nil {
		return err
	}
	for _, b := range now {
		b.account = len(r.account.Steps)
		r.bound = append(r.bound, b)
		r.account.Steps = append(r.account.Steps, StepAccount{Kind: b.Kind, Component: b.Component.Name})
	}
	if !r.guarded(ctx, now) {
		return nil
	}
	if at == 0 {
		r.Meter.Reset()
		if r.Struck != nil {
			r.Struck()
		}
	}
	var orders sync.WaitGroup
	for _, b := range now {
		orders.Go(func() { r.strike(ctx, b) })
	}
	orders.Wait()
	slices.SortStableFunc(now, func(a, b *bound) int { return a.ordered.Compare(b.ordered) })
	for _, b := range now {
		if err := r.writeDown(b); err != nil {
			return err
		}
	}
	return nil
}

// guarded waits until a guard is there for faults that are prepared. If ctx ends before that,
// they are not ordered.
func (r *conduct) guarded(ctx context.Context, now []*bound) bool {
	if r.Guarded == nil || r.Guarded(ctx) {
		return true
	}
	for _, b := range now {
		r.Journal.NotOrdered(b.entry.ID)
	}
	r.abort(endedBy(ctx))
	return false
}

// strike orders one fault, and waits until it is in force. What is written down
// about it is written after that, so that nothing stands between the two.
func (r *conduct) strike(ctx context.Context, b *bound) {
	b.ordered = r.Clock.Now()
	b.err = r.order(ctx, b)
	b.done = b.err == nil
	if b.done {
		b.err = r.verify(ctx, b)
	}
	b.inForce = r.Clock.Now()
}

// writeDown puts what became of an order into the record and the journal.
func (r *conduct) writeDown(b *bound) error {
	account := &r.account.Steps[b.account]
	account.Ordered = &b.ordered
	if b.done || errors.Is(b.err, fault.ErrEnded) {
		if err := r.Journal.Done(b.entry.ID); err != nil {
			return err
		}
	}
	if err := r.mark(record.MarkFault, b.ordered, b.Component.Name); err != nil {
		return err
	}
	if b.err != nil {
		r.account.NotInForce = true
		account.Found = b.err.Error()
		r.event(record.KindFault, b.Component.Name, b.Kind+" is not in force: "+b.err.Error())
		return nil //nolint:nilerr // a finding about the fault, and no reason not to undo and judge
	}
	account.InForce = &b.inForce
	r.event(record.KindFault, b.Component.Name, fmt.Sprintf("%s in force after %v", b.Kind, b.inForce.Sub(b.ordered).Round(time.Microsecond)))
	return r.mark(record.MarkInForce, b.inForce, b.Component.Name)
}

// injectFor is how long a fault's order may take.
const injectFor = 30 * time.Second

// order injects. A person who ends the run does not cut the order off: an
// engine carries on with one whose client has disconnected, and what comes after the
// revert would stay.
func (r *conduct) order(ctx context.Context, b *bound) error {
	if _, ok := b.Fault.(fault.Interruptible); !ok {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, max(injectFor, b.entry.Patience))
	defer cancel()
	return b.Fault.Inject(ctx, b.handle, b.entry.State)
}

// prepareAll looks at the components of all steps side by side, and makes the undo of all
// of them durable: before this returns nil, nothing may be done. If one cannot be prepared,
// none is.
func (r *conduct) prepareAll(ctx context.Context, steps []plan.Step) ([]*bound, error) {
	all, refusals := make([]*bound, len(steps)), make([]error, len(steps))
	var preparing sync.WaitGroup
	for i, s := range steps {
		preparing.Go(func() { all[i], refusals[i] = r.prepare(ctx, fmt.Sprintf("fault-%d", len(r.bound)+i), s) })
	}
	preparing.Wait()
	err := errors.Join(refusals...)
	for i := 0; err == nil && i < len(all); i++ {
		if err = r.Journal.Begin(all[i].entry); err != nil {
			for _, b := range all[:i] {
				r.Journal.NotOrdered(b.entry.ID)
			}
		}
	}
	return all, err
}

// prepare looks at a step's component, and describes its undo.
func (r *conduct) prepare(ctx context.Context, id string, s plan.Step) (*bound, error) {
	handle, err := s.Open(ctx, r.Env)
	if err != nil {
		return nil, err
	}
	was, err := s.Fault.Prepare(ctx, handle)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", s.Kind, s.Component.Name, err)
	}
	entry, err := fault.Entry(id, s.Kind, s.Fault, s.Component, was)
	if err != nil {
		return nil, err
	}
	return &bound{Step: s, handle: handle, entry: entry}, nil
}

// verifyFor is how long a fault may take to be in force once it was ordered.
const verifyFor = 5 * time.Second

// verify waits until the fault's own check holds.
func (r *conduct) verify(ctx context.Context, b *bound) error {
	verifier, ok := b.Fault.(fault.Verifier)
	if !ok {
		return nil
	}
	deadline := time.Now().Add(verifyFor)
	for {
		err := verifier.InForce(ctx, b.handle, b.entry.State)
		if err == nil || time.Now().After(deadline) || !sleep(ctx, 10*time.Millisecond) {
			return err
		}
	}
}

// takeBack undoes what has lasted as long as it was declared to. What cannot be
// undone now is tried again at the end, and told then.
func (r *conduct) takeBack(ctx context.Context, b *bound) {
	b.over = true
	ctx = context.WithoutCancel(ctx)
	at := r.Clock.Now()
	r.feel(ctx, b)
	err := undoEntries(ctx, r.Journal, r.Undoers, r.note, func(e journal.Entry) bool { return e.ID == b.entry.ID })
	if err != nil {
		r.event(record.KindFault, b.Component.Name, "could not be reverted yet: "+err.Error())
		return
	}
	r.account.Steps[b.account].Undone = true
	r.account.Steps[b.account].TakenBack = &at
	r.event(record.KindFault, b.Component.Name, fmt.Sprintf("%s reverted after %v, as declared", b.Kind, b.For))
}

// feel asks a fault whether anything has met it. After the revert it cannot
// tell.
func (r *conduct) feel(ctx context.Context, b *bound) {
	feeler, ok := b.Fault.(fault.Feeler)
	if !ok {
		return
	}
	if n, known, err := feeler.Felt(ctx, b.handle, b.entry.State); err == nil && known {
		r.account.Steps[b.account].Packets = &n
	}
}

// unfelt reports whether every fault can tell what it has met, and has met nothing.
func (r *conduct) unfelt() bool {
	for _, s := range r.account.Steps {
		if s.Packets == nil || *s.Packets > 0 {
			return false
		}
	}
	return len(r.account.Steps) > 0
}

// again puts a fault in force again whose component was restarted meanwhile: it
// has other namespaces, in which nothing was done yet.
func (r *conduct) again(ctx context.Context, b *bound, found error) bool {
	if _, helped := b.Fault.(fault.Warmer); !helped {
		return false
	}
	c, err := b.handle.Look(ctx)
	if errors.Is(err, target.ErrGone) || err != nil || c.Started.Equal(b.Component.Started) && c.State == target.Running {
		return false
	}
	if c.State != target.Running {
		return true // it is down, with whatever it had: worse than the fault, and looked at again
	}
	if r.order(ctx, b) != nil || r.verify(ctx, b) != nil {
		now, err := b.handle.Look(ctx)
		return err == nil && (now.State != target.Running || !now.Started.Equal(c.Started)) // it has ended meanwhile
	}
	b.Component = c
	r.event(record.KindFault, c.Name, b.Kind+" was injected again: the component was restarted ("+found.Error()+")")
	return true
}
