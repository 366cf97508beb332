package probe

import (
	"context"
	"net"
	"time"
)

// Exports for tests.
var (
	Ours   = ours
	Reason = reason

	OursInWords = oursInWords
)

// Schedule sends users as a load does, but nowhere: send is called for each, and may take
// its time. It returns when they were to be sent, since the beginning.
func (l Load) Schedule(ended <-chan struct{}, send func(n uint64)) (due []time.Duration) {
	began := time.Now()
	a := l.arrivals(ended)
	for n := uint64(0); ; n++ {
		if _, over := a.Pace(time.Since(began), n); over {
			return due
		}
		at, _ := a.take(n)
		due = append(due, at.Sub(began))
		send(n)
	}
}

// Reach connects to one of the addresses of a name.
func Reach(ctx context.Context, network string, addresses []string, connect func(ctx context.Context, network, address string) (net.Conn, error)) (net.Conn, error) {
	return reach{connect, network, "80"}.any(ctx, suitable(addresses, network, ""))
}
