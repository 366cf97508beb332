package run_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// scalar is the answer of a Prometheus server with one value.
func scalar(value string) string {
	return fmt.Sprintf(`{"status":"success","data":{"resultType":"scalar","result":[1,%q]}}`, value)
}

// A run observes a metric every second from the baseline to its end, whatever the server
// answers, and nothing else of the run changes.
func TestMetricsOfARun(t *testing.T) { //nolint:paralleltest // the default client is another one meanwhile
	verdicts := map[string]string{}
	for name, c := range map[string]struct {
		answers func(r *http.Request, since time.Duration) (string, error)
		values  func(n, of int) bool // how many of all readings have a value
		why     string               // of those that have none
		told    []string
	}{
		"not observed": {},
		"a value": {
			answers: func(*http.Request, time.Duration) (string, error) { return scalar("42"), nil },
			values:  func(n, of int) bool { return n == of },
		},
		"never": {
			answers: func(*http.Request, time.Duration) (string, error) { return "", syscall.ECONNREFUSED },
			values:  func(n, _ int) bool { return n == 0 }, why: "connection refused",
			told: []string{"metric queue has no value: connection refused"},
		},
		"for a while": {
			answers: func(_ *http.Request, since time.Duration) (string, error) {
				if since > 20*time.Second && since < 30*time.Second {
					return "", syscall.ECONNREFUSED
				}
				return scalar("42"), nil
			},
			values: func(n, of int) bool { return n == of-10 || n == of-9 }, why: "connection refused",
			told: []string{"metric queue has no value: connection refused", "metric queue has values"},
		},
		"not a number": {
			answers: func(*http.Request, time.Duration) (string, error) { return scalar("NaN"), nil },
			values:  func(n, _ int) bool { return n == 0 }, why: "the value is NaN, which is not finite",
			told: []string{"metric queue has no value: the value is NaN, which is not finite"},
		},
		"it hangs": {
			answers: func(r *http.Request, _ time.Duration) (string, error) {
				<-r.Context().Done()
				return "", r.Context().Err()
			},
			values: func(n, of int) bool { return n == 0 && of < 30 }, why: "no answer within 5s",
			told: []string{"metric queue has no value: no answer within 5s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, d := time.Now(), newDay(t)
				var mu sync.Mutex
				var told []string
				d.onEvent = func(e record.Event) {
					mu.Lock()
					defer mu.Unlock()
					if strings.HasPrefix(e.What, "metric ") {
						told = append(told, e.What)
					}
				}
				outsideIs(t, func(r *http.Request) (string, error) { return c.answers(r, time.Since(began)) })
				d.timing.Baseline += 10 * time.Millisecond // the fault falls between two users
				d.change = func(p *plan.Plan) {
					if c.answers != nil {
						p.Scenario.Observe = []scenario.Metric{{Name: "queue", Prometheus: &gate.Prometheus{URL: "http://p", Query: "queue"}}}
					}
				}
				account, err := d.conduct(t.Context(), t)
				if err != nil {
					t.Fatal(err)
				}
				f, v, _ := d.judged(t, account)
				text, err := json.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				verdicts[name] = string(text)
				if slices.ContainsFunc(f.Events, func(e record.Event) bool { return strings.HasPrefix(e.What, "metric ") }) {
					t.Error("the metric is among the events of the run")
				}
				if diff := cmp.Diff(c.told, told); diff != "" {
					t.Errorf("what is told of it: %s", diff)
				}
				readings, err := f.Readings(0)
				if err != nil || c.answers == nil {
					return
				}
				lasted := f.Marks[record.MarkEnd].Sub(f.Marks[record.MarkBaseline])
				values := 0
				for _, r := range readings {
					if r.Value != nil {
						values++
					} else if r.Why != c.why {
						t.Errorf("%+v", r)
					}
				}
				if !c.values(values, len(readings)) || len(readings) > int(lasted.Seconds())+2 || values == len(readings) && values < int(lasted.Seconds())-1 {
					t.Errorf("%d values in %d readings of %v", values, len(readings), lasted)
				}
			})
		})
	}
	for name, text := range verdicts { //nolint:paralleltest // as said
		if diff := cmp.Diff(verdicts["not observed"], text); diff != "" {
			t.Errorf("%s: the metric changed the verdict:\n%s", name, diff)
		}
	}
}

// A metric is asked for every second of an hour, and a run of a year keeps few of its values.
func TestHowOftenAMetricIsAskedFor(t *testing.T) {
	t.Parallel()
	for since, want := range map[time.Duration]time.Duration{0: time.Second, time.Hour: time.Second, 2 * time.Hour: 2 * time.Second} {
		if every := run.ObserveEvery(since); every != want {
			t.Errorf("after %v: every %v, expected %v", since, every, want)
		}
	}
	n := 0
	for at := time.Duration(0); at < 366*24*time.Hour; at += run.ObserveEvery(at) {
		n++
	}
	if n > 40_000 {
		t.Errorf("a year has %d values", n)
	}
}
