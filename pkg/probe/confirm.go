package probe

import (
	"cmp"
	"context"
	"net/http"
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

// Confirm looks up every acknowledged write twice. If both lookups agree, their result
// is the write's presence; else the write is unconfirmed. Confirm calls progress, unless
// it is nil, with the number of completed lookups.
func Confirm(ctx context.Context, j Journey, way Way, acks []record.Ack, progress func(done, all int)) error {
	if j.Confirm == nil {
		return nil
	}
	w, err := newWalker(way.Entry, *j.Confirm)
	if err != nil {
		return err
	}
	w.escapes = true
	timeout := j.limit()
	transport, err := way.transport(timeout)
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	lookUp := func(id string) string {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return presence(w.take(ctx, &w.steps[0], transport, map[string]any{"id": id}), j.Confirm.Expect)
	}

	done := 0
	var mu sync.Mutex
	reading := func(merge func(ack *record.Ack, found string)) {
		var group sync.WaitGroup
		next := make(chan int)
		for range confirmers {
			group.Go(func() {
				for i := range next {
					merge(&acks[i], lookUp(acks[i].ID))
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
	return ctx.Err()
}

// presence is the result of one lookup. A write is absent only if a response denies its
// existence.
func presence(r stepResult, expect Expect) string {
	switch {
	case r.err == nil:
		return Present
	case !r.answered:
		return Unconfirmed
	case r.code == http.StatusNotFound || r.code == http.StatusGone:
		return Absent
	case r.code == cmp.Or(expect.Status, http.StatusOK):
		return Absent // the right status, with other content
	}
	return Unconfirmed
}
