package probe

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"
)

// walker is a compiled journey that can be walked many times per second.
type walker struct {
	steps      []step
	let        map[string]*Template
	users      *Users
	judging    chan struct{} // holds an item for each response that is being judged
	remembered []string      // values that a look-up needs
	place      Place
	cookies    bool
	pauses     bool // a step has a pause
	traces     bool // results contain their answers
}

// step is a compiled [Step].
type step struct {
	Step
	title        string
	held         time.Duration // how long it is held open, at most
	action       Action
	expect       checks
	until        checks    // of its poll
	retries      *retrying // as the client does; nil if it does not
	captures     map[string]finder
	acknowledges finder    // by JSONPath
	chosen       *Template // the acknowledged ID that the user chose
}

// compilation is what a journey is compiled with.
type compilation struct {
	Opening
	protocols Protocols
	journey   Journey
	client    Client
	place     Place
	traces    bool // a person looks at what users do
}

// newWalker compiles a journey. The caller should check it first.
func newWalker(c compilation) (*walker, error) {
	if err := CheckEntry(c.Way.Entry); err != nil {
		return nil, fmt.Errorf("entry: %w", err)
	}
	c.Templates = newTemplates(c.Way.Environ)
	c.Timeout, c.Fresh = c.journey.limit(), c.journey.Connections == "fresh"
	w := &walker{
		let: parseAll(c.Templates, c.journey.Let), users: c.journey.Users, judging: make(chan struct{}, runtime.GOMAXPROCS(0)),
		remembered: c.journey.remembered(), cookies: c.journey.Cookies != "off", pauses: c.journey.thinking() > 0,
		traces: c.traces, place: c.place,
	}
	if err := c.Templates.Err(); err != nil {
		return nil, fmt.Errorf("let: %w", err)
	}
	for _, s := range c.journey.Steps {
		ready, err := c.step(s)
		if err = errors.Join(err, c.Templates.Err()); err != nil {
			return nil, errors.Join(fmt.Errorf("step %s: %w", s.Title(), err), w.close())
		}
		w.steps = append(w.steps, ready)
	}
	return w, nil
}

// close ends the connections that users share.
func (w *walker) close() error {
	var errs []error
	for _, s := range w.steps {
		errs = append(errs, s.action.Close())
	}
	return errors.Join(errs...)
}

func (c compilation) step(s Step) (r step, err error) {
	r = step{Step: s, title: s.Title(), held: s.holds(), captures: map[string]finder{}, retries: c.retries(s)}
	if r.expect, _, err = s.Expect.compile(); err != nil {
		return r, err
	}
	if r.until, _, err = s.until().compile(); err != nil {
		return r, err
	}
	for name, capture := range s.Capture {
		if r.captures[name], err = capture.compile(); err != nil {
			return r, err
		}
	}
	switch {
	case isTemplate(s.Acknowledges):
		r.chosen = c.Templates.Parse(s.Acknowledges)
	case s.Acknowledges != "":
		if r.acknowledges, err = byJSONPath(s.Acknowledges); err != nil {
			return r, err
		}
	}
	r.action, err = c.action(s)
	return r, err
}

// action prepares the request of a step.
func (c compilation) action(s Step) (Action, error) {
	for key := range s.others() {
		p := c.protocols[key]
		if p == nil {
			return nil, fmt.Errorf("this program cannot perform steps of %s", key)
		}
		return p.Open(s, c.Opening)
	}
	w := web{base: strings.TrimRight(c.Way.Entry, "/"), follow: c.journey.Follow, gzip: c.journey.Gzip, traces: c.traces, agent: []string{"gameday"}}
	return w.open(s, c.Templates), nil
}

// looks reports whether something looks at the body of the step's answers.
func (s Step) looks() bool {
	if s.Expect.looks() || s.until().looks() || s.Acknowledges != "" && !isTemplate(s.Acknowledges) {
		return true
	}
	for _, c := range s.Capture {
		if c.looks() {
			return true
		}
	}
	return false
}

// Builder builds a value whose strings are templates.
type Builder func(vars map[string]any) (any, error)

// NewBuilder compiles a value made of maps, lists and scalars.
func NewBuilder(v any, c *Templates) Builder {
	switch v := v.(type) {
	case string:
		t := c.Parse(v)
		return func(vars map[string]any) (any, error) { return t.render(vars) }
	case []any:
		items := make([]Builder, len(v))
		for i, item := range v {
			items[i] = NewBuilder(item, c)
		}
		return func(vars map[string]any) (any, error) {
			made := make([]any, len(items))
			return made, each(slices.All(items), vars, func(i int, item any) { made[i] = item })
		}
	case map[string]any:
		items := map[string]Builder{}
		for key, item := range v {
			items[key] = NewBuilder(item, c)
		}
		return func(vars map[string]any) (any, error) {
			made := make(map[string]any, len(items))
			return made, each(maps.All(items), vars, func(key string, item any) { made[key] = item })
		}
	}
	return func(map[string]any) (any, error) { return v, nil }
}

// each builds every item of a list or a map.
func each[K any](items iter.Seq2[K, Builder], vars map[string]any, put func(K, any)) error {
	for key, item := range items {
		made, err := item(vars)
		if err != nil {
			return err
		}
		put(key, made)
	}
	return nil
}
