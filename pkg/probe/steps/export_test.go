package steps

import "net"

// NewConn is a connection of a session, for tests.
func NewConn(inner net.Conn) *conn { return &conn{Conn: inner} }

// Quiet is quiet, for tests.
func (c *conn) Quiet() bool { return c.quiet() }
