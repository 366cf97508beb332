package attach

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/secret"
)

// Region is a region annotation on Grafana's dashboards, from the fault to its revert.
type Region struct {
	URL string // Grafana's base URL

	id    json.Number
	begun bool
}

// Begin starts the region at the time of a fault; see "Annotations" in Grafana's HTTP
// API. GRAFANA_TOKEN is the token of a service account that may write annotations.
func (r *Region) Begin(ctx context.Context, at time.Time, text string, tags []string) error {
	var answer struct {
		ID json.Number `json:"id"`
	}
	err := r.call(ctx, http.MethodPost, "", map[string]any{"time": at.UnixMilli(), "text": text, "tags": tags}, &answer)
	r.id, r.begun = answer.ID, err == nil
	return err
}

// End ends the region at the time of the revert. It does nothing if Begin failed.
func (r *Region) End(ctx context.Context, at time.Time) error {
	if !r.begun {
		return nil
	}
	return r.call(ctx, http.MethodPatch, "/"+r.id.String(), map[string]any{"timeEnd": at.UnixMilli()}, nil)
}

func (r *Region) call(ctx context.Context, method, path string, body, out any) error {
	token, err := secret.Need("GRAFANA_TOKEN")
	if err != nil {
		return fmt.Errorf("grafana: %w", err)
	}
	header := http.Header{}
	header.Set("Authorization", "Bearer "+token)
	if err := call(ctx, request{method: method, address: strings.TrimRight(r.URL, "/") + "/api/annotations" + path, header: header, secrets: []string{token}}, body, out); err != nil {
		return fmt.Errorf("grafana: %w", err)
	}
	return nil
}
