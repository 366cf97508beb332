// Package starter makes the first files for an environment that runs: gameday.yaml, a
// journey, and a scenario for each component that users depend on. It reads what runs and
// touches none of it. Files that are there stay as they are.
package starter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/target"
)

// ErrNothingRuns is the error if there is no environment to begin with.
var ErrNothingRuns = errors.New("no compose project runs here: start yours (docker compose up -d), or a bundled one: gameday lab up checkout")

// Find finds what runs and could be an environment.
func Find(ctx context.Context, drivers target.Drivers) (found []target.Discovered, err error) {
	var errs []error
	for _, d := range drivers {
		if d.Discover == nil {
			continue
		}
		more, err := d.Discover(ctx)
		for i := range more {
			more[i].Kind = d.Kind
		}
		found, errs = append(found, more...), append(errs, err)
	}
	if len(found) == 0 {
		return nil, cmp.Or(errors.Join(errs...), ErrNothingRuns)
	}
	return found, nil
}

// Entry is an address that answers HTTP, and what it answered.
type Entry struct {
	URL     string
	Service string
	Status  int    // after redirects
	Title   string // of a page
	JSON    bool
	Latency time.Duration
}

// String is the entry in one line.
func (e Entry) String() string {
	text := fmt.Sprintf("%s (%s): %d %s", e.URL, e.Service, e.Status, http.StatusText(e.Status))
	if e.Title != "" {
		text += fmt.Sprintf(", %q", e.Title)
	}
	return text
}

// good reports whether users can begin there.
func (e Entry) good() bool { return e.Status >= http.StatusOK && e.Status < http.StatusBadRequest }

// redirects is how many redirects are followed: an entry may redirect later, to a login.
const redirects = 5

// Entries tries the published ports of an environment, and returns those that answer HTTP:
// the best one first.
func Entries(ctx context.Context, d target.Discovered) (found []Entry) {
	type port struct{ service, at string }
	var ports []port
	for _, s := range d.Services {
		for _, at := range s.Published {
			ports = append(ports, port{s.Name, at})
		}
	}
	entries, errs := make([]Entry, len(ports)), make([]error, len(ports))
	var trying sync.WaitGroup
	for i, p := range ports {
		trying.Go(func() { entries[i], errs[i] = tryPort(ctx, p.at) })
	}
	trying.Wait()
	for i, e := range entries {
		if errs[i] == nil {
			e.Service = ports[i].service
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b Entry) int { return cmp.Compare(rank(b), rank(a)) })
	return found
}

// tryPort tries a port by HTTP, then by HTTPS: servers of TLS answer plain HTTP with 400.
func tryPort(ctx context.Context, at string) (Entry, error) {
	plain, err := Try(ctx, "http://"+at)
	if err != nil || plain.Status == http.StatusBadRequest {
		if secure, failed := Try(ctx, "https://"+at); failed == nil {
			return secure, nil
		}
	}
	return plain, err
}

// rank is how good an entry is: a page, then data, then any success.
func rank(e Entry) int {
	switch {
	case e.good() && e.Title != "":
		return 3
	case e.good() && e.JSON:
		return 2
	case e.good():
		return 1
	}
	return 0
}

var title = regexp.MustCompile(`(?is)<title[^>]*>\s*(.*?)\s*</title>`)

// Try asks a base URL for its first page, twice: a title that changes is none.
func Try(ctx context.Context, base string) (e Entry, err error) {
	follow := redirects
	load := probe.Load{
		Way: probe.Way{Entry: base}, Rate: probe.Rate{Users: 10, Per: time.Second},
		Journey: probe.Journey{Name: "home", Timeout: 5 * time.Second, Steps: []probe.Step{{
			Name: "home", Get: "/", Follow: &follow, Expect: probe.Expect{Status: probe.Statuses{"2xx", "3xx", "4xx", "5xx"}},
		}}},
	}
	first := true
	var failed error
	err = load.Try(ctx, 2, func(t probe.Tried) {
		step := t.Steps[0]
		if step.Error != "" {
			failed = errors.New(step.Error)
			return
		}
		one := Entry{URL: base, Status: step.Code, Latency: t.Latency, JSON: strings.Contains(step.Header.Get("Content-Type"), "json")}
		if found := title.FindStringSubmatch(step.Body); found != nil && plaintext.Line(found[1]) == found[1] {
			one.Title = found[1]
		}
		if !first && (one.Title != e.Title || one.Status != e.Status) {
			one.Title = ""
		}
		one.Latency = max(one.Latency, e.Latency)
		e, first = one, false
	})
	if err == nil && first {
		err = failed
	}
	return e, err
}
