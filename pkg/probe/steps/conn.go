package steps

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// maxAnswer is how much a server may send after a request, in bytes, as with HTTP.
const maxAnswer = 64 << 20

func errEndless() error { return probe.Failure("the response is larger than 64 MiB", "") }

// conn is a connection to a server that is not trusted: after each request, it may send no
// more than maxAnswer. It remembers its first error, because the libraries of protocols
// replace errors by their own.
type conn struct {
	net.Conn

	reading sync.Mutex // held while a Read waits: pgconn may go on reading an idle connection

	mu   sync.Mutex
	read int64 // since the last request
	err  error
}

var _ syscall.Conn = (*conn)(nil)

// Read implements [net.Conn].
func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	tooMuch := c.read > maxAnswer
	c.mu.Unlock()
	if tooMuch {
		return 0, c.failed(errEndless())
	}
	c.reading.Lock()
	n, err := c.Conn.Read(p)
	c.reading.Unlock()
	c.mu.Lock()
	c.read += int64(n)
	c.mu.Unlock()
	return n, c.failed(err)
}

// Write implements [net.Conn].
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.read = 0
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	return n, c.failed(err)
}

func (c *conn) failed(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.err == nil && !errors.Is(err, net.ErrClosed) {
		c.err = err
	}
	return err
}

// cause is the first error.
func (c *conn) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// SyscallConn implements [syscall.Conn].
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	inner, ok := c.Conn.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return inner.SyscallConn()
}

// dialing dials connections of one session with a server, which may take several attempts
// (with and without TLS). The last one is the session's.
type dialing struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu  sync.Mutex
	all []*conn
}

// dialingKey is the key of the context's value by which a session's own attempts are known.
type dialingKey struct{}

// errSession is the error of a library that would dial beside its session.
var errSession = errors.New("the session has its connection")

// do dials. ctx is derived from that of opening the session: when a session fails, pgconn
// would open another connection, with a context of its own, to cancel what it asked. To a
// server that is silent, each user would hold two connections for many seconds.
func (d *dialing) do(ctx context.Context, network, address string) (*conn, error) {
	if ctx.Value(dialingKey{}) != d {
		return nil, errSession
	}
	inner, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: inner}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, c)
	return c, nil
}

// end ends the dialing: all connections but the last one, which is returned, are closed.
func (d *dialing) end() (last *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, c := range d.all {
		if last = c; i < len(d.all)-1 {
			_ = c.Close() // it is not used
		}
	}
	return last
}

// errStale is the error of a connection on which something came that was not asked for:
// its end, or a message before it.
var errStale = errors.New("the connection has ended")

// quiet reports whether nothing has come on an idle connection, as on one that is alive as
// far as can be seen without asking.
//
// If a Read is waiting, looking would wait for it, without an end. But then the end of the
// connection is the error of that Read.
func (c *conn) quiet() bool {
	if c.cause() != nil {
		return false
	}
	if !c.reading.TryLock() {
		return true
	}
	defer c.reading.Unlock()
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	return peek(raw) == nil
}

// ended are the errors by which a server ends a connection.
func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
