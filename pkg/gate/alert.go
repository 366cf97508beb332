package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gameday-dev/gameday/internal/secret"
)

// GrafanaToken is the environment variable with the token for Grafana servers.
const GrafanaToken = "GRAFANA_TOKEN"

// Alert is an alert at a server that knows which alerts fire: one of Alertmanager,
// Prometheus, Grafana and HTTP.
type Alert struct {
	Alertmanager string            `yaml:"alertmanager,omitempty" jsonschema_description:"The base URL of an Alertmanager: http://alertmanager:9093. The alert counts as firing if it is active there: neither silenced nor inhibited."`
	Prometheus   string            `yaml:"prometheus,omitempty" jsonschema_description:"The base URL of a Prometheus server, whose own rules are asked for: http://prometheus:9090. It does not show whether a person was notified."`
	Grafana      string            `yaml:"grafana,omitempty" jsonschema_description:"The base URL of a Grafana server with Grafana-managed alerts. Its token is the environment variable GRAFANA_TOKEN."`
	HTTP         *HTTP             `yaml:"http,omitempty" jsonschema_description:"Any other system: the alert counts as firing if this check succeeds, and as not firing if the server answers otherwise."`
	Name         string            `yaml:"name" jsonschema:"required" jsonschema_description:"The name of the alert (the label alertname). For http: how reports call it."`
	Labels       map[string]string `yaml:"labels,omitempty" jsonschema_description:"Labels that the alert must have, too (default: none)."`
}

// Check reports the first thing that is wrong with the declaration, beginning with its key
// if it is about one.
func (a Alert) Check() error {
	var errs []error
	sources := 0
	for _, s := range []struct{ key, url string }{{"alertmanager", a.Alertmanager}, {"prometheus", a.Prometheus}, {"grafana", a.Grafana}} {
		if s.url != "" {
			sources++
			if err := checkURL(s.key, s.url); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if a.HTTP != nil {
		sources++
		if err := a.HTTP.Check(); err != nil {
			errs = append(errs, fmt.Errorf("http.%w", err))
		}
		if len(a.Labels) > 0 {
			errs = append(errs, errors.New("labels: an HTTP check has none: put them into its URL"))
		}
	}
	switch {
	case sources != 1:
		return fmt.Errorf("expected one of alertmanager, prometheus, grafana and http, found %d", sources)
	case len(errs) > 0:
		return errs[0]
	}
	return nil
}

// String names the alert and its server, without secrets.
func (a Alert) String() string {
	switch {
	case a.HTTP != nil:
		return a.Name + " by " + a.HTTP.String()
	case a.Prometheus != "":
		return a.Name + " at " + bare(a.Prometheus)
	}
	return a.Name + " at " + bare(a.Alertmanager+a.Grafana)
}

// Fires asks once whether the alert fires. An error means that this is unknown. Times in
// the answer are not looked at: the server's clock may be wrong.
func (a Alert) Fires(ctx context.Context) (bool, error) {
	if a.HTTP != nil {
		ok, _, err := a.HTTP.Succeeds(ctx)
		return ok, err
	}
	address, bearer, err := a.address()
	if err != nil {
		return false, fmt.Errorf("%s: %w", a, err)
	}
	status, body, err := getWith(ctx, address, bearer)
	switch {
	case err != nil:
		return false, fmt.Errorf("%s: %.200w", a, err)
	case status != http.StatusOK:
		return false, fmt.Errorf("%s: answered %d, expected 200", a, status)
	case len(body) > maxResponse:
		return false, fmt.Errorf("%s: the response is larger than 1 MiB: add labels", a)
	}
	if a.Prometheus != "" {
		return a.ofPrometheus(body)
	}
	return a.ofAlertmanager(body)
}

// address is what is requested, and the token for it. An error means that the token cannot be
// read.
func (a Alert) address() (address, bearer string, err error) {
	if a.Prometheus != "" {
		return strings.TrimSuffix(a.Prometheus, "/") + "/api/v1/alerts", "", nil
	}
	base := strings.TrimSuffix(a.Alertmanager, "/")
	if a.Grafana != "" {
		base = strings.TrimSuffix(a.Grafana, "/") + "/api/alertmanager/grafana"
		bearer, err = secret.Get(GrafanaToken)
	}
	query := url.Values{"active": {"true"}, "silenced": {"false"}, "inhibited": {"false"}}
	query.Add("filter", "alertname="+strconv.Quote(a.Name))
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		query.Add("filter", name+"="+strconv.Quote(a.Labels[name]))
	}
	return base + "/api/v2/alerts?" + query.Encode(), bearer, err
}

// ofAlertmanager reads an answer of Alertmanager's API v2, which Grafana has, too.
func (a Alert) ofAlertmanager(body []byte) (bool, error) {
	var all *[]struct {
		Labels map[string]string `json:"labels"`
		Status struct {
			State string `json:"state"`
		} `json:"status"`
	}
	if err := json.Unmarshal(body, &all); err != nil || all == nil {
		return false, fmt.Errorf("%s: the response is not from an Alertmanager", a)
	}
	for _, one := range *all {
		// A server that ignores the filter must not make another alert count.
		if one.Status.State == "active" && a.is(one.Labels) {
			return true, nil
		}
	}
	return false, nil
}

// ofPrometheus reads an answer of Prometheus' HTTP API.
func (a Alert) ofPrometheus(body []byte) (bool, error) {
	var answer struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   struct {
			Alerts *[]struct {
				Labels map[string]string `json:"labels"`
				State  string            `json:"state"`
			} `json:"alerts"`
		} `json:"data"`
	}
	err := json.Unmarshal(body, &answer)
	switch {
	case err == nil && answer.Status == "error":
		return false, fmt.Errorf("%s: %.200s", a, answer.Error)
	case err != nil || answer.Status != "success" || answer.Data.Alerts == nil:
		return false, fmt.Errorf("%s: the response is not from a Prometheus server", a)
	}
	for _, one := range *answer.Data.Alerts {
		if one.State == "firing" && a.is(one.Labels) {
			return true, nil
		}
	}
	return false, nil
}

// is reports whether labels are those of the alert.
func (a Alert) is(labels map[string]string) bool {
	if labels["alertname"] != a.Name {
		return false
	}
	for name, value := range a.Labels {
		if labels[name] != value {
			return false
		}
	}
	return true
}
