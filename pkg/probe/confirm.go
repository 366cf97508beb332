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
	j := l.Journey
	if j.Confirm == nil {
		return nil
	}
	j.Steps, j.Let, j.Users = []Step{*j.Confirm}, nil, nil
	timeout := j.limit()
	transport, err := l.Way.transport(timeout)
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	w, err := newWalker(compilation{Opening: Opening{Way: l.Way}, protocols: l.Protocols, journey: j})
	if err != nil {
		return err
	}
	if a, ok := w.steps[0].action.(*webAction); ok {
		a.escapes = true
	}
	lookUp := func(ack record.Ack) string {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		u := &User{client: transport, cookies: w.cookies, vars: map[string]any{}}
		defer u.leave()
		for name, value := range ack.Vars {
			u.vars[name] = value
		}
		u.vars["id"] = ack.ID
		return presence(w.take(ctx, &w.steps[0], u))
	}

	done := 0
	var mu sync.Mutex
	reading := func(merge func(ack *record.Ack, found string)) {
		var group sync.WaitGroup
		next := make(chan int)
		for range confirmers {
			group.Go(func() {
				for i := range next {
					merge(&acks[i], lookUp(acks[i]))
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
	return errors.Join(ctx.Err(), w.close())
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
