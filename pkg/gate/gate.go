// Package gate checks conditions outside of gameday: an HTTP check or a Prometheus query.
// Schedules check them before a run, and runs check them as stop conditions.
package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Patience is the timeout of one check.
const Patience = 5 * time.Second

// maxResponse is how much of a response is looked at, in bytes.
const maxResponse = 1 << 20

// HTTP is a check of an HTTP response.
type HTTP struct {
	GET    string `yaml:"get" jsonschema:"required" jsonschema_description:"The URL to check."`
	Status int    `yaml:"status,omitempty" jsonschema:"minimum=100,maximum=599" jsonschema_description:"The expected status code (default: 200)."`
	Body   string `yaml:"body,omitempty" jsonschema_description:"Text that the response must contain."`
}

// Prometheus is a check of a query's result: at least one series, and no value that is 0
// or NaN. So filters (up == 1) and comparisons (up == bool 1) mean the same.
type Prometheus struct {
	URL   string `yaml:"url" jsonschema:"required" jsonschema_description:"The base URL of the server: http://prometheus:9090."`
	Query string `yaml:"query" jsonschema:"required" jsonschema_description:"An instant query, such as sum(rate(orders_total[1m])) > 5."`
}

// Short is the form of a query alone: its server is that of the environment. It implements
// [strictyaml.Short].
func (p *Prometheus) Short(text string) { p.Query = text }

// Gate is a condition that can be checked.
type Gate interface {
	// Holds checks the condition. If it is not met, why explains it. An error means
	// that the condition could not be evaluated.
	Holds(ctx context.Context) (ok bool, why string, err error)
	// String describes the condition, without secrets.
	String() string
}

var (
	_ Gate = HTTP{}
	_ Gate = Prometheus{}
)

// Check reports what is wrong with the declaration.
func (h HTTP) Check() error { return checkURL("get", h.GET) }

// Check reports what is wrong with the declaration.
func (p Prometheus) Check() error {
	if p.Query == "" {
		return errors.New("query: missing, expected a PromQL expression")
	}
	return checkURL("url", p.URL)
}

func checkURL(key, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%s: expected a URL such as https://status.example/healthz", key)
	}
	return nil
}

// bare is a URL without the parts that may contain a secret.
func bare(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "a URL"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// String implements [Gate].
func (h HTTP) String() string { return "GET " + bare(h.GET) }

// String implements [Gate].
func (p Prometheus) String() string { return p.Query + " at " + bare(p.URL) }

// Holds implements [Gate]. A server that does not answer fails the check.
func (h HTTP) Holds(ctx context.Context) (ok bool, why string, err error) {
	ok, why, err = h.Succeeds(ctx)
	if err != nil {
		why = err.Error()
	}
	return ok, why, nil
}

// response is the body of the expected response, or why it is another one. An error means
// that there is none.
func (h HTTP) response(ctx context.Context) (body []byte, why string, err error) {
	want := h.Status
	if want == 0 {
		want = http.StatusOK
	}
	status, body, err := get(ctx, h.GET)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %.200w", h, err)
	}
	if status != want {
		return nil, fmt.Sprintf("%s: answered %d, expected %d", h, status, want), nil
	}
	if !strings.Contains(string(body), h.Body) {
		part := "the response"
		if len(body) > maxResponse {
			part = "the first MiB of the response"
		}
		return nil, fmt.Sprintf("%s: %s does not contain %q", h, part, h.Body), nil
	}
	return body, "", nil
}

// answer is a response of /api/v1/query; see Prometheus' HTTP API.
type answer struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// result asks for the values of all series. The error does not name the query: the server
// cannot be reached, rejects the query, or returns something else than values.
func (p Prometheus) result(ctx context.Context) ([]string, error) {
	status, body, err := get(ctx, strings.TrimSuffix(p.URL, "/")+"/api/v1/query?query="+url.QueryEscape(p.Query))
	if err != nil {
		return nil, err
	}
	if len(body) > maxResponse {
		return nil, errors.New("the response is larger than 1 MiB: use a query that returns fewer series")
	}
	var a answer
	err = json.Unmarshal(body, &a)
	switch {
	case err == nil && a.Status == "success":
		return a.values()
	case err == nil && a.Status == "error" && a.Error != "":
		return nil, errors.New(a.Error)
	}
	return nil, fmt.Errorf("status %d, and the response is not from a Prometheus server", status)
}

// Holds implements [Gate]. It returns an error if the server cannot be reached or rejects
// the query: then the condition is unknown.
func (p Prometheus) Holds(ctx context.Context) (ok bool, why string, err error) {
	values, err := p.Values(ctx)
	if err != nil {
		return false, "", err
	}
	if len(values) == 0 {
		return false, fmt.Sprintf("%s: no series", p), nil
	}
	for _, v := range values {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return false, "", fmt.Errorf("%s: a series has the value %.200q", p, v)
		}
		if f == 0 || math.IsNaN(f) {
			return false, fmt.Sprintf("%s: a series has the value %.200s", p, v), nil
		}
	}
	return true, "", nil
}

// values are the values of all series.
func (a answer) values() ([]string, error) {
	type value [2]any // the timestamp, and the value as a string
	text := func(v value) string { s, _ := v[1].(string); return s }
	switch a.Data.ResultType {
	case "scalar":
		var scalar value
		err := json.Unmarshal(a.Data.Result, &scalar)
		return []string{text(scalar)}, err
	case "vector":
		var series []struct {
			Value value `json:"value"`
		}
		err := json.Unmarshal(a.Data.Result, &series)
		all := make([]string, 0, len(series))
		for _, s := range series {
			all = append(all, text(s.Value))
		}
		return all, err
	}
	return nil, fmt.Errorf("the query returns a %s, expected a scalar or an instant vector", a.Data.ResultType)
}

func get(ctx context.Context, address string) (status int, body []byte, err error) {
	return getWith(ctx, address, "")
}

// getWith requests with a bearer token, unless it is "".
func getWith(ctx context.Context, address, token string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, errors.New("invalid URL")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	// It is outside the environment, so proxies of the surroundings are used; see internal/direct.
	response, err := http.DefaultClient.Do(request) //nolint:forbidigo // as said
	if err != nil {
		// The error of net/http contains the URL, which may contain a secret.
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return 0, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusSwitchingProtocols {
		// What follows is another protocol, and net/http does not end it with ctx.
		return response.StatusCode, nil, nil
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	return response.StatusCode, body, err
}
