package probe

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/gameday-dev/gameday/pkg/record"
)

// The results of looking up an acknowledged write.
const (
	Present     = "present"
	Absent      = "absent"
	Unconfirmed = "unconfirmed"
)

// confirmers is the number of parallel look-ups, and so that of their connections.
const confirmers = 8

// confirmations is how often each write is looked up.
const confirmations = 2

// Confirm looks up every acknowledged write of the journey twice, the same way as users come.
// The second reading starts after the first one, which gives a lagging replica time to catch
// up. Confirm calls progress, unless it is nil, with the number of completed look-ups.
func (l Load) Confirm(ctx context.Context, acks *record.Acked, progress func(done, all int)) error {
	if l.Journey.Confirm == nil {
		return nil
	}
	look, err := l.lookUp(compilation{})
	if err != nil {
		return err
	}
	done, all := 0, confirmations*acks.Len(l.Journey.Name)
	for range confirmations {
		look.each(ctx, acks.All(l.Journey.Name), func(place int, presence string) {
			acks.Found(place, presence)
			if done++; progress != nil {
				progress(done, all)
			}
		})
	}
	return errors.Join(ctx.Err(), look.close())
}

// each looks up writes in parallel, and calls on with what it has found, one at a time.
func (l lookUps) each(ctx context.Context, acks iter.Seq2[int, record.Ack], on func(place int, presence string)) {
	type one struct {
		place int
		ack   record.Ack
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	next := make(chan one)
	for range confirmers {
		group.Go(func() {
			for n := range next {
				found := presence(l.take(ctx, n.ack.ID, n.ack.Vars))
				mu.Lock()
				on(n.place, found)
				mu.Unlock()
			}
		})
	}
	for place, ack := range acks {
		next <- one{place, ack}
	}
	close(next)
	group.Wait()
}

// lookUps ask whether acknowledged writes are there.
type lookUps struct {
	*users
}

// lookUp prepares look-ups. They ask whether a write is there, so they connect as they can,
// whatever the client of the users who wrote it does.
func (l Load) lookUp(c compilation) (lookUps, error) {
	l.Client = Client{}
	l.Journey.Steps, l.Journey.Let, l.Journey.Users = []Step{*l.Journey.Confirm}, nil, nil
	all, err := l.open(c)
	if err != nil {
		return lookUps{}, err
	}
	if a, ok := all.walker.steps[0].action.(*webAction); ok {
		a.escapes = true
	}
	return lookUps{all}, nil
}

// take looks up one write, with what its user captured.
func (l lookUps) take(ctx context.Context, id string, captured map[string]string) stepResult {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	u := &User{client: l.transport, cookies: l.walker.cookies, traces: l.walker.traces, vars: map[string]any{}}
	for name, value := range captured {
		u.vars[name] = value
	}
	u.vars["id"] = id
	return l.walker.take(ctx, &l.walker.steps[0], u)
}

// presence is the result of one lookup. A write is absent only if a response denies its
// existence.
func presence(r stepResult) string {
	switch {
	case r.err == nil:
		return Present
	case !r.answered:
		return Unconfirmed
	case r.absent, r.wanted:
		return Absent // there is none, or the right status has other content
	}
	return Unconfirmed
}
