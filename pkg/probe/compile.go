package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"
	"text/template"

	"github.com/theory/jsonpath"
)

// walker is a compiled journey that can be walked many times per second.
type walker struct {
	base    string
	steps   []step
	judging chan struct{} // holds an item for each response that is being judged
	escapes bool          // values are escaped where they go into a path
}

// step is a compiled [Step].
type step struct {
	Step
	method       string
	path         *template.Template
	body         func(vars map[string]any) ([]byte, error)
	headers      map[string]*template.Template
	queries      map[string]*jsonpath.Path // by their text
	acknowledges *jsonpath.Path
}

// newWalker compiles steps. The caller should check them first.
func newWalker(base string, steps ...Step) (*walker, error) {
	if err := CheckEntry(base); err != nil {
		return nil, fmt.Errorf("entry: %w", err)
	}
	w := &walker{base: strings.TrimRight(base, "/"), judging: make(chan struct{}, runtime.GOMAXPROCS(0))}
	for _, s := range steps {
		ready, err := newStep(s)
		if err != nil {
			return nil, fmt.Errorf("step %s: %w", s.Title(), err)
		}
		w.steps = append(w.steps, ready)
	}
	return w, nil
}

func newStep(s Step) (step, error) {
	var errs []error
	parse := func(text string) *template.Template {
		t, err := template.New(s.Title()).Option("missingkey=error").Parse(text)
		errs = append(errs, err)
		return t
	}
	method, path := s.Request()
	r := step{Step: s, method: method, path: parse(path), headers: map[string]*template.Template{}, queries: map[string]*jsonpath.Path{}}
	for key, value := range s.Headers {
		r.headers[key] = parse(value)
	}
	for _, text := range s.jsonPaths() {
		query, err := jsonpath.Parse(text)
		errs = append(errs, err)
		r.queries[text] = query
	}
	r.acknowledges = r.queries[s.Acknowledges]
	if s.JSON != nil {
		made := compile(s.JSON, parse)
		r.body = func(vars map[string]any) ([]byte, error) {
			v, err := made(vars)
			if err != nil {
				return nil, err
			}
			return json.Marshal(v)
		}
	} else {
		text := parse(s.Body)
		r.body = func(vars map[string]any) ([]byte, error) {
			body, err := render(text, vars)
			return []byte(body), err
		}
	}
	return r, errors.Join(errs...)
}

// builder builds a value.
type builder func(vars map[string]any) (any, error)

// compile turns a value whose strings are templates into a function that builds the
// value.
func compile(v any, parse func(string) *template.Template) builder {
	switch v := v.(type) {
	case string:
		text := parse(v)
		return func(vars map[string]any) (any, error) { return render(text, vars) }
	case []any:
		items := make([]builder, len(v))
		for i, item := range v {
			items[i] = compile(item, parse)
		}
		return func(vars map[string]any) (any, error) {
			made := make([]any, len(items))
			return made, each(slices.All(items), vars, func(i int, item any) { made[i] = item })
		}
	case map[string]any:
		items := map[string]builder{}
		for key, item := range v {
			items[key] = compile(item, parse)
		}
		return func(vars map[string]any) (any, error) {
			made := make(map[string]any, len(items))
			return made, each(maps.All(items), vars, func(key string, item any) { made[key] = item })
		}
	}
	return func(map[string]any) (any, error) { return v, nil }
}

// each builds every item of a list or a map.
func each[K any](items iter.Seq2[K, builder], vars map[string]any, put func(K, any)) error {
	for key, item := range items {
		made, err := item(vars)
		if err != nil {
			return err
		}
		put(key, made)
	}
	return nil
}

func render(t *template.Template, vars map[string]any) (string, error) {
	var text strings.Builder
	if err := t.Execute(&text, vars); err != nil {
		return "", err
	}
	return text.String(), nil
}
