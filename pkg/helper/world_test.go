package helper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// world is a registry of works that change nothing but this value, so that the
// helper's two ends can be tested with no root and no engine.
type world struct {
	mu  sync.Mutex
	now []string // what is in force
	log []string // what was done, in order
	// stuck is how often undoing has failed.
	stuck int
}

func (w *world) works() registry {
	return registry{
		lasting:   map[string]func() lasting{"thing": func() lasting { return &thing{world: w} }},
		momentary: map[string]func() momentary{"word": func() momentary { return &word{world: w} }},
	}
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func (w *world) is(t *testing.T, now ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.now, now) {
		t.Errorf("in force: %v, expected %v", w.now, now)
	}
}

func (w *world) did(t *testing.T, log ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.log, log) {
		t.Errorf("done:\n%s\nexpected:\n%s", strings.Join(w.log, "\n"), strings.Join(log, "\n"))
	}
}

// thing is work that lasts.
type thing struct {
	world  *world
	Name   string `json:"name"`
	Refuse string `json:"refuse,omitempty"` // why it cannot begin
	Half   bool   `json:"half,omitempty"`   // it cannot begin, and leaves something
	Stuck  int    `json:"stuck,omitempty"`  // how often undoing it fails
	Lost   bool   `json:"lost,omitempty"`   // it is not in force any more
}

func (*thing) work() string { return "thing" }

func (t *thing) try() error {
	t.world.note("try %s", t.Name)
	if t.Refuse != "" {
		return errors.New(t.Refuse)
	}
	return nil
}

func (t *thing) begin(tag string) (effect, Reply, error) {
	t.world.note("begin %s as %s", t.Name, tag)
	if t.Refuse != "" && !t.Half {
		return nil, Reply{}, errors.New(t.Refuse)
	}
	t.world.mu.Lock()
	defer t.world.mu.Unlock()
	t.world.now = append(t.world.now, t.Name)
	if t.Half {
		return t, Reply{}, errors.New(t.Refuse)
	}
	return t, Reply{Note: "began " + t.Name}, nil
}

func (t *thing) mend() error {
	t.world.note("mend %s", t.Name)
	return nil
}

func (t *thing) status() (Reply, error) {
	if t.Lost {
		return Reply{}, errors.New(t.Name + " is lost")
	}
	return Reply{Packets: uint64(len(t.Name)), Note: t.Name}, nil
}

func (t *thing) undo() error {
	t.world.note("undo %s", t.Name)
	if t.Stuck > 0 {
		t.Stuck--
		t.world.mu.Lock()
		defer t.world.mu.Unlock()
		t.world.stuck++
		return errors.New(t.Name + " is stuck")
	}
	t.world.mu.Lock()
	defer t.world.mu.Unlock()
	t.world.now = slices.DeleteFunc(t.world.now, func(name string) bool { return name == t.Name })
	return nil
}

// word is work that is done at once: it is said back.
type word struct {
	world *world
	Say   string `json:"say"`
}

func (*word) work() string { return "word" }

func (w *word) do() (Reply, error) {
	w.world.note("say %s", w.Say)
	if w.Say == "" {
		return Reply{}, errors.New("nothing to say")
	}
	return Reply{Note: w.Say}, nil
}

// serve is a helper of this world that reads these lines to their end.
func (w *world) serve(t *testing.T, lines ...string) ([]Reply, error) {
	t.Helper()
	var out bytes.Buffer
	err := w.works().serve(t.Context(), strings.NewReader(strings.Join(lines, "\n")+"\n"), &out)
	return replies(t, &out), err
}

// replies are all answers but the first, which says that the helper is ready.
func replies(t *testing.T, out *bytes.Buffer) []Reply {
	t.Helper()
	var all []Reply
	for line := range bytes.Lines(out.Bytes()) {
		var r Reply
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("answered with %q: %v", line, err)
		}
		all = append(all, r)
	}
	if len(all) == 0 || all[0].ID != 0 || all[0].Version != Version || all[0].At.IsZero() {
		t.Fatalf("it did not say that it is ready: %+v", all)
	}
	return all[1:]
}

// errors are those of replies, in a line each; "-" for none.
func errorsOf(all []Reply) string {
	var lines []string
	for _, r := range all {
		line := "-"
		if r.Error != "" {
			line = r.Error
		}
		lines = append(lines, fmt.Sprintf("%d %s", r.ID, line))
	}
	return strings.Join(lines, "\n")
}
