package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gameday-dev/gameday/pkg/daemon"
)

// keepAlive is the interval of keep-alive comments in a stream, so that proxies keep
// the connection and a client that is gone is noticed.
const keepAlive = 15 * time.Second

// live streams events to the browser, as server-sent events.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
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
		case <-r.Context().Done():
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
