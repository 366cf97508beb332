// Package echo looks at a network from inside, in a lab or a test: one end answers, the
// other measures how long the answer took.
package echo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Reach tries to reach an address from where it runs, so that a network can be
// looked at from inside: it returns how long an answer took. The networks are
// those of net.Dial; "dns", of which the address is a name to look up; and
// "hold", which is a TCP connection that is held open until ctx ends.
func Reach(ctx context.Context, network, address string) (time.Duration, error) {
	began := time.Now()
	if network == "dns" {
		// By the engine's or any other server, and not by a file.
		resolver := &net.Resolver{PreferGo: true}
		_, err := resolver.LookupHost(ctx, address)
		return time.Since(began), err
	}
	hold := network == "hold"
	if hold {
		network = "tcp"
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return time.Since(began), err
	}
	defer conn.Close()
	if hold {
		<-ctx.Done()
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return 0, err
		}
	}
	if network == "udp" {
		if _, err = conn.Write([]byte("gameday")); err == nil {
			_, err = conn.Read(make([]byte, 64))
		}
	}
	return time.Since(began), err
}

// Serve sends everything back that comes to a port, by TCP and UDP, until ctx
// ends: something to reach in a network that has nothing else.
func Serve(ctx context.Context, address string) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	packets, err := config.ListenPacket(ctx, "udp", address)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	stop := context.AfterFunc(ctx, func() { _, _ = listener.Close(), packets.Close() })
	defer stop()
	go func() {
		buffer := make([]byte, 65_536)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo(buffer[:n], from) // the sender may be gone
		}
	}()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("echo: %w", err)
		}
		go func() {
			defer conn.Close()
			_, _ = io.Copy(conn, conn) // until the other end hangs up
		}()
	}
}
