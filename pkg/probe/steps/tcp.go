package steps

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// TCP connects, sends a text and receives one.
type TCP struct{}

var _ probe.Protocol = TCP{}

// maxSought is how much of an answer is received in which expect does not hold, in bytes:
// it is looked at again with each part that comes.
const maxSought = 64 << 10

// tcpAction is an exchange that is ready to be made.
type tcpAction struct {
	probe.TCP

	send   *probe.Template
	server place
	// enough reports whether an answer is complete.
	enough func(body []byte) bool
	// missing is what expect misses in an answer.
	missing func(body []byte) error
	most    int // bytes of the answer
}

// Open implements [probe.Protocol].
func (TCP) Open(s probe.Step, o probe.Opening) (probe.Action, error) {
	server, _, err := at(o, s.TCP.Address)
	if err != nil {
		return nil, err
	}
	a := &tcpAction{TCP: *s.TCP, send: o.Templates.Parse(s.TCP.Send), server: server, most: probe.MaxKept}
	holds, err := s.Expect.Holds()
	if err != nil {
		return nil, err
	}
	a.missing = func(body []byte) error { return holds(&probe.Answer{Body: body, Size: int64(len(body))}) }
	switch u := s.TCP.Until; {
	case u == nil && s.Expect.Looks():
		a.most = maxSought
		a.enough = func(body []byte) bool { return a.missing(body) == nil }
	case u == nil:
		a.enough = func([]byte) bool { return true }
	case u.Close:
		a.enough = func([]byte) bool { return false }
	case u.Bytes > 0:
		a.enough = func(body []byte) bool { return len(body) >= u.Bytes }
		a.most = u.Bytes
	default:
		a.enough = func(body []byte) bool { return bytes.Contains(body, []byte(u.Delimiter)) }
	}
	return a, nil
}

// Close implements [probe.Action].
func (a *tcpAction) Close() error { return nil }

// Do implements [probe.Action].
func (a *tcpAction) Do(ctx context.Context, u *probe.User) (got probe.Answer, err error) {
	text, err := u.Render(a.send)
	if err != nil {
		return got, err
	}
	c, err := a.connect(ctx)
	if err != nil {
		return got, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() }) // ends what blocks
	defer stop()
	got.Sent, err = io.WriteString(c, text)
	if err == nil {
		got.Body, err = a.receive(c)
	}
	got.Size = int64(len(got.Body))
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return got, err
}

// connect connects to the server.
func (a *tcpAction) connect(ctx context.Context) (net.Conn, error) {
	c, err := a.server.dial(ctx)
	if err != nil || !a.TLS {
		return c, err
	}
	encrypted, err := a.server.shake(ctx, c)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return encrypted, nil
}

// receive receives the answer to its end.
func (a *tcpAction) receive(c io.Reader) (body []byte, err error) {
	part := make([]byte, 16<<10)
	for !a.enough(body) {
		if len(body) >= a.most {
			return body, a.tooLong()
		}
		n, err := c.Read(part[:min(len(part), a.most-len(body))])
		body = append(body, part[:n]...)
		switch {
		case errors.Is(err, io.EOF) && a.Until != nil && a.Until.Close:
			return body, nil
		case err != nil && a.enough(body):
			return body, nil
		case errors.Is(err, io.EOF) && a.Until == nil:
			return body, a.missing(body) // it may have been cut off: no definite answer
		case err != nil:
			return body, err
		}
	}
	return body, nil
}

// tooLong is the error of an answer that does not end.
func (a *tcpAction) tooLong() error {
	if a.Until == nil {
		return probe.Failure("the first 64 KiB of the response are not the expected ones", "")
	}
	return probe.Failure("the response is larger than 4 MiB", "")
}
