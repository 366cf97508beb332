package probe

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// MaxKept is how much of a response is kept for assertions, in bytes.
const MaxKept = 4 << 20

// maxBody is the maximum size of a response's body, in bytes, after decompression.
const maxBody = 64 << 20

// errTooLarge is the error if an assertion needs more of a response than what is kept.
const errTooLarge = ownError("the response is larger than the 4 MiB that expect, capture and acknowledges can check")

// errEndless is the error of a response that is larger than maxBody.
const errEndless = ownError("the response is larger than 64 MiB")

// web performs the steps that are requests of HTTP.
type web struct {
	base   string
	follow int
	gzip   bool
	traces bool // bodies are kept, whatever looks at them
	agent  []string
}

// webAction is a request of HTTP that is ready to be sent.
type webAction struct {
	web
	method  string
	path    *Template
	query   map[string]*Template
	headers map[string]*Template
	auth    func(u *User) (string, error)
	body    func(u *User) (data []byte, kind string, err error)
	looks   bool // an assertion or a capture looks at the body
	escapes bool // values are escaped where they go into the path
}

// open compiles a request.
func (w web) open(s Step, c *Templates) *webAction {
	method, target := s.Request()
	a := &webAction{web: w, method: method, path: c.Parse(target), query: parseAll(c, s.Query), headers: parseAll(c, s.Headers), looks: s.looks() || w.traces}
	if s.Follow != nil {
		a.follow = *s.Follow
	}
	a.auth = s.Auth.compile(c)
	a.body = s.compileBody(c)
	return a
}

func parseAll(c *Templates, texts map[string]string) map[string]*Template {
	all := make(map[string]*Template, len(texts))
	for key, text := range texts {
		all[key] = c.Parse(text)
	}
	return all
}

// Do implements [Action].
func (a *webAction) Do(ctx context.Context, u *User) (got Answer, err error) {
	request, body, err := a.request(ctx, u)
	got.Sent = len(body)
	if err != nil {
		return got, err
	}
	if u.traces {
		got.Asked = &Asked{Line: asking(request), Header: request.Header.Clone(), Body: string(body)}
	}
	u.hops = nil
	response, err := a.send(request, u)
	got.Hops = u.hops
	if err != nil {
		return got, bare(err)
	}
	defer response.Body.Close()
	got.Code, got.Header = response.StatusCode, response.Header
	got.Absent = got.Code == http.StatusNotFound || got.Code == http.StatusGone
	got.cookies = u.jar
	if response.Request != nil {
		got.url = response.Request.URL
	}
	if err := a.read(response, &got); err != nil {
		return got, fmt.Errorf("read the response: %w", err)
	}
	return got, nil
}

// Close implements [Action]: the users' transport is closed by the load.
func (a *webAction) Close() error { return nil }

// bare is an error without the URL that an http.Client puts around it.
func bare(err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		return outer.Err
	}
	return err
}

// send sends a request with the user's cookies, and follows redirects. A request that
// follows none does not pay for an http.Client.
func (a *webAction) send(request *http.Request, u *User) (*http.Response, error) {
	if a.follow > 0 {
		if u.cookies && u.jar == nil {
			u.jar = newJar()
		}
		client := http.Client{Transport: u.client, Jar: u.jar, CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if u.traces {
				u.hops = append(u.hops, Hop{next.Response.StatusCode, next.Response.Header.Get("Location"), asking(next)})
			}
			if len(via) > a.follow {
				return ownError(fmt.Sprintf("more than %d redirects", a.follow))
			}
			return nil
		}}
		return client.Do(request)
	}
	if u.jar != nil {
		for _, c := range u.jar.Cookies(request.URL) {
			request.AddCookie(c)
		}
	}
	response, err := u.client.RoundTrip(request)
	if err == nil && u.cookies && len(response.Header["Set-Cookie"]) > 0 {
		if u.jar == nil {
			u.jar = newJar()
		}
		u.jar.SetCookies(request.URL, response.Cookies())
	}
	return response, err
}

// asking is a request as a person looks at it.
func asking(r *http.Request) string { return r.Method + " " + r.URL.String() }

func newJar() http.CookieJar {
	jar, _ := cookiejar.New(nil) // never fails
	return jar
}

// read reads a response to its end. What no assertion looks at is thrown away, but it
// must arrive: a response that stops halfway serves no user.
func (a *webAction) read(response *http.Response, got *Answer) (err error) {
	if got.Code == http.StatusSwitchingProtocols {
		// This is the whole response. What follows is another protocol, without an end,
		// and net/http ends it with no context.
		return nil
	}
	var body io.Reader = response.Body
	if !response.Uncompressed && strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") && a.method != http.MethodHead {
		body, err = gzip.NewReader(response.Body)
		if errors.Is(err, io.EOF) {
			return nil // there is no body, as with 304
		}
		if err != nil {
			return unpacking(err)
		}
	}
	if a.looks {
		got.Body, err = io.ReadAll(io.LimitReader(body, MaxKept))
		got.Size = int64(len(got.Body))
		if err != nil {
			return unpacking(err)
		}
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(body, maxBody+1-got.Size))
	if got.Size += rest; got.Size > maxBody {
		return errEndless
	}
	return unpacking(err)
}

// unpacking is an error of reading a body; those of gzip are in our words.
func unpacking(err error) error {
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return ownError("the response is not the gzip that its Content-Encoding says")
	}
	return err
}

func (a *webAction) request(ctx context.Context, u *User) (*http.Request, []byte, error) {
	target, err := a.target(u)
	if err != nil {
		return nil, nil, err
	}
	body, kind, err := a.body(u)
	if err != nil {
		return nil, nil, err
	}
	var reader io.Reader
	if len(body) > 0 {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, a.method, a.base+target, reader)
	if err != nil {
		return nil, nil, errPath // the error of net/url contains the path, and with it what was captured
	}
	request.Header["User-Agent"] = a.agent
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if a.gzip {
		request.Header.Set("Accept-Encoding", "gzip")
	}
	if a.auth != nil {
		value, err := a.auth(u)
		if err != nil {
			return nil, nil, err
		}
		request.Header.Set("Authorization", value)
	}
	for key, t := range a.headers {
		value, err := u.Render(t)
		if err != nil {
			return nil, nil, err
		}
		if strings.ContainsFunc(value, isControl) {
			return nil, nil, ownError(fmt.Sprintf("header %s contains a control character", key))
		}
		request.Header.Set(key, value)
		if http.CanonicalHeaderKey(key) == "Host" {
			request.Host = value
		}
	}
	return request, body, nil
}

// target is the path and the query of the request.
func (a *webAction) target(u *User) (string, error) {
	inPath := u.vars
	if a.escapes {
		inPath = escaped(u.vars)
	}
	target, err := a.path.render(inPath)
	if err != nil || len(a.query) == 0 {
		return target, err
	}
	query, err := u.encode(a.query)
	if strings.Contains(target, "?") {
		return target + "&" + query, err
	}
	return target + "?" + query, err
}
