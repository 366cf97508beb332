package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Way is how users reach the system.
type Way struct {
	Entry string   `json:"entry"`         // base URL
	CA    string   `json:"ca,omitempty"`  // trusted CA certificates, as PEM; empty for the machine's own
	DNS   []string `json:"dns,omitempty"` // addresses of DNS servers; empty for the machine's own
	// Environ are the environment variables of gameday that journeys may use.
	Environ map[string]string `json:"environ,omitempty"`
}

// transport uses only HTTP/1.1: Go's HTTP/2 keeps using a silently dead connection for
// minutes.
func (w Way) transport(timeout time.Duration) (*http.Transport, error) {
	trusted, err := w.trusted()
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy:           nil, // users connect directly
		DialContext:     w.dialer(&net.Dialer{Timeout: timeout}),
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: trusted},
		TLSNextProto:    map[string]func(string, *tls.Conn) http.RoundTripper{},
		// A user that gives up does not end the handshake. Without a limit, a server that
		// never answers it would take all of gameday's descriptors.
		TLSHandshakeTimeout:    timeout,
		MaxResponseHeaderBytes: maxHead,
		DisableCompression:     true,
		MaxIdleConns:           0,
		MaxIdleConnsPerHost:    10_000,
		IdleConnTimeout:        90 * time.Second,
	}, nil
}

// maxHead is the maximum size of a response's headers, in bytes: Chrome's.
const maxHead = 256 << 10

// CheckEntry reports what is wrong with the base URL of journeys.
func CheckEntry(entry string) error {
	return CheckBase(entry, "set an Authorization header in the journey's steps")
}

// CheckBase reports what is wrong with a base URL. It refuses the parts of a URL that are
// never sent, and does not repeat a password: instead says where that belongs.
func CheckBase(base, instead string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("found %q, expected a base URL such as https://staging.shop.example", shown(base))
	case u.User != nil:
		return fmt.Errorf("found %q, expected a URL without a user and password, which are never sent: %s", shown(base), instead)
	case strings.ContainsAny(base, "?#"):
		return fmt.Errorf("found %q, expected a URL without ? and #, because the path of a request is added to it", shown(base))
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("found %q, expected a port from 1 to 65535", shown(base))
		}
	}
	return nil
}

// shown is a URL, valid or not, without its user and password, and without its query,
// which may be secret too.
func shown(entry string) string {
	if at := strings.LastIndex(entry, "@"); at >= 0 {
		scheme := ""
		if slashes := strings.Index(entry[:at], "//"); slashes >= 0 {
			scheme = entry[:slashes+len("//")]
		}
		entry = scheme + "…" + entry[at:]
	}
	if before, _, ok := strings.Cut(entry, "?"); ok {
		entry = before + "?…"
	}
	return entry
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
		resolver := &net.Resolver{PreferGo: true, Dial: func(within context.Context, network, _ string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(within, network, withPort(server, "53"))
			if err == nil {
				context.AfterFunc(ctx, func() { _ = conn.Close() }) // else a silent server would be listened to for seconds
			}
			return conn, err
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
