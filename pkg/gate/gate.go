// Package gate asks whether something outside of gameday is as it must be: an HTTP
// check, or a query of Prometheus. Schedules ask before they begin, runs while they
// last.
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

// Patience is how long one question may take.
const Patience = 5 * time.Second

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 20

// HTTP is a check that answers as it should.
type HTTP struct {
	GET    string `yaml:"get" jsonschema:"required" jsonschema_description:"The URL that is asked."`
	Status int    `yaml:"status,omitempty" jsonschema:"minimum=100,maximum=599" jsonschema_description:"The status that is expected; 200 where it is not set."`
	Body   string `yaml:"body,omitempty" jsonschema_description:"What the answer must contain."`
}

// Prometheus is a query that holds: it gives at least one series, and none whose
// value is 0 or not a number, so that filters (up == 1) and comparisons (up == bool 1)
// mean the same.
type Prometheus struct {
	URL   string `yaml:"url" jsonschema:"required" jsonschema_description:"The base URL of the server: http://prometheus:9090."`
	Query string `yaml:"query" jsonschema:"required" jsonschema_description:"The instant query, such as sum(rate(orders_total[1m])) > 5."`
}

// Gate is what can be asked.
type Gate interface {
	// Holds tells whether it holds; why says so for people where it does not. An
	// error means that nobody can tell.
	Holds(ctx context.Context) (ok bool, why string, err error)
	// String is what is asked, for people, without secrets.
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
		return errors.New("query: found none, expected a PromQL expression")
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

// bare is a URL without what may be secret in it.
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

// Holds implements [Gate].
func (h HTTP) Holds(ctx context.Context) (ok bool, why string, err error) {
	want := h.Status
	if want == 0 {
		want = http.StatusOK
	}
	status, body, err := get(ctx, h.GET)
	if err != nil {
		// Whoever does not answer does not answer as expected.
		return false, fmt.Sprintf("%s: %v", h, err), nil
	}
	if status != want {
		return false, fmt.Sprintf("%s: answered %d, expected %d", h, status, want), nil
	}
	if !strings.Contains(string(body), h.Body) {
		return false, fmt.Sprintf("%s: the answer lacks %q", h, h.Body), nil
	}
	return true, "", nil
}

// answer is what /api/v1/query gives; see the HTTP API of Prometheus.
type answer struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// Holds implements [Gate]. A server that cannot be asked, or refuses the query, is an
// error: it says nothing about what was asked.
func (p Prometheus) Holds(ctx context.Context) (ok bool, why string, err error) {
	status, body, err := get(ctx, strings.TrimSuffix(p.URL, "/")+"/api/v1/query?query="+url.QueryEscape(p.Query))
	if err != nil {
		return false, "", fmt.Errorf("%s: %w", p, err)
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return false, "", fmt.Errorf("%s: status %d, and no answer of a Prometheus server", p, status)
	}
	if a.Status != "success" {
		return false, "", fmt.Errorf("%s: %s", p, a.Error)
	}
	values, err := a.values()
	if err != nil {
		return false, "", fmt.Errorf("%s: %w", p, err)
	}
	if len(values) == 0 {
		return false, fmt.Sprintf("%s: no series", p), nil
	}
	for _, v := range values {
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return false, "", fmt.Errorf("%s: a series has the value %q", p, v)
		}
		if f == 0 || math.IsNaN(f) {
			return false, fmt.Sprintf("%s: a series has the value %s", p, v), nil
		}
	}
	return true, "", nil
}

// values are those of all series of an instant query.
func (a answer) values() ([]string, error) {
	type value [2]any // the moment, and the value as a text
	text := func(v value) string { s, _ := v[1].(string); return s }
	switch a.Data.ResultType {
	case "scalar":
		var one value
		err := json.Unmarshal(a.Data.Result, &one)
		return []string{text(one)}, err
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
	return nil, fmt.Errorf("the query gives a %s, expected a scalar or an instant vector", a.Data.ResultType)
}

func get(ctx context.Context, address string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, errors.New("no such address")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		// The error of net/http repeats the URL, which may hold a secret.
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, body, err
}
