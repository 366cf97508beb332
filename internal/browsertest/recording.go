package browsertest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Recording is what the browser's network panel shows, and exports as HAR.
type Recording struct {
	mu       sync.Mutex
	order    []network.RequestID
	requests map[network.RequestID]*recorded
	page     cdp.LoaderID // the last page that was opened in the main frame
	frame    cdp.FrameID  // the main frame
}

// recorded is a request with its redirects, which have the same ID.
type recorded struct {
	hops            []*hop
	asked, answered []network.Headers // as they were sent: with cookies
	kind            string
	body            []byte
	done            bool // the response has ended, and the body was read
	page            cdp.LoaderID
	frame           cdp.FrameID
}

// hop is one request and its response.
type hop struct {
	request  *network.Request
	response *network.Response
	raw      bool // asked and answered have its headers
	at       time.Time
	cached   bool
}

// Record records all requests from now on.
func (b *Browser) Record(t *testing.T) *Recording {
	t.Helper()
	r := &Recording{requests: map[network.RequestID]*recorded{}}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recording = r
	return r
}

func (r *Recording) hear(b *Browser, event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		one := r.of(e.RequestID)
		if e.RedirectResponse != nil && len(one.hops) > 0 {
			last := one.hops[len(one.hops)-1]
			last.response, last.raw = e.RedirectResponse, e.RedirectHasExtraInfo
		}
		if len(one.hops) == 0 {
			r.order = append(r.order, e.RequestID)
		}
		one.kind, one.page, one.frame = strings.ToLower(string(e.Type)), e.LoaderID, e.FrameID
		r.opens(e)
		one.hops = append(one.hops, &hop{request: e.Request, at: time.Now()})
	case *network.EventRequestWillBeSentExtraInfo:
		one := r.of(e.RequestID)
		one.asked = append(one.asked, e.Headers)
	case *network.EventResponseReceivedExtraInfo:
		one := r.of(e.RequestID)
		one.answered = append(one.answered, e.Headers)
	case *network.EventRequestServedFromCache:
		if one := r.of(e.RequestID); len(one.hops) > 0 {
			one.hops[len(one.hops)-1].cached = true
		}
	case *network.EventResponseReceived:
		if one := r.of(e.RequestID); len(one.hops) > 0 {
			last := one.hops[len(one.hops)-1]
			last.response, last.raw = e.Response, e.HasExtraInfo
		}
	case *network.EventLoadingFailed:
		r.of(e.RequestID).done = true
	case *network.EventLoadingFinished:
		go r.read(b, e.RequestID) // a listener must not wait for the browser
	}
}

// opens notes the page that a request opens in the main frame, which is that of the first
// request. A page that is left can take its requests with it, without an event.
func (r *Recording) opens(e *network.EventRequestWillBeSent) {
	if r.frame == "" {
		r.frame = e.FrameID
	}
	if e.FrameID == r.frame && e.Type == network.ResourceTypeDocument {
		r.page = e.LoaderID
	}
}

func (r *Recording) of(id network.RequestID) *recorded {
	if r.requests[id] == nil {
		r.requests[id] = &recorded{}
	}
	return r.requests[id]
}

// read reads the body of a response, before the next page takes it away.
func (r *Recording) read(b *Browser, id network.RequestID) {
	body, err := chromedp.Call(b.Context, network.GetResponseBody, network.GetResponseBodyParams{RequestID: id})
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.of(id)
	if one.done = true; err == nil {
		one.body = body.Body
	}
}

// Settle waits up to 30 seconds until all responses to the page have ended. A person who records
// would not click before.
func (r *Recording) Settle(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(50 * time.Millisecond) {
		open := r.open()
		if open == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has not ended within 30s", open)
		}
	}
}

func (r *Recording) open() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.order {
		one := r.requests[id]
		left := one.frame == r.frame && one.page != r.page
		if !one.done && !left && !strings.HasPrefix(one.hops[0].request.URL, "data:") {
			return one.hops[0].request.URL
		}
	}
	return ""
}

// HAR is the recording as Chromium exports it, with cookies and passwords.
func (r *Recording) HAR(t *testing.T) []byte {
	t.Helper()
	r.Settle(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	entries := []map[string]any{}
	for _, id := range r.order {
		one, extra := r.requests[id], 0
		for i, h := range one.hops {
			asked, answered := network.Headers{}, network.Headers{}
			if h.raw {
				if extra < len(one.asked) && extra < len(one.answered) {
					asked, answered = one.asked[extra], one.answered[extra]
				}
				extra++
			}
			var body []byte
			if i == len(one.hops)-1 {
				body = one.body
			}
			entries = append(entries, h.entry(one.kind, asked, answered, body))
		}
	}
	slices.SortStableFunc(entries, func(a, b map[string]any) int {
		return strings.Compare(a["startedDateTime"].(string), b["startedDateTime"].(string))
	})
	data, err := json.MarshalIndent(map[string]any{"log": map[string]any{
		"version": "1.2", "creator": map[string]any{"name": "WebInspector", "version": "537.36"}, "pages": []any{}, "entries": entries,
	}}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// entry is a request and its response as HAR has them.
func (h *hop) entry(kind string, asked, answered network.Headers, body []byte) map[string]any {
	if len(asked) == 0 {
		asked = h.request.Headers
	}
	request := map[string]any{
		"method": h.request.Method, "url": h.request.URL, "httpVersion": "http/1.1", "headers": headers(asked),
		"queryString": []any{}, "cookies": []any{}, "headersSize": -1, "bodySize": -1,
	}
	if h.request.HasPostData {
		var sent []byte
		for _, part := range h.request.PostDataEntries {
			sent = append(sent, part.Bytes...)
		}
		request["postData"] = map[string]any{"mimeType": asked["Content-Type"], "text": string(sent)}
	}
	response := map[string]any{"status": 0, "statusText": "", "headers": []any{}, "cookies": []any{}, "content": map[string]any{"size": 0, "mimeType": "x-unknown"}, "redirectURL": ""}
	if h.response != nil {
		if len(answered) == 0 {
			answered = h.response.Headers
		}
		content := map[string]any{"size": len(body), "mimeType": h.response.MimeType, "text": string(body)}
		if !utf8.Valid(body) {
			content["text"], content["encoding"] = base64.StdEncoding.EncodeToString(body), "base64"
		}
		response["status"], response["headers"], response["content"] = h.response.Status, headers(answered), content
		for name, value := range answered {
			if http.CanonicalHeaderKey(name) == "Location" {
				response["redirectURL"] = value
			}
		}
	}
	e := map[string]any{
		"startedDateTime": h.at.UTC().Format("2006-01-02T15:04:05.000000000Z"), "time": 5.5, "request": request, "response": response,
		"cache": map[string]any{}, "timings": map[string]any{"send": 0, "wait": 5, "receive": 0.5}, "_resourceType": kind,
	}
	if h.cached {
		e["_fromCache"] = "memory"
	}
	return e
}

func headers(all network.Headers) []map[string]string {
	list := []map[string]string{}
	for name, value := range all {
		list = append(list, map[string]string{"name": name, "value": fmt.Sprint(value)})
	}
	slices.SortFunc(list, func(a, b map[string]string) int { return strings.Compare(a["name"], b["name"]) })
	return list
}
