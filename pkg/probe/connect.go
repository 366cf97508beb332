package probe

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Connect is how users connect, beside the base URL.
type Connect struct {
	CA          string            `yaml:"ca,omitempty" jsonschema_description:"A file with the trusted CA certificates, as PEM, beside gameday.yaml (default: those of the machine)."`
	Certificate string            `yaml:"certificate,omitempty" jsonschema_description:"A file with the users' own certificate, as PEM, for servers that ask for one. Needs key."`
	Key         string            `yaml:"key,omitempty" jsonschema_description:"A file with the private key of certificate, as PEM. gameday keeps it in memory only."`
	ServerName  string            `yaml:"server_name,omitempty" jsonschema_description:"The name that users send in the TLS handshake, and that the server's certificate must have (default: the host name of the base URL)."`
	Insecure    bool              `yaml:"insecure,omitempty" jsonschema_description:"Trust any certificate, even an expired one or one of another name. Plans and reports state it."`
	Resolve     map[string]string `yaml:"resolve,omitempty" jsonschema_description:"IP addresses by host name, or by host name and port (shop.example:443), which are not looked up."`
	HTTP2       bool              `yaml:"http2,omitempty" jsonschema_description:"Users speak HTTP/2, also to http:// URLs (h2c). A server that does not is an error. A ping after one second of silence finds a dead connection (default: HTTP/1.1)."`
	Proxy       string            `yaml:"proxy,omitempty" jsonschema_description:"The proxy of the users: http://HOST:PORT, https:// or socks5://. Environment variables such as HTTPS_PROXY have no effect."`
	Source      string            `yaml:"source,omitempty" jsonschema_description:"The IP address of this machine that users connect from."`
	IP          int               `yaml:"ip,omitempty" jsonschema:"enum=4,enum=6" jsonschema_description:"Connect by IPv4 or by IPv6 only (default: by either)."`

	// What the files contain.
	CAPEM          string `yaml:"-" json:"-"`
	CertificatePEM string `yaml:"-" json:"-"`
	KeyPEM         string `yaml:"-" json:"-"`
}

