package daemon

import "sync"

// Kinds of live events.
const (
	Changed = "changed" // a job or a hold has changed: reload the page
	Line    = "line"    // a line of a run's output
	Meter   = "meter"   // the current share of good users
	Began   = "run"     // a run of a job has begun: the text is its ID
)

// Live is a live event.
type Live struct {
	Kind    string   `json:"kind"`
	Job     int64    `json:"job,omitempty"` // 0 if the event is not about one job
	Text    string   `json:"text,omitempty"`
	Phase   string   `json:"phase,omitempty"`
	For     float64  `json:"for_s,omitempty"`     // the maximum length of the phase
	Elapsed float64  `json:"elapsed_s,omitempty"` // since the phase started
	Users   int      `json:"users,omitempty"`     // in the last seconds
	Good    *float64 `json:"good,omitempty"`      // the share of good ones among Users
}

// backlog is how many events a listener may fall behind before it is disconnected. It
// must reload then.
const backlog = 64

// MaxListeners is the maximum number of listeners.
const MaxListeners = 500

// Hub sends live events to listeners. The zero value is ready to use.
type Hub struct {
	mu        sync.Mutex
	listeners map[chan Live]struct{}
	latest    map[int64]Live // the last meter of each job, for new listeners
}

// Listen returns a channel of events from now on. The channel is closed if the listener
// is too slow, and when it leaves. ok is false if there are too many listeners.
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
		c <- l // never blocks: latest is smaller than backlog
	}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.drop(c)
	}, true
}

func (h *Hub) drop(c chan Live) {
	if _, ok := h.listeners[c]; ok {
		delete(h.listeners, c)
		close(c)
	}
}

// Publish sends an event to all listeners without waiting.
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
