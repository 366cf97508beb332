package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// WebSocket opens a WebSocket for each user.
type WebSocket struct{}

var _ probe.Protocol = WebSocket{}

// socketAction is a WebSocket that is ready to be opened.
type socketAction struct {
	probe.WebSocket

	url     *probe.Template
	headers map[string]*probe.Template
	send    []*probe.Template
	looks   bool
	holds   func(a *probe.Answer) error
	timeout time.Duration
	// transport is there if users speak HTTP/2, which opens no WebSocket here.
	transport *http.Transport
}

// Open implements [probe.Protocol].
func (WebSocket) Open(s probe.Step, o probe.Opening) (_ probe.Action, err error) {
	w := *s.WebSocket
	a := &socketAction{
		WebSocket: w, url: o.Templates.Parse(cmp.Or(w.URL, strings.TrimRight(o.Way.Entry, "/")+w.Path)),
		headers: map[string]*probe.Template{}, looks: s.Expect.Looks(), timeout: o.Timeout,
	}
	for name, text := range w.Headers {
		a.headers[name] = o.Templates.Parse(text)
	}
	for _, text := range w.Send {
		a.send = append(a.send, o.Templates.Parse(text))
	}
	if o.Way.HTTP2 {
		if a.transport, err = o.Way.Transport(o.Timeout); err != nil {
			return nil, err
		}
	}
	a.holds, err = s.Expect.Holds()
	return a, err
}

// Close implements [probe.Action].
func (a *socketAction) Close() error {
	if a.transport != nil {
		a.transport.CloseIdleConnections()
	}
	return nil
}

// Do implements [probe.Action].
func (a *socketAction) Do(ctx context.Context, u *probe.User) (got probe.Answer, err error) {
	ctx, opened, done := opening(ctx, a.timeout, a.Hold)
	defer done()
	c, err := a.dial(ctx, u, &got)
	if c == nil {
		return got, err
	}
	defer func() { _ = c.CloseNow() }() // the user leaves
	for _, t := range a.send {
		text, err := u.Render(t)
		if err != nil {
			return got, err
		}
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			return got, endedBy(ctx, err)
		}
		got.Sent += len(text)
	}
	r := listen(ctx, c)
	defer r.stop()
	got.Status = statusOK
	err = a.receive(ctx, r, &got)
	if err == nil && a.Hold > 0 {
		opened()
		err = a.hold(ctx, c, r, &got)
	}
	return got, err
}

// dial opens the WebSocket. There is none if the server has refused it: got has its status.
func (a *socketAction) dial(ctx context.Context, u *probe.User, got *probe.Answer) (*websocket.Conn, error) {
	target, err := u.Render(a.url)
	if err != nil {
		return nil, err
	}
	header := http.Header{"User-Agent": {"gameday"}}
	for name, t := range a.headers {
		value, err := u.Render(t)
		if err != nil {
			return nil, err
		}
		header.Set(name, value)
	}
	client := u.Client()
	if a.transport != nil {
		client.Transport = a.transport
	}
	c, response, err := websocket.Dial(ctx, target, &websocket.DialOptions{ //nolint:bodyclose // it closes the body
		HTTPClient: client, HTTPHeader: header, Host: header.Get("Host"), Subprotocols: a.Subprotocols,
	})
	if response != nil {
		got.Header = response.Header
	}
	switch {
	case err == nil:
		c.SetReadLimit(probe.MaxKept)
		return c, nil
	case response == nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case response == nil:
		return nil, bare(err)
	case response.StatusCode != http.StatusSwitchingProtocols:
		got.Code = response.StatusCode
		got.Absent = got.Code == http.StatusNotFound || got.Code == http.StatusGone
		if got.Code < http.StatusBadRequest {
			return nil, probe.Failure(fmt.Sprintf("the server opens no WebSocket: status %d", got.Code), "")
		}
		return nil, nil //nolint:nilnil // the status is the answer
	}
	return nil, probe.Failure("the server's answer opens no WebSocket", err.Error())
}

// bare is an error without the URL that an http.Client puts around it.
func bare(err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		return outer.Err
	}
	return probe.Failure("the URL is not one of a WebSocket: a captured value has a control character or an invalid % escape", "")
}

// receive receives the messages that the step waits for.
func (a *socketAction) receive(ctx context.Context, l *listener, got *probe.Answer) error {
	var r received
	var last error
	for a.Receive > 0 && r.count < a.Receive || a.Receive == 0 && a.looks {
		m, err := l.next(ctx)
		switch err = endedBy(ctx, err); {
		case err != nil && last != nil && !errors.Is(err, context.Canceled):
			return last // what came says more
		case err == nil:
			err = r.arrived(len(m))
		}
		if err != nil {
			return err
		}
		if a.Receive > 1 {
			r.add(m)
			continue
		}
		*got = probe.Answer{Status: got.Status, Header: got.Header, Sent: got.Sent, Body: m, Size: int64(len(m))} // another one was parsed
		r.count++
		if a.Receive == 0 {
			if last = a.holds(got); last == nil {
				return nil
			}
		}
	}
	if a.Receive > 1 {
		r.list(got)
	}
	return nil
}

// hold holds the WebSocket open. The server must answer pings, and send messages if there
// is a longest silence.
func (a *socketAction) hold(ctx context.Context, c *websocket.Conn, l *listener, got *probe.Answer) error {
	began := time.Now()
	good := began
	defer func() { got.Held = good.Sub(began) }()
	over := time.NewTimer(a.Hold)
	defer over.Stop()
	gap := cmp.Or(a.Gap, a.Hold+a.timeout)
	silence := time.NewTimer(gap)
	defer silence.Stop()
	alive := keepAlive(ctx, c, a.timeout)
	defer func() { _ = alive.stop() }() // it was asked above
	for {
		select {
		case <-over.C:
			good = time.Now()
			return nil
		case <-silence.C:
			return probe.Failure("the server was silent for "+gap.String()+" while the WebSocket was held", "")
		case <-alive.answered:
			if a.Gap == 0 {
				good = time.Now()
			}
		case <-alive.ended:
			return cmp.Or(alive.stop(), context.Cause(ctx))
		case m := <-l.messages:
			if m.err != nil {
				return cmp.Or(alive.stop(), whileHeld(ctx, m.err))
			}
			good = time.Now()
			silence.Reset(gap)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// whileHeld is why a WebSocket ended that was held.
func whileHeld(ctx context.Context, err error) error {
	if err = endedBy(ctx, err); errors.Is(err, io.ErrUnexpectedEOF) {
		return probe.Failure("the server closed the WebSocket while it was held", err.Error())
	}
	return err
}

// endedBy is why a WebSocket ended, without what the server has written.
func endedBy(ctx context.Context, err error) error {
	var closed websocket.CloseError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, websocket.ErrMessageTooBig):
		return errMessageTooLarge()
	case errors.As(err, &closed), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
	}
	return err
}