// Read reads the files: their content goes to users, also to those of another machine.
func (c *Connect) Read(beside func(path string) ([]byte, error)) error {
	if c == nil {
		return nil
	}
	var errs []error
	for _, file := range []struct {
		key, path string
		content   *string
	}{{"ca", c.CA, &c.CAPEM}, {"certificate", c.Certificate, &c.CertificatePEM}, {"key", c.Key, &c.KeyPEM}} {
		if file.path == "" {
			continue
		}
		data, err := beside(file.path)
		if err != nil {
			err = fmt.Errorf("%s: %w", file.key, err)
		}
		*file.content, errs = string(data), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if _, err := trusted(c.CAPEM); err != nil {
		return fmt.Errorf("ca: %s: %w", c.CA, err)
	}
	if c.KeyPEM == "" && c.CertificatePEM == "" {
		return nil
	}
	if _, err := tls.X509KeyPair([]byte(c.CertificatePEM), []byte(c.KeyPEM)); err != nil {
		return fmt.Errorf("certificate and key: %s and %s: %s", c.Certificate, c.Key, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return nil
}

// Check reports what is wrong with the settings for users of a base URL, by key.
func (c Connect) Check(entry string, problem func(key, format string, args ...any)) {
	if (c.Certificate == "") != (c.Key == "") {
		missing := map[bool]string{true: "certificate", false: "key"}[c.Certificate == ""]
		problem(missing, "missing: a certificate is of use only with its key: set both, or none")
	}
	if c.Insecure && (c.CA != "" || c.ServerName != "") {
		problem("insecure", "any certificate is trusted, so ca and server_name would not be looked at: remove insecure, or remove them")
	}
	if c.ServerName != "" && !isHost(c.ServerName) {
		problem("server_name", "found %q, expected a host name", c.ServerName)
	}
	c.checkProxy(problem)
	c.checkResolve(entry, problem)
	source := net.ParseIP(c.Source)
	switch {
	case c.Source != "" && source == nil:
		problem("source", "found %q, expected an IP address of this machine", c.Source)
	case source != nil && !isFamily(source, c.IP):
		problem("source", "found %s, but ip is %d: use an address of that family", c.Source, c.IP)
	}
	if u, err := url.Parse(entry); err == nil && c.Proxy == "" {
		switch literal := net.ParseIP(u.Hostname()); {
		case literal == nil:
		case !isFamily(literal, c.IP):
			problem("ip", "found %d, but the entry is %s: use a host name, or remove ip", c.IP, u.Hostname())
		case source != nil && (source.To4() == nil) != (literal.To4() == nil):
			problem("source", "found %s, which cannot connect to the entry's %s: use an address of the same family", c.Source, u.Hostname())
		}
	}
}

func (c Connect) checkProxy(problem func(key, format string, args ...any)) {
	if c.Proxy == "" {
		return
	}
	u, err := url.Parse(c.Proxy)
	switch {
	case err != nil || u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme):
		problem("proxy", "found %q, expected a URL such as http://proxy.example:3128, https:// or socks5://", shown(c.Proxy))
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		problem("proxy", "found %q, expected a URL without a path and a query", shown(c.Proxy))
	case u.Scheme == "https" && (c.HTTP2 || c.ServerName != ""):
		// net/http has one TLS configuration for the proxy and what is behind it.
		problem("proxy", "found an https:// proxy with http2 or server_name, which would be sent to the proxy too: use an http:// or socks5:// proxy, or remove them")
	}
}

func (c Connect) checkResolve(entry string, problem func(key, format string, args ...any)) {
	behind, _ := url.Parse(entry)
	for _, name := range slices.Sorted(maps.Keys(c.Resolve)) {
		host, port := name, ""
		if h, p, err := net.SplitHostPort(name); err == nil {
			host, port = h, p
		}
		ip := net.ParseIP(strings.Trim(c.Resolve[name], "[]"))
		n, err := strconv.ParseUint(cmp.Or(port, "1"), 10, 16)
		switch {
		case !isHost(host) || net.ParseIP(host) != nil || err != nil || n == 0:
			problem("resolve", "found the name %q, expected a host name such as shop.example, or with its port: shop.example:443", name)
		case ip == nil:
			problem("resolve", "%s: found %q, expected an IP address", name, c.Resolve[name])
		case !isFamily(ip, c.IP):
			problem("resolve", "%s: found %s, but ip is %d: use an address of that family", name, ip, c.IP)
		case c.Proxy != "" && behind != nil && strings.EqualFold(host, behind.Hostname()):
			problem("resolve", "%s: the proxy looks this name up, so the address would not be used: remove it, or remove proxy", name)
		}
	}
}

// isHost reports whether a text can be the host name of a URL.
func isHost(name string) bool {
	u, err := url.Parse("https://" + name)
	return err == nil && name != "" && u.Host == name && u.Port() == "" && !strings.ContainsAny(name, ":/ ")
}

// isFamily reports whether an address is of IPv4 or IPv6; 0 is either.
func isFamily(ip net.IP, family int) bool {
	return family == 0 || (ip.To4() != nil) == (family == 4)
}

// From is how users of another network connect, unless it is declared: what is about
// TLS and HTTP, and nothing that is about addresses.
func (c *Connect) From() *Connect {
	if c == nil {
		return nil
	}
	there := *c
	there.Resolve, there.Proxy, there.Source, there.IP = nil, "", "", 0
	return &there
}

// Apply adds the settings to a way.
func (c *Connect) Apply(w Way) Way {
	if c == nil {
		return w
	}
	w.CA = cmp.Or(w.CA, c.CAPEM)
	w.Certificate, w.Key = c.CertificatePEM, c.KeyPEM
	w.ServerName, w.Insecure, w.Resolve, w.HTTP2 = c.ServerName, c.Insecure, c.Resolve, c.HTTP2
	w.Proxy, w.Source, w.IP = c.Proxy, c.Source, c.IP
	return w
}

// Secrets are the texts of the settings that no file may contain: the lines of the key,
// and the password of the proxy.
func (c *Connect) Secrets() (all []string) {
	if c == nil {
		return nil
	}
	for line := range strings.Lines(c.KeyPEM) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "-----") {
			all = append(all, line)
		}
	}
	if u, err := url.Parse(c.Proxy); err == nil {
		if password, ok := u.User.Password(); ok {
			all = append(all, password)
		}
	}
	return all
}

// Facts is what a plan and a report state about a way, a line each. It names no secret.
func (w Way) Facts() (all []string) {
	if w.Insecure {
		all = append(all, "certificates are not verified (insecure: true)")
	}
	if w.Certificate != "" {
		all = append(all, "with a client certificate")
	}
	if w.ServerName != "" {
		all = append(all, "server name "+w.ServerName)
	}
	if w.HTTP2 {
		all = append(all, "HTTP/2")
	}
	for _, name := range slices.Sorted(maps.Keys(w.Resolve)) {
		all = append(all, name+" is "+w.Resolve[name])
	}
	if w.Proxy != "" {
		all = append(all, "through the proxy "+shown(w.Proxy))
	}
	if w.Source != "" {
		all = append(all, "from "+w.Source)
	}
	if w.IP != 0 {
		all = append(all, fmt.Sprintf("by IPv%d only", w.IP))
	}
	return all
}
