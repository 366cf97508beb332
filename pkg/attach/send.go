package attach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/internal/redact"
)

// The limits of a delivery. A request is repeated on 429 and 5xx, after the time that the
// response asks for, up to a maximum, or with exponential backoff. Other requests are never
// repeated.
const (
	retries      = 4
	retryWait    = 500 * time.Millisecond
	retryMax     = 20 * time.Second
	tryFor       = 15 * time.Second // one request with its response
	deliverFor   = time.Minute      // all requests of a delivery
	maxRedirects = 3
	maxResponse  = 4 << 20  // bytes
	maxRefusal   = 64 << 10 // bytes of a response that is an error
	maxExcerpt   = 200      // bytes of a response in an error
	maxError     = 500      // bytes of an error
)

// request is an HTTP request with a JSON payload.
type request struct {
	method, address string
	header          http.Header
	payload         []byte   // nil for none
	secrets         []string // texts that no error may contain
	private         bool     // the address is a secret but for its host
	once            bool     // it creates something: it is repeated only if it was refused
}

// deliveryError is the error of a request, without secrets and control characters.
type deliveryError struct {
	text string
	err  error
}

// Error implements error.
func (e deliveryError) Error() string { return e.text }

// Unwrap is the error as it was.
func (e deliveryError) Unwrap() error { return e.err }

// call sends body as JSON, and decodes the response into out unless out is nil.
func call(ctx context.Context, r request, body, out any) error {
	if body != nil {
		var err error
		if r.payload, err = json.Marshal(body); err != nil {
			return err
		}
	}
	return send(ctx, r, out)
}

func send(ctx context.Context, r request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, deliverFor)
	defer cancel()
	if err := exchange(ctx, r, out); err != nil {
		return deliveryError{r.clean(err.Error(), maxError), err}
	}
	return nil
}

// exchange sends a request until it is answered, and reads the response.
func exchange(ctx context.Context, r request, out any) error {
	client := patient(r)
	defer client.HTTPClient.CloseIdleConnections()
	request, err := retryablehttp.NewRequestWithContext(ctx, r.method, r.address, r.payload)
	if err != nil {
		return errors.New("not delivered: invalid URL")
	}
	request.Header = r.header.Clone()
	if r.payload != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("User-Agent", "gameday")
	response, err := client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the URL may contain a secret
		}
		if r.once {
			err = fmt.Errorf("%w: %w", errUncertain, err)
		}
		return fmt.Errorf("not delivered: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusSwitchingProtocols {
		return errors.New("not delivered: " + response.Status) // no context ends the reading of what follows
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return r.refused(response)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		if r.once {
			err = fmt.Errorf("%w: %w", errUncertain, err)
		}
		return fmt.Errorf("read the response: %w", err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("read the response: %w", err)
	}
	return nil
}

// patient is a client that repeats requests.
func patient(r request) *retryablehttp.Client {
	client := retryablehttp.NewClient()
	client.Logger = nil // it would log URLs, and some of them contain a secret
	client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = retries, retryWait, retryMax
	client.Backoff = func(least, most time.Duration, attempt int, response *http.Response) time.Duration {
		if wait, limited := limitedFor(response, time.Now()); limited {
			return min(wait, most)
		}
		return min(retryablehttp.DefaultBackoff(least, most, attempt, response), most) // a server may ask for a year
	}
	client.CheckRetry = func(ctx context.Context, response *http.Response, err error) (bool, error) {
		if wait, limited := limitedFor(response, time.Now()); limited && ctx.Err() == nil {
			return wait <= retryMax, nil // asking again before that would prolong the limit
		}
		if r.once {
			tooMany := response != nil && response.StatusCode == http.StatusTooManyRequests
			return tooMany && ctx.Err() == nil, ctx.Err()
		}
		return retryablehttp.DefaultRetryPolicy(ctx, response, err)
	}
	client.HTTPClient.Timeout = tryFor
	client.HTTPClient.CheckRedirect = sameServer
	client.ErrorHandler = func(response *http.Response, err error, _ int) (*http.Response, error) {
		if response != nil {
			return response, nil // it says more than the error
		}
		return nil, err
	}
	return client
}

