package probe

import (
	"context"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/record"
)

// atOnce is how many writes a worker looks up at once. It receives no more until
// gameday has the results, so that neither keeps more.
const atOnce = 1000

// Confirm is [Load.Confirm], run by a worker.
func (r Remote) Confirm(ctx context.Context, acks *record.Acked, progress func(done, all int)) error {
	name := r.Load.Journey.Name
	if r.Load.Journey.Confirm == nil || acks.Len(name) == 0 {
		return nil
	}
	return r.with(ctx, order{Confirm: &r.Load}, func(w *remote) error {
		batch := remoteBatch{remote: w, acks: acks, on: func(done int) {
			if progress != nil {
				progress(done, confirmations*acks.Len(name))
			}
		}}
		for range confirmations {
			for place, ack := range acks.All(name) {
				if err := batch.add(place, ack); err != nil {
					return err
				}
			}
			if err := batch.send(); err != nil {
				return err
			}
		}
		w.say(order{Looked: true})
		return w.each(func(line) {})
	})
}

// remoteBatch are writes that a worker looks up at once.
type remoteBatch struct {
	*remote
	acks   *record.Acked
	places []int
	look   []record.Ack
	done   int
	on     func(done int)
}

// add adds a write, and has the batch looked up once it is full.
func (b *remoteBatch) add(place int, ack record.Ack) error {
	b.places, b.look = append(b.places, place), append(b.look, ack)
	if len(b.look) < atOnce {
		return nil
	}
	return b.send()
}

// send has the batch looked up, and notes what was found.
func (b *remoteBatch) send() error {
	if len(b.look) == 0 {
		return nil
	}
	if err := b.in.Encode(order{Look: b.look}); err != nil {
		return fmt.Errorf("%w: %w", ErrWorker, err)
	}
	var l line
	switch err := b.out.Decode(&l); {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrWorker, err)
	case l.Done || len(l.Found) != len(b.look):
		return fmt.Errorf("%w: %d of %d writes were looked up: %s", ErrWorker, len(l.Found), len(b.look), l.Error)
	}
	for i, place := range b.places {
		b.acks.Found(place, l.Found[i])
	}
	b.done += len(b.look)
	b.places, b.look = b.places[:0], b.look[:0]
	b.on(b.done)
	return nil
}
