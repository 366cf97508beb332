package steps

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// place is a server, and how users reach it.
type place struct {
	address string      // HOST:PORT
	host    string      // of address
	secure  *tls.Config // with a name only if that is another one
	connect func(ctx context.Context, network, address string) (net.Conn, error)
}

// at is the server at an address: HOST:PORT, :PORT on the host of the entry, or "" for the
// entry itself.
func at(o probe.Opening, address string) (p place, encrypted bool, err error) {
	entry, err := url.Parse(o.Way.Entry)
	if err != nil {
		return p, false, fmt.Errorf("entry: %w", err)
	}
	encrypted = entry.Scheme == "https"
	host, port := entry.Hostname(), cmp.Or(entry.Port(), map[bool]string{true: "443", false: "80"}[encrypted])
	if address != "" {
		ownHost, ownPort, err := net.SplitHostPort(address)
		if err != nil {
			return p, false, fmt.Errorf("address: %w", err)
		}
		host, port = cmp.Or(ownHost, host), ownPort
	}
	p.address = net.JoinHostPort(host, port)
	p.host, p.connect = host, o.Dialer()
	p.secure, err = o.TLS("") // without a name, unless one is declared
	return p, encrypted, err
}

// dial connects to the server.
func (p place) dial(ctx context.Context) (net.Conn, error) {
	return p.connect(ctx, "tcp", p.address)
}

// shake makes a connection one of TLS.
func (p place) shake(ctx context.Context, plain net.Conn) (net.Conn, error) {
	secure := p.secure.Clone()
	secure.ServerName = cmp.Or(secure.ServerName, p.host)
	c := tls.Client(plain, secure)
	return c, c.HandshakeContext(ctx)
}
