package alerttest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/gamedaytest"
	"github.com/gameday-dev/gameday/pkg/sweep"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A sweep of a redundant system, in which every other component has an alert, names those
// without one as what fails unseen.
func TestASweepNamesWhatFailsUnseen(t *testing.T) { //nolint:paralleltest // it measures
	enginetest.Long(t, "alerts")
	enginetest.Alone(t)
	const lab = "checkout-ha"
	g, engine := up(t, lab), enginetest.Client(t)
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for service, running := range services(r.Context(), engine, lab) {
			fmt.Fprintf(w, "component_up{component=%q} %d\n", service, map[bool]int{true: 1}[running])
		}
	}))
	t.Cleanup(exporter.Close)
	s := newServers(t, strings.TrimPrefix(exporter.URL, "http://"))
	s.rules(t, "groups: [{name: shop, rules: [{alert: ComponentDown, expr: component_up == 0}]}]\n")
	watched, alerts := map[string]bool{}, []string{}
	for i, service := range slices.Sorted(maps.Keys(services(t.Context(), engine, lab))) {
		if watched[service] = i%2 == 0; watched[service] {
			alerts = append(alerts, fmt.Sprintf("{alertmanager: %q, name: ComponentDown, labels: {component: %s}, within: 6s, clears_within: 60s, about: {service: %s}}", s.alertmanager, service, service))
		}
	}
	asStaging(t, g, lab, "    expect_alerts: ["+strings.Join(alerts, ", ")+"]\n")

	code, stdout, stderr := g.Run(t, "sweep", "--env", "staging", "--json", "--out", filepath.Join(g.Dir, "runs"))
	var found sweep.Sweep
	if err := json.Unmarshal([]byte(stdout), &found); err != nil || len(found.Components) < 10 {
		t.Fatalf("exit code %d, %v\n%s\n%s", code, err, stdout, stderr)
	}
	unseen := 0
	for _, c := range found.Components {
		service := c.Component
		t.Logf("%s, with an alert: %v: %s %s, %+v", service, watched[service], c.Verdict, c.State, c.Detection)
		if c.Detection == nil {
			t.Errorf("%s: no detection", service)
			continue
		}
		if got := c.Detection.Verdict == verdict.InTime; got != watched[service] {
			t.Errorf("%s, with an alert: %v: %+v", service, watched[service], c.Detection)
		}
		unnoticed := c.Detection.Finding == verdict.UnaffectedUnnoticed
		if unnoticed != (c.State == verdict.Unaffected && !watched[service]) {
			t.Errorf("%s, with an alert: %v, %s: %+v", service, watched[service], c.State, c.Detection)
		}
		if unnoticed {
			unseen++
		}
	}
	if unseen < 3 {
		t.Errorf("%d components fail unseen", unseen)
	}
}

// services are those of a lab, and whether they run.
func services(ctx context.Context, engine *client.Client, lab string) map[string]bool {
	all, err := engine.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(
		filters.Arg("label", "com.docker.compose.project=gameday-"+lab), filters.Arg("label", "gameday.tier"))})
	if err != nil {
		return nil
	}
	found := map[string]bool{}
	for _, c := range all {
		found[c.Labels["com.docker.compose.service"]] = c.State == container.StateRunning
	}
	return found
}

// asStaging makes a lab that is up the environment staging of a folder, with more settings.
func asStaging(t *testing.T, g gamedaytest.Gameday, lab, more string) {
	t.Helper()
	folder := "../../labs/" + lab
	config, err := os.ReadFile(filepath.Join(folder, "gameday.yaml"))
	if err == nil {
		text := strings.Replace(string(config), "  lab/"+lab+":", "  staging:", 1) + more
		err = os.WriteFile(filepath.Join(g.Dir, "gameday.yaml"), []byte(text), 0o600)
	}
	if err == nil {
		err = os.CopyFS(filepath.Join(g.Dir, "journeys"), os.DirFS(filepath.Join(folder, "journeys")))
	}
	if err != nil {
		t.Fatal(err)
	}
}
