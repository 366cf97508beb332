package fault_test

import (
	"context"
	"encoding/json"
	"net"
	"slices"

	"github.com/gameday-dev/gameday/pkg/helper"
)

// end ends all helpers: what they did goes with them, and what the kernel keeps
// stays.
func (w *world) end() {
	for of, sessions := range w.sessions {
		for _, s := range sessions {
			of.t.Cleanup(func() { _ = s.Close() })
			go func() { _ = s.Close() }()
		}
		delete(w.sessions, of)
	}
	w.inForce = map[string]helper.Order{}
}

// Evict ends the helpers, also those of other processes.
func (w *world) Evict(context.Context) error { return w.call("", w.end) }

// Attach puts a helper beside the component.
func (m *memory) Attach(ctx context.Context, power helper.Power) (*helper.Session, error) {
	if s, ok := m.Attached(ctx, power); ok {
		return s, nil
	}
	ours, theirs := net.Pipe()
	if err := m.call("", nil); err != nil {
		return nil, err
	}
	go m.help(theirs)
	s, err := helper.Open(ctx, ours)
	if err != nil {
		return nil, err
	}
	m.t.Cleanup(func() { _ = s.Close() })
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions[m] == nil {
		m.sessions[m] = map[helper.Power]*helper.Session{}
	}
	m.sessions[m][power] = s
	return s, nil
}

// Attached is the helper that this process has beside the component.
func (m *memory) Attached(_ context.Context, power helper.Power) (*helper.Session, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[m][power]
	return s, ok
}

// help is a helper: it speaks the protocol, and acts on the world in memory.
func (w *world) help(stream net.Conn) {
	defer stream.Close()
	in, out := json.NewDecoder(stream), json.NewEncoder(stream)
	if out.Encode(helper.Reply{Version: helper.Version}) != nil {
		return
	}
	for {
		var r helper.Request
		if in.Decode(&r) != nil {
			return
		}
		if r.Op == helper.OpRenew {
			continue
		}
		reply := w.carryOut(r)
		reply.ID = r.ID
		if out.Encode(reply) != nil {
			return
		}
	}
}

func (w *world) carryOut(r helper.Request) (reply helper.Reply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wrong != "" {
		return helper.Reply{Error: w.wrong}
	}
	if r.Op == helper.OpApply || r.Op == helper.OpDo && !reads(r.Work) {
		w.orders = append(w.orders, string(r.Op))
	}
	switch r.Op {
	case helper.OpApply:
		w.inForce[r.Name] = r.Work
		if keeps(r.Work) {
			w.kept = append(w.kept, r.Work)
		}
	case helper.OpUndo:
		if keeps(w.inForce[r.Name]) {
			w.kept = nil
		}
		delete(w.inForce, r.Name)
	case helper.OpMend:
		w.kept = nil
	case helper.OpStatus:
		if _, ok := w.inForce[r.Name]; !ok {
			return helper.Reply{Error: "nothing of this name is in force"}
		}
		reply.Packets = 42
	case helper.OpTry:
		if s := workOf[helper.Signal](r.Work, "signal"); s != nil && !slices.Contains(w.processes, s.Process) {
			reply.Error = "no such process"
		}
	case helper.OpDo:
		reply = w.do(r.Work)
	case helper.OpRenew:
	}
	return reply
}

// workOf is the work of an order, if it is of this name; nil if it is not.
func workOf[W any](o helper.Order, name string) *W {
	data, ok := o[name]
	if !ok {
		return nil
	}
	var work W
	if err := json.Unmarshal(data, &work); err != nil {
		panic(err) // a bug of this test
	}
	return &work
}

// reads tells whether an order only reads a file.
func reads(o helper.Order) bool {
	f := workOf[helper.File](o, "file")
	return o["neighbors"] != nil || f != nil && f.Op == helper.FileRead
}

// keeps tells whether the kernel keeps an effect when the helper is killed.
func keeps(o helper.Order) bool { return o["shape"] != nil || o["mount"] != nil || o["signal"] != nil }

func (w *world) do(o helper.Order) (reply helper.Reply) {
	if s := workOf[helper.Signal](o, "signal"); s != nil && s.Signal != 0 {
		w.processes = slices.DeleteFunc(w.processes, func(p string) bool { return p == s.Process })
	}
	f := workOf[helper.File](o, "file")
	if o["neighbors"] != nil {
		reply.Neighbors = w.neighbors
	}
	switch {
	case f == nil:
	case f.Op == helper.FileRead:
		seen := w.files[f.Path]
		reply.File = &seen
	case f.Op == helper.FileRemove:
		delete(w.files, f.Path)
	case f.Op == helper.FileWrite:
		w.files[f.Path] = *f.Write
	}
	return reply
}
