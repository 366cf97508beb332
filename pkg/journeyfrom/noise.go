package journeyfrom

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// left are what an import leaves out, by the reason.
type left struct {
	reasons []string
	count   map[string]int
	example map[string][]string
}

// maxExamples is how many examples are shown for each reason.
const maxExamples = 3

// out counts a thing that is left out. what is for a message.
func (l *left) out(reason, what string) {
	if l.count == nil {
		l.count, l.example = map[string]int{}, map[string][]string{}
	}
	if l.count[reason]++; l.count[reason] == 1 {
		l.reasons = append(l.reasons, reason)
	}
	if shown := l.example[reason]; what != "" && len(shown) < maxExamples && !slices.Contains(shown, what) {
		l.example[reason] = append(shown, what)
	}
}

// lines are the reasons, with their numbers and examples.
func (l *left) lines() (all []string) {
	for _, reason := range l.reasons {
		text := fmt.Sprintf("%d × %s", l.count[reason], reason)
		if shown := l.example[reason]; len(shown) > 0 {
			text += ": " + strings.Join(shown, ", ")
			if l.count[reason] > len(shown) {
				text += ", …"
			}
		}
		all = append(all, text)
	}
	return all
}

// asset matches the types of responses that are parts of a page.
var asset = regexp.MustCompile(`^(?:image|font|audio|video)/|^(?:text|application)/(?:css|javascript|x-javascript|ecmascript|wasm|manifest\+json|font-.*|x-font-.*|vnd\.ms-fontobject)$`)

// assetName matches the names of files that are parts of a page.
var assetName = regexp.MustCompile(`(?i)\.(?:css|m?js|map|png|jpe?g|gif|svg|ico|webp|avif|bmp|woff2?|ttf|otf|eot|mp[34]|webm|ogg|wav|webmanifest)$|/favicon[^/]*$`)

// assetKinds are Chromium's kinds of requests for parts of a page.
func assetKinds() []string {
	return []string{"image", "stylesheet", "script", "font", "media", "manifest", "texttrack"}
}

// tracking matches paths at which pages report about their users, on their own host too.
var tracking = regexp.MustCompile(`(?i)(?:^|/)(?:g/collect|collect|beacon|analytics(?:\.js)?|gtag|gtm|pixel|rum|matomo\.php|piwik\.php|_vercel/(?:insights|speed-insights).*|cdn-cgi/(?:rum|beacon|challenge-platform).*|api/\d+/(?:envelope|store)|telemetry|csp-report.*|reporting-endpoint)/?$`)

// noise is why an entry is no step of a journey; "" if it is one.
func (e *entry) noise(u *url.URL) string {
	h := header(e.Request.Headers)
	switch method := strings.ToUpper(e.Request.Method); {
	case u.Scheme == "ws" || u.Scheme == "wss" || e.Resource == "websocket" || e.Response.Status == http.StatusSwitchingProtocols:
		return "websockets"
	case u.Scheme != "http" && u.Scheme != "https":
		return "addresses that are no requests, such as data: and blob:"
	case method == http.MethodOptions || e.Resource == "preflight":
		return "preflight requests (OPTIONS)"
	case e.FromCache != nil && e.FromCache != false && e.FromCache != "":
		return "responses from the browser's cache"
	case e.Response.Status < 200 || e.Response.Status > 599:
		return "requests that failed or were aborted"
	case h.Get("Purpose") == "prefetch" || strings.Contains(h.Get("Sec-Purpose"), "prefetch"):
		return "pages that the browser fetched in advance"
	case e.Resource == "ping" || e.Resource == "beacon" || e.Resource == "cspviolationreport" || tracking.MatchString(u.Path):
		return "analytics"
	case e.Resource == "eventsource" || mediaType(e.Response.Content.Kind) == "text/event-stream":
		return "streams of events, which do not end"
	case !isMethod(method):
		return "requests with a method that a step does not have"
	case method == http.MethodGet && e.isAsset(u):
		return "images, styles, scripts, fonts and media"
	}
	return ""
}

// isAsset reports whether a GET is for a part of a page.
func (e *entry) isAsset(u *url.URL) bool {
	if e.Resource == "document" || e.Resource == "xhr" || e.Resource == "fetch" {
		return assetName.MatchString(u.Path) && e.Resource != "document"
	}
	return slices.Contains(assetKinds(), e.Resource) || asset.MatchString(mediaType(e.Response.Content.Kind)) ||
		assetName.MatchString(u.Path) || e.Response.Status >= 300 && path.Ext(u.Path) == ".ico"
}

// site is a host with its port, if that is no usual one: http and https of one host are
// the same site.
func site(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if port := u.Port(); port != "" && port != "80" && port != "443" {
		return host + ":" + port
	}
	return host
}

// isRedirect reports whether a browser goes on to another address.
func (r *response) isRedirect() bool {
	return slices.Contains([]int{301, 302, 303, 307, 308}, r.status) && r.header.Get("Location") != ""
}

// next is where a redirect goes.
func (r *response) next() *url.URL {
	u, err := r.url.Parse(r.header.Get("Location"))
	if err != nil {
		return nil
	}
	u.Fragment, u.RawFragment = "", ""
	return u
}

// fold makes one step of each request with the redirects after it. It keeps redirects as
// steps of their own if a value can be captured only from them, or if they go elsewhere.
func fold(all []*exchange) (folded []*exchange) {
	seen := map[string]bool{}
	taken := map[*exchange]bool{}
	for i, e := range all {
		if taken[e] {
			continue
		}
		chain := chainOf(all[i:], taken)
		if len(chain) > maxFollow || chain[len(chain)-1].response.isRedirect() || makesNew(chain, seen) {
			folded = append(folded, chain...)
		} else {
			for _, hop := range chain[:len(chain)-1] {
				e.hops = append(e.hops, hop.response)
				e.took += hop.took
			}
			e.follow = len(chain) - 1
			e.response = chain[len(chain)-1].response
			folded = append(folded, e)
		}
		for _, one := range chain {
			taken[one] = true
			for s := range strings.SplitSeq(one.response.url.Path, "/") {
				seen[s] = true
			}
		}
	}
	return folded
}

// maxFollow is how many redirects a step can follow.
const maxFollow = 20

// chainOf is a request with the requests that its redirects led to.
func chainOf(all []*exchange, taken map[*exchange]bool) []*exchange {
	chain := all[:1:1]
	for last := chain[0]; last.response.isRedirect(); last = chain[len(chain)-1] {
		next := last.response.next()
		i := slices.IndexFunc(all, func(e *exchange) bool {
			return next != nil && !taken[e] && !slices.Contains(chain, e) && sameTarget(e.response.url, next)
		})
		if i < 0 {
			break
		}
		chain = append(chain, all[i])
	}
	return chain
}

func sameTarget(a, b *url.URL) bool {
	return site(a) == site(b) && a.EscapedPath() == b.EscapedPath() && a.RawQuery == b.RawQuery
}

// makesNew reports whether a redirect after a write names the ID of what was written.
func makesNew(chain []*exchange, seen map[string]bool) bool {
	if chain[0].method == http.MethodGet || len(chain) == 1 {
		return false
	}
	next := chain[0].response.next()
	return next != nil && slices.ContainsFunc(strings.Split(next.Path, "/"), func(s string) bool { return isID(s) && !seen[s] })
}