// limitedFor is how long a server wants to be left alone after too many requests, if it says
// so as GitHub does: 403 or 429 with Retry-After, or with the time of the next ones; see
// "Rate limits for the REST API" in its documentation. Of 429, Retry-After is also read by
// go-retryablehttp.
func limitedFor(response *http.Response, now time.Time) (wait time.Duration, limited bool) {
	if response == nil || response.StatusCode != http.StatusForbidden && response.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds >= 0 && response.StatusCode == http.StatusForbidden {
		return time.Duration(min(seconds, maxSeconds)) * time.Second, true
	}
	if response.Header.Get("X-Ratelimit-Remaining") != "0" {
		return 0, false
	}
	reset, err := strconv.ParseInt(response.Header.Get("X-Ratelimit-Reset"), 10, 64)
	return max(time.Unix(min(reset, now.Unix()+maxSeconds), 0).Sub(now), 0), err == nil
}

// maxSeconds is the longest time that a server asks for and that is taken as it is: a day.
const maxSeconds = 24 * 60 * 60

// sameServer follows a redirect if it repeats the request at the same server. The body, its
// signature and the token are meant for the server that the user has named; and a POST that
// turns into a GET delivers nothing.
func sameServer(to *http.Request, via []*http.Request) error {
	from := via[0]
	if len(via) > maxRedirects || to.Method != from.Method || to.URL.Scheme != from.URL.Scheme || to.URL.Host != from.URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// refused is the error of a response that is not the one expected.
func (r request) refused(response *http.Response) error {
	status := r.clean(response.Status, maxExcerpt)
	if to, err := response.Location(); err == nil && response.StatusCode < http.StatusBadRequest {
		return fmt.Errorf("not delivered: %s: found a redirect to %s, expected an answer: name the address that the redirect leads to", status, to.Host)
	}
	if wait, limited := limitedFor(response, time.Now()); limited && wait > retryMax {
		return fmt.Errorf("not delivered: %s: too many requests: the server takes none for %v: attach the run's report later, with gameday attach", status, wait.Round(time.Second))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if err != nil {
		return fmt.Errorf("not delivered: %s: read the response: %w", status, err)
	}
	err = errors.New(r.clean(string(body), maxExcerpt))
	if r.once && response.StatusCode >= http.StatusInternalServerError {
		err = fmt.Errorf("%w: %w", errUncertain, err)
	}
	return fmt.Errorf("not delivered: %s: %w", status, err)
}

// clean is a text of a server or of a library on one short line, without the secrets of
// the request.
func (r request) clean(text string, most int) string {
	for _, hidden := range r.hidden() {
		text = strings.ReplaceAll(text, hidden, redact.Mark)
	}
	// A long text takes long to search. A secret that is cut in two is past what is shown.
	text = plaintext.OneLine(text, 10*most)
	return plaintext.OneLine(redact.Common().Text(text), most)
}

// minSecret is the length of the shortest part of an address that is taken for a secret.
const minSecret = 8

// hidden are the texts that no error may contain. What contains another one comes first.
func (r request) hidden() []string {
	all := append([]string{}, r.secrets...)
	if u, err := url.Parse(r.address); err == nil && r.private {
		password, _ := u.User.Password()
		parts := []string{r.address, u.RequestURI(), u.EscapedPath(), u.Path, u.RawQuery, password}
		for _, path := range []string{u.EscapedPath(), u.Path} {
			parts = append(parts, strings.Split(path, "/")...)
		}
		for _, values := range u.Query() {
			parts = append(parts, values...)
		}
		all = append(all, slices.DeleteFunc(parts, func(part string) bool { return len(part) < minSecret })...)
	}
	return slices.DeleteFunc(all, func(text string) bool { return text == "" })
}
