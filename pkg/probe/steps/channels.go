package steps

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/stats"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// maxUsers is how many users share a connection: servers allow at least 100 streams.
const maxUsers = 100

// maxHeaders is the maximum size of metadata that a server sends, in bytes.
const maxHeaders = 256 << 10

// channels are the connections of gRPC that users share.
//
// gRPC's own keepalive is not used: it pings every 10 seconds at the earliest, and servers
// close connections that are pinged more often than every 5 minutes. Instead, a
// connection that has failed, or from which no byte came for half of a call's timeout, gets
// no new users. They get a new connection at once, without gRPC's growing backoff: the
// recovery of a server must be seen when it is there.
type channels struct {
	place   place
	secure  bool
	fresh   bool // each user gets a connection
	timeout time.Duration

	mu   sync.Mutex
	open []*channel
}

// channel is a connection.
type channel struct {
	*grpc.ClientConn

	calls   map[*call]struct{} // of its users; guarded by channels.mu
	retired bool               // gets no new users; guarded by channels.mu
	failed  atomic.Pointer[error]
	began   time.Time
	heard   atomic.Int64 // when the last byte came, in nanoseconds after began
}

// call is one user's call.
type call struct {
	*channel

	began time.Time
	ended atomic.Bool // the server has sent a status
}

// take is a call on a connection that works as far as is known, or on a new one.
func (p *channels) take() (*call, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &call{began: time.Now()}
	for _, ch := range p.open {
		if !ch.retired && len(ch.calls) < maxUsers && !ch.suspect(p.timeout/2) {
			c.channel = ch
			break
		}
	}
	if c.channel == nil {
		ch, err := p.connect()
		if err != nil {
			return nil, err
		}
		c.channel = ch
		p.open = append(p.open, ch)
	}
	c.calls[c] = struct{}{}
	return c, nil
}

// suspect reports whether a call waits for longer than patience, and nothing came.
func (ch *channel) suspect(patience time.Duration) bool {
	for c := range ch.calls {
		if time.Since(c.began) > patience && !c.heardSince() {
			return true
		}
	}
	return false
}

// heardSince reports whether the server has sent anything since the call began.
func (c *call) heardSince() bool {
	return c.channel.began.Add(time.Duration(c.heard.Load())).After(c.began)
}

// release ends a call. The connection of a call that failed gets no new users.
func (p *channels) release(c *call, failed bool) {
	p.mu.Lock()
	delete(c.calls, c)
	c.retired = c.retired || failed || p.fresh
	unused := c.retired && len(c.calls) == 0
	if unused {
		for i, ch := range p.open {
			if ch == c.channel {
				p.open = append(p.open[:i], p.open[i+1:]...)
				break
			}
		}
	}
	p.mu.Unlock()
	if unused {
		_ = c.Close() // nothing is under way on it
	}
}

// Close closes all connections.
func (p *channels) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, ch := range p.open {
		errs = append(errs, ch.Close())
	}
	p.open = nil
	return errors.Join(errs...)
}

// connect prepares a connection. It is made when the first call needs it.
func (p *channels) connect() (*channel, error) {
	ch := &channel{calls: map[*call]struct{}{}, began: time.Now()}
	trust := insecure.NewCredentials()
	if p.secure {
		trust = credentials.NewTLS(p.place.secure)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(watched{trust, ch}),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			c, err := p.place.dial(ctx)
			ch.note(err)
			if err != nil {
				return nil, err
			}
			return hearing{c, ch}, nil
		}),
		// Its users give up first: then their error is a timeout.
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: 2 * p.timeout}),
		grpc.WithUserAgent("gameday"),
		grpc.WithMaxHeaderListSize(maxHeaders),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(probe.MaxKept)),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithIdleTimeout(0),
		grpc.WithStatsHandler(endings{}),
	}
	if !p.secure || p.place.secure.ServerName == "" {
		options = append(options, grpc.WithAuthority(p.place.address))
	}
	var err error
	ch.ClientConn, err = grpc.NewClient("passthrough:///"+p.place.address, options...)
	return ch, err
}

// note keeps why a connection failed. The texts of gRPC do not tell it apart.
func (ch *channel) note(err error) {
	if err != nil {
		ch.failed.Store(&err)
	}
}

// watched are credentials that note why a handshake failed.
type watched struct {
	credentials.TransportCredentials

	ch *channel
}

// ClientHandshake implements [credentials.TransportCredentials].
func (w watched) ClientHandshake(ctx context.Context, authority string, plain net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c, info, err := w.TransportCredentials.ClientHandshake(ctx, authority, plain)
	w.ch.note(err)
	return c, info, err
}

// Clone implements [credentials.TransportCredentials].
func (w watched) Clone() credentials.TransportCredentials {
	return watched{w.TransportCredentials.Clone(), w.ch}
}

// hearing is a connection that notes when bytes come.
type hearing struct {
	net.Conn

	ch *channel
}

// Read implements [io.Reader].
func (h hearing) Read(data []byte) (int, error) {
	n, err := h.Conn.Read(data)
	if n > 0 {
		h.ch.heard.Store(int64(time.Since(h.ch.began)))
	}
	return n, err
}

// ofCall is the key of a call in a context.
type ofCall struct{}

// endings notes for each call whether its status came from the server: gRPC makes one of
// its own for a connection that breaks.
type endings struct{}

// HandleRPC implements [stats.Handler].
func (endings) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if _, ok := s.(*stats.InTrailer); !ok {
		return
	}
	if c, ok := ctx.Value(ofCall{}).(*call); ok {
		c.ended.Store(true)
	}
}

// TagRPC implements [stats.Handler].
func (endings) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn implements [stats.Handler].
func (endings) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements [stats.Handler].
func (endings) HandleConn(context.Context, stats.ConnStats) {}
