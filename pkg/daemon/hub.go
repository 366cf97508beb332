package daemon

import "sync"

// Kinds of what is told live.
const (
	Changed = "changed" // a job is in another state, or something else to be looked at anew
	Line    = "line"    // something happened in a run
	Meter   = "meter"   // how users are served at the moment
)

// Live is something that has just happened.
type Live struct {
	Kind    string   `json:"kind"`
	Job     int64    `json:"job,omitempty"` // 0 where it is about none, or all
	Text    string   `json:"text,omitempty"`
	Phase   string   `json:"phase,omitempty"`
	For     float64  `json:"for_s,omitempty"`     // how long the phase lasts, at most
	Elapsed float64  `json:"elapsed_s,omitempty"` // of it
	Users   int      `json:"users,omitempty"`     // of the last seconds
	Good    *float64 `json:"good,omitempty"`      // the share of them who were served well
}

// backlog is how far a listener may fall behind before it is let go: it has to look
// anew then.
const backlog = 64

// MaxListeners is how many may listen at once.
const MaxListeners = 500

// Hub tells listeners what happens. The zero value is ready.
type Hub struct {
	mu        sync.Mutex
	listeners map[chan Live]struct{}
	latest    map[int64]Live // the last meter of each job, for whoever comes later
}

// Listen gives what happens from now on. The channel is closed when the listener is too
// slow, or has left; ok is false where there are too many.
func (h *Hub) Listen() (events <-chan Live, leave func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) >= MaxListeners {
		return nil, nil, false
	}
	if h.listeners == nil {
		h.listeners = map[chan Live]struct{}{}
	}
	c := make(chan Live, backlog)
	h.listeners[c] = struct{}{}
	for _, l := range h.latest {
		c <- l // there are fewer than fit
	}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.drop(c)
	}, true
}

func (h *Hub) drop(c chan Live) {
	if _, there := h.listeners[c]; there {
		delete(h.listeners, c)
		close(c)
	}
}

// Publish tells all listeners. It waits for none.
func (h *Hub) Publish(l Live) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case l.Kind == Meter && len(h.latest) < backlog/2:
		if h.latest == nil {
			h.latest = map[int64]Live{}
		}
		h.latest[l.Job] = l
	case l.Kind == Changed:
		delete(h.latest, l.Job)
	}
	for c := range h.listeners {
		select {
		case c <- l:
		default:
			h.drop(c)
		}
	}
}
