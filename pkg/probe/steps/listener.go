package steps

import (
	"context"
	"errors"
	"time"

	"github.com/coder/websocket"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// listener receives the messages of a WebSocket, also while nothing waits for one: that
// answers pings, and notices the end.
type listener struct {
	messages chan message
	leave    context.CancelFunc
	ended    chan struct{}
}

type message struct {
	data []byte
	err  error // the last one
}

// listen starts a listener. Its stop ends the WebSocket.
func listen(ctx context.Context, c *websocket.Conn) *listener {
	ctx, leave := context.WithCancel(ctx)
	l := &listener{messages: make(chan message), leave: leave, ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		for {
			_, data, err := c.Read(ctx)
			select {
			case l.messages <- message{data, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return l
}

// stop ends the listener.
func (l *listener) stop() {
	l.leave()
	<-l.ended
}

// next is the next message.
func (l *listener) next(ctx context.Context) ([]byte, error) {
	select {
	case m := <-l.messages:
		return m.data, m.err
	case <-l.ended: // it said why before
		return nil, context.Cause(ctx)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// pinger pings a server until it does not answer.
type pinger struct {
	answered chan struct{} // holds an item after an answer
	leave    context.CancelFunc
	ended    chan struct{}
	err      error // after ended: the server did not answer
}

// keepAlive pings a server, which must answer within a time.
func keepAlive(ctx context.Context, c *websocket.Conn, within time.Duration) *pinger {
	ctx, leave := context.WithCancel(ctx)
	p := &pinger{answered: make(chan struct{}, 1), leave: leave, ended: make(chan struct{})}
	go p.run(ctx, c, within)
	return p
}

// run pings until ctx ends, or until there is no answer.
func (p *pinger) run(ctx context.Context, c *websocket.Conn, within time.Duration) {
	defer close(p.ended)
	every := time.NewTicker(max(within/2, time.Millisecond))
	defer every.Stop()
	for {
		switch late, err := ping(ctx, c, within); {
		case late:
			p.err = probe.Failure("the server answered no ping for "+within.String()+" while the WebSocket was held", "")
			return
		case err == nil:
			select {
			case p.answered <- struct{}{}:
			default: // the one before was not looked at
			}
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// ping pings once, and reports whether the answer is late. Of any other error, the
// listener says why.
func ping(ctx context.Context, c *websocket.Conn, within time.Duration) (late bool, err error) {
	asking, done := context.WithTimeout(ctx, within)
	defer done()
	err = c.Ping(asking)
	return err != nil && ctx.Err() == nil && errors.Is(asking.Err(), context.DeadlineExceeded), err
}

// stop ends the pings, and returns an error if one was not answered.
func (p *pinger) stop() error {
	p.leave()
	<-p.ended
	return p.err
}
