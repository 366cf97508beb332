package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialer looks up names for every connection and caches nothing, so that users notice
// when DNS servers or records change; but for users who keep addresses for ever.
func (w Way) dialer(plain *net.Dialer) dial {
	if len(w.DNS) == 0 && len(w.Resolve) == 0 && w.Source == "" && w.IP == 0 && w.forever == nil {
		return plain.DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		from := w.from(plain, network)
		if w.IP != 0 {
			network += strconv.Itoa(w.IP)
		}
		address = w.resolved(address)
		host, port, err := net.SplitHostPort(address)
		if err != nil || net.ParseIP(host) != nil || len(w.DNS) == 0 && w.forever == nil {
			return from.DialContext(ctx, network, address)
		}
		ctx, cancel := context.WithTimeout(ctx, plain.Timeout)
		defer cancel()
		found, err := w.addresses(ctx, host)
		if err != nil {
			return nil, err
		}
		return reach{from.DialContext, network, port}.any(ctx, suitable(found, network, w.Source))
	}
}

// addresses are those of a host name: of now, or those that users keep for ever.
func (w Way) addresses(ctx context.Context, host string) ([]string, error) {
	if w.forever == nil {
		return w.lookUp(ctx, host)
	}
	look := w.lookUp
	if len(w.DNS) == 0 {
		look = net.DefaultResolver.LookupHost
	}
	return w.forever.lookUp(ctx, host, look)
}

// from is a dialer that connects from the declared address.
func (w Way) from(plain *net.Dialer, network string) *net.Dialer {
	if w.Source == "" {
		return plain
	}
	from := *plain
	from.LocalAddr = &net.TCPAddr{IP: net.ParseIP(w.Source)}
	if strings.HasPrefix(network, "udp") {
		from.LocalAddr = &net.UDPAddr{IP: net.ParseIP(w.Source)}
	}
	return &from
}

// resolved is an address with the declared IP address of its name, if there is one.
func (w Way) resolved(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	host = strings.TrimSuffix(host, ".")
	for _, name := range []string{host + ":" + port, host} {
		for declared, ip := range w.Resolve {
			if strings.EqualFold(declared, name) {
				return net.JoinHostPort(strings.Trim(ip, "[]"), port)
			}
		}
	}
	return address
}

// reach connects to addresses of one name as a net.Dialer does that has looked the name up
// itself.
type reach struct {
	connect dial
	network string
	port    string
}

// errNoAddress is the error of a name without an address of the family that users connect by.
var errNoAddress = errors.New("no suitable address found")

// suitable are those of the addresses of a name that can be connected to by a network, such
// as tcp4, and from an address; "" is any.
func suitable(found []string, network, source string) []string {
	from, err := netip.ParseAddr(source)
	bound := err == nil
	return slices.DeleteFunc(slices.Clone(found), func(address string) bool {
		four := isIPv4(address)
		return strings.HasSuffix(network, "4") && !four || strings.HasSuffix(network, "6") && four ||
			bound && from.Unmap().Is4() != four
	})
}

func isIPv4(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.Unmap().Is4()
}

// fallbackDelay is how long the family of the first address is alone: that of net.Dialer.
const fallbackDelay = 300 * time.Millisecond

// any connects to the first address that answers. Those of IPv4 and of IPv6 race, as RFC 6555
// has it; the family of the first address has a start.
func (r reach) any(ctx context.Context, addresses []string) (net.Conn, error) {
	if len(addresses) == 0 {
		return nil, &net.OpError{Op: "dial", Net: r.network, Err: errNoAddress}
	}
	var families [2][]string
	for _, a := range addresses {
		of := 0
		if r.network == "tcp" && isIPv4(a) != isIPv4(addresses[0]) {
			of = 1
		}
		families[of] = append(families[of], a)
	}
	if len(families[1]) == 0 {
		return r.inTurn(ctx, addresses)
	}
	return r.race(ctx, families)
}

// race returns when both families have ended.
func (r reach) race(ctx context.Context, families [2][]string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		net.Conn

		err error
		of  int
	}
	results, failed := make(chan result), make(chan struct{})
	go func() {
		conn, err := r.inTurn(ctx, families[0])
		if err != nil {
			close(failed)
		}
		results <- result{conn, err, 0}
	}()
	go func() {
		start := time.NewTimer(fallbackDelay)
		defer start.Stop()
		select {
		case <-start.C:
		case <-failed:
		case <-ctx.Done():
		}
		conn, err := r.inTurn(ctx, families[1])
		results <- result{conn, err, 1}
	}()
	var won net.Conn
	var errs [2]error
	for range families {
		switch met := <-results; {
		case met.err != nil:
			errs[met.of] = met.err
		case won == nil:
			won = met.Conn
			cancel()
		default:
			_ = met.Close() // it came too late
		}
	}
	if won == nil {
		return nil, errs[0]
	}
	return won, nil
}

// inTurn connects to addresses, one after the other. The error is that of the first one.
func (r reach) inTurn(ctx context.Context, addresses []string) (net.Conn, error) {
	var first error
	for i, address := range addresses {
		conn, err := r.within(ctx, len(addresses)-i, net.JoinHostPort(address, r.port))
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if deadline, ok := ctx.Deadline(); ctx.Err() != nil || ok && time.Until(deadline) <= 0 {
			break
		}
	}
	return nil, first
}

// leastTime is how long an address is tried at least, if so much time is left: that of
// net.Dialer.
const leastTime = 2 * time.Second

// within connects to an address in its part of the time: left addresses share what remains.
// Else one that does not answer would take the time of all others.
func (r reach) within(ctx context.Context, left int, address string) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		part := max(time.Until(deadline)/time.Duration(left), leastTime) // ctx may end before
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, part)
		defer cancel()
	}
	return r.connect(ctx, r.network, address)
}
