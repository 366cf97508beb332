package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Way is how users reach the system.
type Way struct {
	Entry string   `json:"entry"`         // base URL
	CA    string   `json:"ca,omitempty"`  // trusted CA certificates, as PEM; empty for the machine's own
	DNS   []string `json:"dns,omitempty"` // addresses of DNS servers; empty for the machine's own
}

// transport uses only HTTP/1.1: Go's HTTP/2 keeps using a silently dead connection for
// minutes.
func (w Way) transport(timeout time.Duration) (*http.Transport, error) {
	trusted, err := w.trusted()
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy:               nil, // users connect directly
		DialContext:         w.dialer(&net.Dialer{Timeout: timeout}),
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: trusted},
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{},
		DisableCompression:  true,
		MaxIdleConns:        0,
		MaxIdleConnsPerHost: 10_000,
		IdleConnTimeout:     90 * time.Second,
	}, nil
}

func (w Way) trusted() (*x509.CertPool, error) {
	if w.CA == "" {
		return nil, nil //nolint:nilnil // nil means the machine's own in crypto/tls
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(w.CA)) {
		return nil, errors.New("the file of trusted CAs contains no certificate in PEM")
	}
	return pool, nil
}

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialer looks up names for every connection and caches nothing, so that users notice
// when DNS servers or records change.
func (w Way) dialer(plain *net.Dialer) dial {
	if len(w.DNS) == 0 {
		return plain.DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil || net.ParseIP(host) != nil {
			return plain.DialContext(ctx, network, address)
		}
		ctx, cancel := context.WithTimeout(ctx, plain.Timeout)
		defer cancel()
		found, err := w.lookUp(ctx, host)
		if err != nil {
			return nil, err
		}
		var errs []error
		for _, ip := range found {
			conn, err := plain.DialContext(ctx, network, net.JoinHostPort(ip, port))
			if err == nil {
				return conn, nil
			}
			errs = append(errs, err)
		}
		return nil, errors.Join(errs...)
	}
}

// lookUp queries all servers at once. The first good response counts.
func (w Way) lookUp(ctx context.Context, host string) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		found []string
		err   error
	}
	answers := make(chan answer, len(w.DNS))
	for _, server := range w.DNS {
		resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, withPort(server, "53"))
		}}
		go func() {
			found, err := resolver.LookupHost(ctx, strings.TrimSuffix(host, ".")+".")
			answers <- answer{found, err}
		}()
	}
	var errs []error
	for range w.DNS {
		a := <-answers
		if a.err == nil {
			return a.found, nil
		}
		errs = append(errs, a.err)
	}
	return nil, fmt.Errorf("look up %s: %w", host, errors.Join(errs...))
}

func withPort(address, port string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(address, port)
}
