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

	// What follows is as in [Connect], with the content of files as PEM.
	Certificate string            `json:"certificate,omitempty"`
	Key         string            `json:"key,omitempty"`
	ServerName  string            `json:"server_name,omitempty"`
	Insecure    bool              `json:"insecure,omitempty"`
	Resolve     map[string]string `json:"resolve,omitempty"`
	HTTP2       bool              `json:"http2,omitempty"`
	Proxy       string            `json:"proxy,omitempty"`
	Source      string            `json:"source,omitempty"`
	IP          int               `json:"ip,omitempty"`

	forever *forever // the addresses that users keep; nil if they look names up
}

// How long an HTTP/2 connection may be silent before a ping, and how long the ping may take.
// Without pings, Go keeps using a silently dead connection for minutes. Together they are
// the default timeout of a journey, after which HTTP/1.1 gives a connection up.
const (
	pingAfter  = time.Second
	pingWithin = time.Second
)

// transport uses HTTP/1.1 unless the way says HTTP/2.
func (w Way) transport(timeout time.Duration) (*http.Transport, error) {
	secure, err := w.secure()
	if err == nil {
		err = w.checkSource()
	}
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		Proxy:           nil, // users connect directly
		DialContext:     w.dialer(&net.Dialer{Timeout: timeout}),
		TLSClientConfig: secure,
		// A user that gives up does not end the handshake. Without a limit, a server that
		// never answers it would take all of gameday's descriptors.
		TLSHandshakeTimeout:    timeout,
		MaxResponseHeaderBytes: maxHead,
		DisableCompression:     true,
		MaxIdleConns:           0,
		MaxIdleConnsPerHost:    10_000,
		IdleConnTimeout:        90 * time.Second,
	}
	if w.Proxy != "" {
		proxy, err := url.Parse(w.Proxy)
		if err != nil {
			return nil, fmt.Errorf("the proxy %s is not a URL", shown(w.Proxy))
		}
		t.Proxy = http.ProxyURL(proxy)
	}
	if !w.HTTP2 {
		t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
		return t, nil
	}
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP2(true)
	t.Protocols.SetUnencryptedHTTP2(true)
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingWithin}
	secure.VerifyConnection = func(s tls.ConnectionState) error {
		if s.NegotiatedProtocol != "h2" {
			return errNoHTTP2 // net/http would speak HTTP/1.1
		}
		return nil
	}
	return t, nil
}

// errNoHTTP2 is the error of a server that does not offer HTTP/2.
const errNoHTTP2 = ownError("the server does not speak HTTP/2 (http2: true)")

// secure is the configuration of TLS. It names no server unless the way does.
func (w Way) secure() (*tls.Config, error) {
	pool, err := w.trusted()
	if err != nil {
		return nil, err
	}
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: pool, ServerName: w.ServerName,
		InsecureSkipVerify: w.Insecure, //nolint:gosec // G402: declared, and stated in plans and reports
	}
	if w.Certificate != "" || w.Key != "" {
		own, err := tls.X509KeyPair([]byte(w.Certificate), []byte(w.Key))
		if err != nil {
			return nil, errors.New("the users' certificate and key do not belong together")
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c, nil
}

// checkSource is an error if users cannot connect from the declared address. Each of them
// would else fail by gameday's own fault.
func (w Way) checkSource() error {
	if w.Source == "" {
		return nil
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(w.Source)})
	if err != nil {
		return fmt.Errorf("source: %s is not an address of the machine that users come from", w.Source)
	}
	return conn.Close()
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

func (w Way) trusted() (*x509.CertPool, error) { return trusted(w.CA) }

// trusted are CA certificates as crypto/tls takes them.
func trusted(certificates string) (*x509.CertPool, error) {
	if certificates == "" {
		return nil, nil //nolint:nilnil // nil means the machine's own in crypto/tls
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(certificates)) {
		return nil, errors.New("the file of trusted CAs contains no certificate in PEM")
	}
	return pool, nil
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
