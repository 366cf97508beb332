package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Tried is one user's way, as a person who writes a journey looks at it. It contains what
// the system sent, secrets included.
type Tried struct {
	User    uint64        `json:"user"`
	Latency time.Duration `json:"latency_ns"` // without pauses
	Steps   []TriedStep   `json:"steps"`      // up to the first one that failed
	// Look is the look-up of the acknowledged write, if there is one.
	Look *TriedStep `json:"look_up,omitempty"`

	remembered map[string]string // what the look-up needs
}

// TriedStep is one step of a user.
type TriedStep struct {
	Name         string            `json:"name"`
	Asked        *Asked            `json:"request,omitempty"`
	Hops         []Hop             `json:"redirects,omitempty"` // that were followed; the last one was not, if there were too many
	Code         int               `json:"code,omitempty"`
	Status       string            `json:"status,omitempty"`
	Header       http.Header       `json:"header,omitempty"`
	Body         string            `json:"body,omitempty"` // the first 4 MiB of the response's
	Value        any               `json:"value,omitempty"`
	Size         int64             `json:"size"` // of the response's body, in bytes
	Latency      time.Duration     `json:"latency_ns"`
	Attempts     int               `json:"attempts"`
	Captured     map[string]string `json:"captured,omitempty"`
	Acknowledged string            `json:"acknowledged,omitempty"`
	// Error is why the step failed, as reports have it; "" if it did not. Found is what
	// there was instead.
	Error string `json:"error,omitempty"`
	Found string `json:"found,omitempty"`
}

// Failed reports whether a step of the user failed.
func (t Tried) Failed() bool {
	return len(t.Steps) == 0 || t.Steps[len(t.Steps)-1].Error != "" || t.Look != nil && t.Look.Error != ""
}

// Try lets a few users walk the journey at the load's rate, and calls on for each one, as
// they end: one call at a time. Each user's acknowledged write is looked up at once.
func (l Load) Try(ctx context.Context, count int, on func(Tried)) error {
	all, err := l.open(compilation{traces: true})
	if err != nil {
		return fmt.Errorf("journey %s: %w", l.Journey.Name, err)
	}
	defer func() { _ = all.close() }() // every user has left
	var mu sync.Mutex
	var walking sync.WaitGroup
	defer walking.Wait()
	for seq := range uint64(max(count, 0)) {
		if seq > 0 && !wait(ctx, l.Rate.Gap()) {
			break
		}
		walking.Go(func() {
			met := all.try(ctx, seq)
			if n := len(met.Steps); n > 0 && met.Steps[n-1].Error == "" {
				met.Look = l.tryLookUp(ctx, met)
			}
			mu.Lock()
			defer mu.Unlock()
			on(met)
		})
	}
	walking.Wait()
	return ctx.Err()
}

// try lets one user walk.
func (u *users) try(ctx context.Context, seq uint64) (t Tried) {
	way := u.walk(ctx, seq)
	t.User, t.remembered = seq, way.remembered
	for _, s := range way.steps {
		t.Latency += s.latency
		t.Steps = append(t.Steps, s.tried())
	}
	return t
}

// tryLookUp looks up the write that a user's way acknowledged.
func (l Load) tryLookUp(ctx context.Context, t Tried) *TriedStep {
	if l.Journey.Confirm == nil {
		return nil
	}
	id := ""
	for _, s := range t.Steps {
		if s.Acknowledged != "" {
			id = s.Acknowledged
		}
	}
	if id == "" {
		return nil
	}
	look, err := l.lookUp(compilation{traces: true})
	if err != nil {
		return &TriedStep{Name: "confirm", Error: err.Error()}
	}
	defer func() { _ = look.close() }()
	r := look.take(ctx, id, t.remembered)
	tried := r.tried()
	tried.Name = "confirm"
	return &tried
}

// tried is the result of a step as a person looks at it.
func (s stepResult) tried() TriedStep {
	t := TriedStep{
		Name: s.title, Code: s.code, Size: int64(s.in), Latency: s.latency, Attempts: len(s.failed) + 1,
		Captured: s.captured, Acknowledged: s.ackID,
	}
	if s.err != nil {
		t.Error = reason(s.err)
		if m, ok := errors.AsType[mismatch](s.err); ok {
			t.Found = m.found
		}
	}
	if a := s.answer; a != nil {
		t.Asked, t.Hops, t.Status, t.Header, t.Body = a.Asked, a.Hops, a.Status, a.Header, string(a.Body)
		if a.Valued {
			t.Value = a.Value
		}
	}
	return t
}
