package probe

import (
	"context"
	"net"
	"sync"
	"time"
)

// door is the way of users out of the load generator. It can be closed for a span: users who
// send then fail at once, on new and on kept-alive connections.
type door struct {
	faulty Faulty

	mu       sync.Mutex // so that each user comes before the door is closed, or after
	from, to time.Time
}

// errClosed is the error of a user at a closed door.
const errClosed = ownError("the door is closed, to calibrate")

// closeAt closes the door at a moment for a span, or reports false if it has passed.
func (d *door) closeAt(at time.Time, lasts time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Now().After(at) {
		return false
	}
	d.from, d.to = at, at.Add(lasts+d.faulty.Opens)
	return true
}

// closeNow closes the door for a span, and returns since when.
func (d *door) closeNow(lasts time.Duration) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.from = time.Now()
	d.to = d.from.Add(lasts + d.faulty.Opens)
	return d.from
}

// open reports whether users are let through now.
func (d *door) open() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	return now.Before(d.from) || !now.Before(d.to)
}

// through makes connections pass the door.
func (d *door) through(connect dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if !d.open() {
			return nil, errClosed
		}
		conn, err := connect(ctx, network, address)
		if err != nil || d.faulty.Dials {
			return conn, err
		}
		return doorConn{conn, d}, nil
	}
}

// doorConn is a connection through a door.
type doorConn struct {
	net.Conn

	door *door
}

// Write implements [net.Conn].
func (c doorConn) Write(data []byte) (int, error) {
	if !c.door.open() {
		return 0, errClosed
	}
	return c.Conn.Write(data)
}
