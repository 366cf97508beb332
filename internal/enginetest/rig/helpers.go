package rig

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/helper"
)

// The rig has no kernel. The containers that gameday creates, its helpers, answer yes to
// everything, and do nothing: a plan that asks them is not refused, and no fault of theirs
// has an effect.

// create creates a helper.
func (e *Engine) create(w http.ResponseWriter, r *http.Request, body []byte) {
	var sent Object
	if err := json.Unmarshal(body, &sent); err != nil {
		replyJSON(w, http.StatusBadRequest, Object{"message": err.Error()})
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.made++
	id := fmt.Sprintf("%064x", e.made)
	name := r.URL.Query().Get("name")
	if name == "" {
		name = fmt.Sprintf("helper_%d", e.made)
	} else if other := e.box(name); other != nil {
		replyJSON(w, e.recorded.Taken.Status, Object{"message": e.about(other, e.recorded.Taken.Message)})
		return
	}
	box := Box(id, In("created"), Set("/"+name, "Name"))
	box["Config"], box["HostConfig"] = sent, At(sent, "HostConfig")
	e.boxes = append(e.boxes, box)
	e.helpers[id] = make(chan struct{})
	replyJSON(w, http.StatusCreated, Object{"Id": id, "Warnings": []any{}})
}

// Helpers are the IDs of the containers that gameday has created and that are there still.
func (e *Engine) Helpers() (ids []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id := range e.helpers {
		if e.box(id) != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// delete removes a container.
func (e *Engine) delete(w http.ResponseWriter, id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	box := e.box(id)
	if box == nil {
		e.missing(w, id)
		return
	}
	e.gone(fmt.Sprint(box["Id"]))
	w.WriteHeader(http.StatusNoContent)
}

// gone removes a container, and ends what waits for it. The caller holds mu.
func (e *Engine) gone(id string) {
	e.boxes = slices.DeleteFunc(e.boxes, func(box Object) bool { return box["Id"] == id })
	if ended, ok := e.helpers[id]; ok {
		select {
		case <-ended:
		default:
			close(ended)
		}
	}
}

// wait answers when a helper is removed.
func (e *Engine) wait(w http.ResponseWriter, r *http.Request, id string) {
	e.mu.Lock()
	box := e.box(id)
	if box == nil {
		e.mu.Unlock()
		e.missing(w, id)
		return
	}
	ended := e.helpers[fmt.Sprint(box["Id"])]
	e.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	select {
	case <-ended:
		_, _ = io.WriteString(w, `{"Error":null,"StatusCode":137}`)
	case <-r.Context().Done():
	case <-e.end:
	}
}

// attach connects a helper's input and output.
func (e *Engine) attach(w http.ResponseWriter, id string) {
	e.mu.Lock()
	box := e.box(id)
	if box == nil {
		e.mu.Unlock()
		e.missing(w, id)
		return
	}
	id = fmt.Sprint(box["Id"])
	ended := e.helpers[id]
	e.mu.Unlock()
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		e.tb.Errorf("attach to %s: %v", id, err)
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(buffered); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	go func() {
		select {
		case <-ended:
		case <-e.end:
		}
		_ = conn.Close()
	}()
	e.obey(conn, id, lines)
}

// obey is a helper that does nothing. If it is attached to one connection only, it ends with it.
func (e *Engine) obey(conn net.Conn, id string, lines <-chan string) {
	say := func(reply helper.Reply) {
		data, err := json.Marshal(reply)
		if err != nil {
			panic(err)
		}
		const stdout = 1
		header := [8]byte{stdout}
		binary.BigEndian.PutUint32(header[4:], uint32(len(data)+1))
		_, _ = conn.Write(append(append(header[:], data...), '\n'))
	}
	say(helper.Reply{Version: helper.Version, At: time.Now()})
	for line := range lines {
		var request helper.Request
		reply := helper.Reply{At: time.Now()}
		if err := json.NewDecoder(strings.NewReader(line)).Decode(&request); err != nil {
			reply.Error = err.Error()
		}
		reply.ID = request.ID
		say(reply)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	box := e.box(id)
	if box != nil && At(box, "Config")["StdinOnce"] == true {
		e.gone(id)
	}
}
