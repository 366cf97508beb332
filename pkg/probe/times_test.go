package probe_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), 30*time.Second)
}

// counted answers the n-th request of all with the n-th answer, and the rest with the last.
func counted(t *testing.T, answers ...func(w http.ResponseWriter)) string {
	t.Helper()
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answers[min(int(n.Add(1)), len(answers))-1](w)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func saying(code int, body string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// A pause is no latency, and the sample is where the system was asked.
func TestPausesAreNotLatency(t *testing.T) {
	t.Parallel()
	started := time.Now()
	v := walkOnce(t, probe.Journey{Timeout: 200 * time.Millisecond, Steps: []probe.Step{
		{Name: "a", Get: "/"}, {Name: "b", Get: "/", Pause: 400 * time.Millisecond},
	}}, probe.Way{Entry: counted(t, saying(200, "{}"))})
	if v.Sample.Error != "" || v.Sample.Latency > 150*time.Millisecond || v.Sample.Sent.Sub(started) < 400*time.Millisecond {
		t.Errorf("%+v, sent after %v", v.Sample, v.Sample.Sent.Sub(started))
	}
}

// The timeout of a journey is that of its requests: a pause does not lend them its time.
func TestAPauseDoesNotLengthenTheTimeout(t *testing.T) {
	t.Parallel()
	hanging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hang(w, r) }))
	t.Cleanup(hanging.Close)
	v := walkOnce(t, probe.Journey{Timeout: 200 * time.Millisecond, Steps: []probe.Step{
		{Name: "a", Get: "/"}, {Name: "b", Get: "/", Pause: time.Minute},
	}}, probe.Way{Entry: hanging.URL})
	if v.Sample.Error != "a: timeout" || v.Sample.Latency > time.Second {
		t.Errorf("%+v", v.Sample)
	}
}

func TestRetriesAndPolls(t *testing.T) {
	t.Parallel()
	paid := probe.Expect{JSON: map[string]any{"$.state": "paid"}}
	pending, done := saying(200, `{"state": "pending"}`), saying(200, `{"state": "paid"}`)
	for name, c := range map[string]struct {
		answers []func(http.ResponseWriter)
		step    probe.Step
		want    string
	}{
		"retried":              {slices.Repeat([]func(http.ResponseWriter){saying(503, "")}, 2), probe.Step{Retry: &probe.Retry{Attempts: 2}}, "s: status 503"},
		"retried in time":      {[]func(http.ResponseWriter){saying(503, ""), done}, probe.Step{Retry: &probe.Retry{Attempts: 2, Backoff: time.Millisecond}}, ""},
		"the result comes":     {[]func(http.ResponseWriter){pending, pending, done}, probe.Step{Poll: &probe.Poll{Every: time.Millisecond, Within: 5 * time.Second, Until: paid}}, ""},
		"the result is late":   {[]func(http.ResponseWriter){pending}, probe.Step{Poll: &probe.Poll{Every: 10 * time.Millisecond, Within: 50 * time.Millisecond, Until: paid}}, "s: $.state is not the expected value"},
		"an error ends a poll": {[]func(http.ResponseWriter){pending, saying(500, ""), done}, probe.Step{Poll: &probe.Poll{Every: time.Millisecond, Within: 5 * time.Second, Until: paid}}, "s: status 500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.step.Name, c.step.Get = "s", "/"
			v := walkOnce(t, probe.Journey{Steps: []probe.Step{c.step}}, probe.Way{Entry: counted(t, c.answers...)})
			if v.Sample.Error != c.want {
				t.Errorf("found %q, expected %q", v.Sample.Error, c.want)
			}
		})
	}
}

// Each user has a row, in the order of the file; the load ends with the rows.
func TestUsersOfAFile(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Get("X-User") }))
	t.Cleanup(server.Close)
	for order, want := range map[string]int{"once": 3, "cycle": 7, "random": 7} {
		ctx, cancel := contextOf(t)
		users := &probe.Users{Order: order, Columns: []string{"name", "key"}, Rows: [][]string{{"a", "1"}, {"b", "2"}, {"c", "3"}}}
		j := probe.Journey{Name: "j", Users: users, Steps: []probe.Step{{Name: "s", Get: "/", Headers: map[string]string{"X-User": "{{.name}}{{.key}}"}}}}
		seen := map[string]int{}
		n := 0
		l := probe.Load{Journey: j, Way: probe.Way{Entry: server.URL}, Rate: probe.Rate{Users: 200, Per: time.Second}, Seed: 1}
		if err := l.Run(ctx, func(v probe.Visit) {
			if v.Sample.Error != "" {
				t.Errorf("%s: %s", order, v.Sample.Error)
			}
			seen[<-got]++
			if n++; n == want && order != "once" {
				cancel()
			}
		}); err != nil {
			t.Fatal(err)
		}
		cancel()
		for _, one := range []string{"a1", "b2", "c3"} {
			if order != "random" && seen[one] == 0 {
				t.Errorf("%s: %v lacks %s", order, seen, one)
			}
		}
		if n < want || order == "once" && n != want {
			t.Errorf("%s: %d users, expected %d", order, n, want)
		}
	drain:
		for {
			select {
			case <-got:
			default:
				break drain
			}
		}
	}
}
