package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// maxKept is how much of a response is kept for assertions, in bytes.
const maxKept = 4 << 20

// maxID is the maximum size of an acknowledged ID, in bytes: all of them are kept until
// they are looked up.
const maxID = 1 << 10

// errTooLarge is the error if an assertion needs more of a response than what is kept.
const errTooLarge = ownError("the response is larger than the 4 MiB that expect, capture and acknowledges can check")

// stepResult is the result of a step.
type stepResult struct {
	title   string
	sent    time.Time
	latency time.Duration
	code    int
	in, out int
	// err is a transport error or a failed assertion.
	err error
	// answered is whether a response was read to its end, and could be judged.
	answered bool
	ackID    string // the ID of the acknowledged write, if any
}

// answer is a response that was read to its end.
type answer struct {
	code int
	kept []byte // the beginning of the body, if the step looks at it
	size int64  // of the whole body, in bytes
}

// walk takes the steps of one user, up to the first step that fails.
func (w *walker) walk(ctx context.Context, transport http.RoundTripper, vars map[string]any) []stepResult {
	results := make([]stepResult, 0, len(w.steps))
	for i := range w.steps {
		r := w.take(ctx, &w.steps[i], transport, vars)
		results = append(results, r)
		if r.err != nil {
			break
		}
	}
	return results
}

// take takes one step, and adds its captured values to vars.
func (w *walker) take(ctx context.Context, s *step, transport http.RoundTripper, vars map[string]any) (r stepResult) {
	r = stepResult{title: s.Title(), sent: time.Now()}
	var answered time.Time // zero unless all of the response has arrived
	defer func() {
		if answered.IsZero() {
			answered = time.Now()
		}
		r.latency = answered.Sub(r.sent)
	}()
	request, size, err := w.request(ctx, s, vars)
	if err != nil {
		r.err = err
		return r
	}
	r.out = size
	response, err := transport.RoundTrip(request)
	if err != nil {
		r.err = err
		return r
	}
	defer response.Body.Close()
	r.code = response.StatusCode
	got, err := s.read(response)
	r.in = int(got.size)
	if err != nil {
		r.err = fmt.Errorf("read the response: %w", err)
		return r
	}
	answered = time.Now() // what follows is gameday's own time
	if r.err = w.turn(ctx); r.err != nil {
		return r
	}
	defer func() { <-w.judging }()
	r.ackID, r.err = s.judge(got, vars)
	r.answered = !errors.Is(r.err, errTooLarge)
	return r
}

// turn waits until a response can be judged. No more of them are judged at once than
// there are processors: a few megabytes of JSON take a hundred in memory.
func (w *walker) turn(ctx context.Context) error {
	select {
	case w.judging <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errNoTurn
	}
}

// errNoTurn is the load generator's own: the response has arrived.
var errNoTurn = errors.New("gameday had no processor free to judge the response")

// read reads a response to its end. What no assertion looks at is thrown away, but it
// must arrive: a response that stops halfway serves no user.
func (s *step) read(response *http.Response) (got answer, err error) {
	got.code = response.StatusCode
	if got.code == http.StatusSwitchingProtocols {
		// This is the whole response. What follows is another protocol, without an end,
		// and net/http ends it with no context.
		return got, nil
	}
	if s.Expect.Contains != "" || len(s.queries) > 0 {
		got.kept, err = io.ReadAll(io.LimitReader(response.Body, maxKept))
		got.size = int64(len(got.kept))
		if err != nil {
			return got, err
		}
	}
	rest, err := io.Copy(io.Discard, response.Body)
	got.size += rest
	return got, err
}

func (w *walker) request(ctx context.Context, s *step, vars map[string]any) (*http.Request, int, error) {
	inPath := vars
	if w.escapes {
		inPath = escaped(vars)
	}
	path, err := render(s.path, inPath)
	if err != nil {
		return nil, 0, err
	}
	body, err := s.body(vars)
	if err != nil {
		return nil, 0, err
	}
	var reader io.Reader
	if len(body) > 0 {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, s.method, w.base+path, reader)
	if err != nil {
		return nil, 0, errPath // the error of net/url contains the path, and with it what was captured
	}
	request.Header.Set("User-Agent", "gameday")
	if s.JSON != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for key, t := range s.headers {
		value, err := render(t, vars)
		if err != nil {
			return nil, 0, err
		}
		if strings.ContainsFunc(value, isControl) {
			return nil, 0, ownError(fmt.Sprintf("header %s contains a control character", key))
		}
		request.Header.Set(key, value)
		if http.CanonicalHeaderKey(key) == "Host" {
			request.Host = value
		}
	}
	return request, len(body), nil
}

// judge checks a response against the assertions, captures values, and returns the ID of
// the acknowledged write.
func (s *step) judge(got answer, vars map[string]any) (ackID string, err error) {
	whole := int64(len(got.kept)) == got.size
	switch {
	case s.Expect.Status != 0 && got.code != s.Expect.Status:
		return "", ownError(fmt.Sprintf("status %d, expected %d", got.code, s.Expect.Status))
	case s.Expect.Status == 0 && !served(got.code):
		return "", ownError(fmt.Sprintf("status %d", got.code))
	case s.Expect.Contains != "" && !bytes.Contains(got.kept, []byte(s.Expect.Contains)):
		if !whole {
			return "", errTooLarge
		}
		return "", ownError(fmt.Sprintf("the response does not contain %q", s.Expect.Contains))
	case len(s.queries) == 0:
		return "", nil
	case !whole:
		return "", errTooLarge
	}
	found, err := exactly(got.kept)
	if err != nil {
		return "", ownError("the response is not JSON")
	}
	return s.query(found, vars)
}

// served reports whether a status code is a success to vegeta, and to a step that expects
// no other.
func served(code int) bool { return code >= http.StatusOK && code < http.StatusBadRequest }

// query checks and captures values of a JSON response, and returns the ID of the
// acknowledged write.
func (s *step) query(answer any, vars map[string]any) (ackID string, err error) {
	for text, want := range s.Expect.JSON {
		found := s.queries[text].Select(answer)
		if len(found) == 0 {
			return "", missing(text)
		}
		if want != Exists && !same(found[0], want) {
			return "", ownError(text + " is not the expected value")
		}
	}
	for name, text := range s.Capture {
		found := s.queries[text].Select(answer)
		if len(found) == 0 {
			return "", missing(text)
		}
		vars[name] = found[0]
	}
	if s.acknowledges != nil {
		found := s.acknowledges.Select(answer)
		if len(found) == 0 || found[0] == nil || found[0] == "" {
			return "", missing(s.Acknowledges + " to acknowledge")
		}
		if ackID = text(found[0]); len(ackID) > maxID {
			return "", ownError(s.Acknowledges + " to acknowledge is longer than 1 KiB")
		}
	}
	return ackID, nil
}

func missing(what string) error { return ownError("the response has no " + what) }

// exactly reads an answer with its numbers to the last digit: an id is often
// greater than a float can tell apart, and its neighbor is another order.
func exactly(body []byte) (answer any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("found more than one value")
	}
	return answer, nil
}

// same compares a value of a response with a value of a journey file. Numbers have other
// types in the file: 1 equals 1.0.
func same(got, want any) bool {
	var values [2]any
	for i, v := range []any{got, want} {
		data, err := json.Marshal(v)
		if err != nil || json.Unmarshal(data, &values[i]) != nil {
			return false
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

// text is a value of an answer as it stands in a path: numbers as they were
// written.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(string(data))
}
