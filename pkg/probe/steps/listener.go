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
	go func() {
		defer close(p.ended)
		every := time.NewTicker(max(within/2, time.Millisecond))
		defer every.Stop()
		for {
			asking, done := context.WithTimeout(ctx, within)
			err := c.Ping(asking)
			if errors.Is(asking.Err(), context.DeadlineExceeded) && ctx.Err() == nil && err != nil {
				p.err = probe.Failure("the server answered no ping for "+within.String()+" while the WebSocket was held", "")
			}
			done()
			if p.err != nil {
				return
			}
			if err == nil {
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
	}()
	return p
}

// stop ends the pings, and returns an error if one was not answered.
func (p *pinger) stop() error {
	p.leave()
	<-p.ended
	return p.err
}
