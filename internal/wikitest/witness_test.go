package wikitest_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// witness is a reader of the wiki that shares nothing with gameday. It logs in once, and
// then asks for a page's text: each request reads the session and the page in the database.
type witness struct {
	base   string
	client *http.Client

	mu   sync.Mutex
	seen []seen
}

// seen is one request of the witness.
type seen struct {
	sent time.Time // with the monotonic clock
	took time.Duration
	err  error
}

const (
	witnessGap = 200 * time.Millisecond
	patience   = 10 * time.Second // as long as gameday's users have
)

var loginToken = regexp.MustCompile(`<input name="wpLoginToken"[^>]* value="([^"]+)"`)

func newWitness(t *testing.T, base string) *witness {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	w := &witness{base: base + "/index.php?title=", client: &http.Client{Jar: jar, Transport: transport, Timeout: patience}}
	const login = "Special:UserLogin&returnto=Special:BlankPage"
	form, err := w.ask(t.Context(), http.MethodGet, login, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := loginToken.FindStringSubmatch(form)
	if found == nil {
		t.Fatalf("no token in %s", form)
	}
	page, err := w.ask(t.Context(), http.MethodPost, login, url.Values{
		"wpName": {"Editor6"}, "wpPassword": {"gameday-wiki-6"}, "wpLoginToken": {html.UnescapeString(found[1])}, "authAction": {"login"},
	})
	if err != nil || !strings.Contains(page, `id="pt-logout"`) {
		t.Fatalf("the witness is not logged in: %v\n%s", err, page)
	}
	return w
}

// ask returns the body of a response with status 200.
func (w *witness) ask(ctx context.Context, method, title string, form url.Values) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, w.base+title, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := w.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return string(body), err
}

// watch asks every 200 ms, whether or not the requests before were answered, until ctx
// ends. It returns the requests in the order in which they were sent.
func (w *witness) watch(ctx context.Context) []seen {
	ticker := time.NewTicker(witnessGap)
	defer ticker.Stop()
	var asking sync.WaitGroup
	for {
		select {
		case <-ctx.Done():
			asking.Wait()
			slices.SortFunc(w.seen, func(a, b seen) int { return a.sent.Compare(b.sent) })
			return w.seen
		case <-ticker.C:
			asking.Go(func() {
				s := seen{sent: time.Now()}
				text, err := w.ask(context.WithoutCancel(ctx), http.MethodGet, "Main_Page&action=raw", nil)
				if err == nil && !strings.Contains(text, "MediaWiki") {
					err = fmt.Errorf("found %.80q", text)
				}
				s.took, s.err = time.Since(s.sent), err
				w.mu.Lock()
				defer w.mu.Unlock()
				w.seen = append(w.seen, s)
			})
		}
	}
}

// lastBad is when the last request that failed was sent, and the first good one after it.
func lastBad(all []seen) (bad, good time.Time) {
	for _, s := range all {
		switch {
		case s.err != nil:
			bad, good = s.sent, time.Time{}
		case good.IsZero() && !bad.IsZero():
			good = s.sent
		}
	}
	return bad, good
}
