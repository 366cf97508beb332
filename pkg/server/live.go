package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/daemon"
)

// keepAlive is the interval of keep-alive comments in a stream, so that proxies keep
// the connection and a client that is gone is noticed.
const keepAlive = 15 * time.Second

// The limits of streams. A stream ends with the time, so that its token is checked again:
// the browser reconnects by itself. A person's streams leave room for those of others.
const (
	streamTime   = 10 * time.Minute
	maxPerPerson = daemon.MaxListeners / 2
)

// streams are the open streams of each person. All clients on this machine without a token
// are one person.
type streams struct {
	mu   sync.Mutex
	open map[string][]*context.CancelFunc // the oldest first
}

// join counts a stream. Its context ends with the stream's time, or if the person opens too
// many others: the newest ones stay, so that a client that keeps streams open, or
// connections that are dead, do not keep others out.
func (s *streams) join(ctx context.Context, name string) (joined context.Context, leave func()) {
	ctx, cancel := context.WithTimeout(ctx, streamTime)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[string][]*context.CancelFunc{}
	}
	if mine := s.open[name]; len(mine) >= maxPerPerson {
		(*mine[0])()
		s.open[name] = mine[1:]
	}
	s.open[name] = append(s.open[name], &cancel)
	return ctx, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open[name] = slices.DeleteFunc(s.open[name], func(other *context.CancelFunc) bool { return other == &cancel })
		if len(s.open[name]) == 0 {
			delete(s.open, name)
		}
	}
}

// live streams events to the browser, as server-sent events.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	ctx, end := s.streams.join(r.Context(), personOf(r.Context()).Name)
	defer end()
	events, leave, ok := s.Daemon.Hub.Listen()
	if !ok {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many live connections: try again in 10 seconds", http.StatusServiceUnavailable)
		return
	}
	defer leave()
	control := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	send := func(text string) bool {
		// A client that does not read within writeTime is disconnected.
		if err := control.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
			return false
		}
		if _, err := fmt.Fprint(w, text); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	_ = control.SetReadDeadline(time.Time{}) // the client sends nothing more
	if !send("retry: 2000\n\n") {
		return
	}
	ticker := time.NewTicker(keepAlive)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if !send(": still here\n\n") {
				return
			}
		case e, ok := <-events:
			if !ok {
				return // the client fell behind: the browser reconnects and reloads
			}
			if !send(event(e)) {
				return
			}
		}
	}
}

func event(l daemon.Live) string {
	data, err := json.Marshal(l)
	if err != nil {
		return ""
	}
	return "event: " + l.Kind + "\ndata: " + string(data) + "\n\n"
}
