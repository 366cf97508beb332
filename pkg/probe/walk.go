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

// maxBody is the maximum size of a response, in bytes.
const maxBody = 4 << 20

// stepResult is the result of a step.
type stepResult struct {
	title   string
	sent    time.Time
	latency time.Duration
	code    int
	in, out int
	// err is a transport error or a failed assertion.
	err error
	// answered is whether a response was read completely.
	answered bool
	ackID    string // the ID of the acknowledged write, if any
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
	defer func() { r.latency = time.Since(r.sent) }()
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
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	r.in, r.code = len(body), response.StatusCode
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		r.err = fmt.Errorf("read the response: %w", err)
		return r
	}
	r.answered = true
	r.ackID, r.err = s.judge(response.StatusCode, body, vars)
	return r
}

func (w *walker) request(ctx context.Context, s *step, vars map[string]any) (*http.Request, int, error) {
	path, err := render(s.path, vars)
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
		return nil, 0, err
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
		request.Header.Set(key, value)
		if http.CanonicalHeaderKey(key) == "Host" {
			request.Host = value
		}
	}
	return request, len(body), nil
}

// judge checks a response against the assertions, captures values, and returns the ID of
// the acknowledged write.
func (s *step) judge(code int, body []byte, vars map[string]any) (ackID string, err error) {
	switch {
	case s.Expect.Status != 0 && code != s.Expect.Status:
		return "", fmt.Errorf("status %d, expected %d", code, s.Expect.Status)
	case s.Expect.Status == 0 && code >= http.StatusBadRequest:
		return "", fmt.Errorf("status %d", code)
	case s.Expect.Contains != "" && !bytes.Contains(body, []byte(s.Expect.Contains)):
		return "", fmt.Errorf("the response does not contain %q", s.Expect.Contains)
	case len(s.queries) == 0:
		return "", nil
	}
	answer, err := exactly(body)
	if err != nil {
		return "", errors.New("the response is not JSON")
	}
	for text, want := range s.Expect.JSON {
		found := s.queries[text].Select(answer)
		if len(found) == 0 {
			return "", fmt.Errorf("the response has no %s", text)
		}
		if want != Exists && !same(found[0], want) {
			return "", fmt.Errorf("%s is not the expected value", text)
		}
	}
	for name, text := range s.Capture {
		found := s.queries[text].Select(answer)
		if len(found) == 0 {
			return "", fmt.Errorf("the response has no %s", text)
		}
		vars[name] = found[0]
	}
	if s.acknowledges != nil {
		found := s.acknowledges.Select(answer)
		if len(found) == 0 {
			return "", fmt.Errorf("the response has no %s to acknowledge", s.Acknowledges)
		}
		ackID = text(found[0])
	}
	return ackID, nil
}

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
