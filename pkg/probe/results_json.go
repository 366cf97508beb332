package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// readJSON reads JSON lines of vegeta or k6. head is where the file begins.
func (r *Results) readJSON(head []byte, in *lines, to sink) error {
	if head[0] == '[' {
		return errors.New("line 1: found a JSON array, expected one JSON object a line")
	}
	keys := keysOf(head)
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(keys, name) })
	}
	switch {
	case has("timestamp", "code", "latency"):
		r.Tool = Vegeta
		return readVegetaJSON(in, to)
	case has("type", "metric", "data"):
		r.Tool = K6
		return r.readK6JSON(in, to)
	}
	hint := ""
	if has("latencies", "requests") || has("metrics", "root_group") || has("aggregate", "intermediate") {
		hint = ": it is a summary, without the times of requests"
	}
	return fmt.Errorf("line 1: found a JSON object with the keys %s%s; expected one result a line, with vegeta's keys (timestamp, code, latency, …) or k6's (type, metric, data)",
		listed(keys), hint)
}

// listed are names for an error, up to ten of them.
func listed(names []string) string {
	shown := names[:min(len(names), 10)]
	var text []string
	for _, name := range shown {
		text = append(text, fmt.Sprintf("%.40q", name))
	}
	if len(names) > len(shown) {
		text = append(text, fmt.Sprintf("and %d more", len(names)-len(shown)))
	}
	if len(text) == 0 {
		return "none"
	}
	return strings.Join(text, ", ")
}

// keysOf are the keys of the first JSON object of a text, as far as it can be read.
func keysOf(text []byte) (keys []string) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil
	}
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return keys
		}
		keys = append(keys, name)
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return keys
		}
	}
	return keys
}

// feed gives a decoder one line after the other.
type feed struct{ line []byte }

// Read implements [io.Reader].
func (f *feed) Read(p []byte) (int, error) {
	n := copy(p, f.line)
	f.line = f.line[n:]
	return n, nil
}

// readVegetaJSON reads vegeta's JSON lines. Its decoder drops a last line without a newline,
// and takes any JSON object for a result.
func readVegetaJSON(in *lines, to sink) error {
	var f feed
	decode := vegeta.NewJSONDecoder(&f)
	for {
		line, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		f.line = line
		var r vegeta.Result
		if err := decode(&r); err != nil {
			return fmt.Errorf("line %d: found %s, expected a result of vegeta: %w", in.n, excerpt(line), err)
		}
		if r.Timestamp.IsZero() {
			return fmt.Errorf("line %d: found a JSON object with the keys %s, expected a result of vegeta with a timestamp", in.n, listed(keysOf(line)))
		}
		if !to(sample(r)) {
			return nil
		}
	}
}

// excerpt is the beginning of a line for an error.
func excerpt(line []byte) string {
	return fmt.Sprintf("%.60q", string(bytes.TrimSpace(line[:min(len(line), 200)])))
}
