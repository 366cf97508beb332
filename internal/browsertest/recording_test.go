package browsertest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/browsertest"
)

// A request of a page that was left is not waited for: the browser drops it, and may say
// nothing about it.
func TestRequestsOfThePageBefore(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	hang := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/" {
			fmt.Fprint(w, `<a id="on" href="/next">on</a><script>addEventListener('pagehide', () => fetch('/hang', {method: 'POST', keepalive: true})); fetch('/hang')</script>`)
			return
		}
		fmt.Fprint(w, `<p id="done">done</p>`)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(hang) }) // before the server waits for them
	b := browsertest.New(t)
	recording := b.Record(t)
	b.Open(t, s.URL+"/")
	b.Click(t, "#on")
	b.Await(t, "the next page", `document.querySelectorAll('#done').length`)
	if har := string(recording.HAR(t)); !strings.Contains(har, s.URL+"/next") || !strings.Contains(har, "u003edone") {
		t.Errorf("found %s", har)
	}
}
