package rig

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// list lists the containers that all filters hold for, as the engine does.
func (e *Engine) list(w http.ResponseWriter, r *http.Request) {
	var filters map[string]map[string]bool
	if text := r.URL.Query().Get("filters"); text != "" {
		if err := json.Unmarshal([]byte(text), &filters); err != nil {
			Reply(w, http.StatusBadRequest, `{"message":"invalid filter"}`)
			return
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	found := []Object{}
	for _, box := range e.boxes {
		status, labels := At(box, "State")["Status"], At(box, "Config", "Labels")
		running, _ := At(box, "State")["Running"].(bool)
		switch {
		case r.URL.Query().Get("all") == "" && !running:
		case !hasAll(labels, filters["label"]):
		case len(filters["status"]) > 0 && !filters["status"][fmt.Sprint(status)]:
		default:
			one := maps.Clone(e.recorded.Summary)
			one["Id"], one["Names"], one["Labels"], one["State"] = box["Id"], []any{box["Name"]}, labels, status
			found = append(found, one)
		}
	}
	replyJSON(w, http.StatusOK, found)
}

// Labelled reports whether labels have one: key, or key=value.
func Labelled(labels Object, want string) bool {
	key, value, hasValue := strings.Cut(want, "=")
	found, ok := labels[key]
	return ok && (!hasValue || found == value)
}

// hasAll reports whether labels have all that a filter wants.
func hasAll(labels Object, wanted map[string]bool) bool {
	for want := range wanted {
		if !Labelled(labels, want) {
			return false
		}
	}
	return true
}

// Inspect answers with a container as it is now.
func (e *Engine) Inspect(w http.ResponseWriter, id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	box := e.box(id)
	if box == nil {
		e.missing(w, id)
		return
	}
	e.look(box)
	shown := maps.Clone(box)
	delete(shown, healthKey)
	replyJSON(w, http.StatusOK, shown)
}

// missing answers to what is about a container that is not there.
func (e *Engine) missing(w http.ResponseWriter, id string) {
	replyJSON(w, e.recorded.Missing.Status, Object{"message": "No such container: " + id})
}

// look makes the health check say what it does by now. The caller holds mu.
func (e *Engine) look(box Object) {
	checks, _ := box[healthKey].([]Check)
	started, err := time.Parse(time.RFC3339Nano, fmt.Sprint(At(box, "State")["StartedAt"]))
	if len(checks) == 0 || err != nil || started.Equal(recordedStart()) || At(box, "State")["Running"] != true {
		return
	}
	status := "starting"
	for _, c := range checks {
		if time.Since(started) >= c.After {
			status = c.Status
		}
	}
	At(box, "State")["Health"] = e.recorded.Health[status]
}

// recordedStart is when the recorded containers were started: before every test.
func recordedStart() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC) }

// order carries an order out as it was recorded, and reports whether it was.
func (e *Engine) order(w http.ResponseWriter, id, order string, body []byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	box := e.box(id)
	if box == nil {
		e.missing(w, id)
		return true
	}
	status := fmt.Sprint(At(box, "State")["Status"])
	answer, known := e.recorded.Orders[status][order]
	if vanishes := At(box, "HostConfig")["AutoRemove"]; vanishes == true && status == "running" {
		if vanishing, ok := e.recorded.Vanishing[order]; ok {
			answer = vanishing
		}
	}
	if !known {
		return false
	}
	e.apply(box, answer)
	if order == "update" && answer.Status < http.StatusBadRequest {
		var sent Object
		if err := json.Unmarshal(body, &sent); err != nil {
			replyJSON(w, http.StatusBadRequest, Object{"message": err.Error()})
			return true
		}
		update(At(box, "HostConfig"), sent)
		replyJSON(w, answer.Status, Object{"Warnings": nil})
		return true
	}
	if answer.Message != "" {
		replyJSON(w, answer.Status, Object{"message": e.about(box, answer.Message)})
		return true
	}
	w.WriteHeader(answer.Status)
	return true
}

// update changes the limits that are sent; to an engine, 0 is not sent.
func update(host, sent Object) {
	for key, value := range sent {
		if n, isNumber := value.(float64); isNumber && n != 0 {
			host[key] = value
		}
	}
}

// apply does what an answer says that the engine did. The caller holds mu.
func (e *Engine) apply(box Object, a Answer) {
	now := time.Now().UTC()
	if a.State != nil {
		state := At(box, "State")
		for key, value := range a.State {
			switch value {
			case Now:
				state[key] = now.Format(time.RFC3339Nano)
			case Before:
			default:
				state[key] = value
			}
		}
	}
	if a.Gone {
		e.gone(fmt.Sprint(box["Id"]))
	}
	for _, event := range a.Events {
		e.send(box, event, now)
	}
}

// about is a recorded text, of this container.
func (e *Engine) about(box Object, text string) string {
	id := fmt.Sprint(box["Id"])
	name := strings.TrimPrefix(fmt.Sprint(box["Name"]), "/")
	return strings.NewReplacer(recordedID, id, recordedName, name, recordedID[:12], fmt.Sprintf("%.12s", id)).Replace(text)
}

// send sends an event to all who watch. The caller holds mu.
func (e *Engine) send(box, event Object, at time.Time) {
	data, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	var sent Object
	if err := json.Unmarshal([]byte(e.about(box, string(data))), &sent); err != nil {
		panic(err)
	}
	attributes := At(sent, "Actor", "Attributes")
	for key := range attributes {
		if strings.HasPrefix(key, "com.docker.compose.") || strings.HasPrefix(key, "gameday.") {
			delete(attributes, key)
		}
	}
	maps.Copy(attributes, At(box, "Config", "Labels"))
	sent["time"], sent["timeNano"] = at.Unix(), at.UnixNano()
	for _, to := range e.watchers {
		select {
		case to <- sent:
		default: // a watcher that does not read misses it
		}
	}
}

// stream answers with the events from now on that have the labels of the filter.
func (e *Engine) stream(w http.ResponseWriter, r *http.Request) {
	var filters map[string]map[string]bool
	_ = json.Unmarshal([]byte(r.URL.Query().Get("filters")), &filters) // without one, all are wanted
	events := make(chan Object, 100)
	e.mu.Lock()
	e.watchers = append(e.watchers, events)
	e.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	for out := json.NewEncoder(w); ; {
		_ = flush.Flush()
		select {
		case <-r.Context().Done():
			return
		case <-e.end:
			return
		case sent := <-events:
			attributes := At(sent, "Actor", "Attributes")
			if hasAll(attributes, filters["label"]) {
				_ = out.Encode(sent)
			}
		}
	}
}
