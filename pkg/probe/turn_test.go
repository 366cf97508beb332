package probe

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A response that arrived in time, and that gameday itself has no processor to look at, says
// nothing against the system: neither its outcome nor its latency may.
func TestAResponseThatWaitsToBeJudgedIsNotTheSystemsFault(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) }))
	defer server.Close()
	for name, free := range map[string]time.Duration{"never": time.Minute, "late": 300 * time.Millisecond} {
		w, err := newWalker(compilation{Opening: Opening{Way: Way{Entry: server.URL}}, journey: Journey{Steps: []Step{{Get: "/"}}}})
		if err != nil {
			t.Fatal(err)
		}
		for range cap(w.judging) {
			w.judging <- struct{}{} // other users' responses, of megabytes of JSON
		}
		timer := time.AfterFunc(free, func() { <-w.judging })
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		r := w.take(ctx, &w.steps[0], &User{client: &http.Transport{}, vars: map[string]any{}})
		cancel()
		timer.Stop()
		if r.err != nil && !ours(r.err) {
			t.Errorf("%s: the system answered at once, and is charged with %q", name, reason(r.err))
		}
		if r.err == nil && r.latency > 200*time.Millisecond {
			t.Errorf("%s: the system answered at once, and is charged with a latency of %v", name, r.latency)
		}
	}
}
