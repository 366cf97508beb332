package probe

import (
	"context"
	"errors"
	"sync"

	"github.com/gameday-dev/gameday/pkg/record"
)

// The results of looking up an acknowledged write.
const (
	Present     = "present"
	Absent      = "absent"
	Unconfirmed = "unconfirmed"
)

// confirmers is the number of parallel lookups.
const confirmers = 8

// Confirm looks up every acknowledged write twice, the same way as users come. If both lookups agree, their result
// is the write's presence; else the write is unconfirmed. Confirm calls progress, unless
// it is nil, with the number of completed lookups.
func (l Load) Confirm(ctx context.Context, acks []record.Ack, progress func(done, all int)) error {
	if l.Journey.Confirm == nil {
		return nil
	}
	look, err := l.lookUp(compilation{})
	if err != nil {
		return err
	}

	done := 0
	var mu sync.Mutex
	reading := func(merge func(ack *record.Ack, found string)) {
		var group sync.WaitGroup
		next := make(chan int)
		for range confirmers {
			group.Go(func() {
				for i := range next {
					merge(&acks[i], presence(look.take(ctx, acks[i].ID, acks[i].Vars)))
					mu.Lock()
					if done++; progress != nil {
						progress(done, 2*len(acks))
					}
					mu.Unlock()
				}
			})
		}
		for i := range acks {
			next <- i
		}
		close(next)
		group.Wait()
	}
	// The second pass starts after the first one, which gives a lagging replica time to
	// catch up.
	reading(func(ack *record.Ack, found string) { ack.Presence = found })
	reading(func(ack *record.Ack, found string) {
		if ack.Presence != found {
			ack.Presence = Unconfirmed
		}
	})
	return errors.Join(ctx.Err(), look.close())
}

// lookUps ask whether acknowledged writes are there.
type lookUps struct {
	*users
}

// lookUp prepares look-ups.
func (l Load) lookUp(c compilation) (lookUps, error) {
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
