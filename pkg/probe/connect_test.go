package probe_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return a
}

// signs makes a certificate of a name that ends after a time, and its key.
func (a authority) signs(t *testing.T, name string, ends time.Duration) (cert, key string) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(ends),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, own.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes}))
}

// says answers with the protocol and the client's address.
func says(w http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	fmt.Fprintf(w, "%s %s", r.Proto, host)
}

// secureShop is a server of TLS. configure may be nil.
func secureShop(t *testing.T, cert, key string, configure func(*httptest.Server)) (port string) {
	t.Helper()
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(says))
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // the TLS errors are intended
	if configure != nil {
		configure(s)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	_, port, _ = net.SplitHostPort(s.Listener.Addr().String())
	return port
}

// ask sends users on a way, and returns the reason of the first one's failure: with
// connections that they share, and with their own.
func ask(t *testing.T, w probe.Way, contains string) string {
	t.Helper()
	var all []string
	for _, connections := range []string{"reuse", "fresh"} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		j := probe.Journey{
			Name: "j", Timeout: 5 * time.Second, Connections: connections,
			Steps: []probe.Step{{Name: "s", Get: "/", Expect: probe.Expect{Contains: probe.Texts{contains}}}},
		}
		found := "no user"
		err := probe.Load{Journey: j, Way: w, Rate: probe.Rate{Users: 50, Per: time.Second}, Seed: 1}.Run(ctx, func(v probe.Visit) {
			if found == "no user" {
				found = v.Sample.Error
			}
			cancel()
		})
		cancel()
		if err != nil {
			found = err.Error()
		}
		if len(all) == 0 || all[0] != found {
			all = append(all, found)
		}
	}
	return strings.Join(all, ", but with fresh connections ")
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	cert, key := ca.signs(t, "shop.example", time.Hour)
	expired, expiredKey := ca.signs(t, "shop.example", -time.Minute)
	own, ownKey := ca.signs(t, "user", time.Hour)
	stranger, strangerKey := other.signs(t, "user", time.Hour)

	plain := secureShop(t, cert, key, nil)
	late := secureShop(t, expired, expiredKey, nil)
	known := secureShop(t, cert, key, func(s *httptest.Server) {
		s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		s.TLS.ClientCAs.AddCert(ca.cert)
		s.EnableHTTP2 = true
	})
	here := map[string]string{"shop.example": "127.0.0.1"}
	for name, c := range map[string]struct {
		port string
		way  probe.Way
		want string
	}{
		"trusted":                       {plain, probe.Way{CA: ca.pem, Resolve: here}, ""},
		"fresh name and port":           {plain, probe.Way{CA: ca.pem, Resolve: map[string]string{"SHOP.example:" + plain: "127.0.0.1", "shop.example": "127.0.0.9"}}, ""},
		"another CA":                    {plain, probe.Way{CA: other.pem, Resolve: here}, "s: tls: the certificate is signed by an unknown authority"},
		"the machine's CAs":             {plain, probe.Way{Resolve: here}, "s: tls: the certificate is signed by an unknown authority"},
		"another name":                  {plain, probe.Way{CA: ca.pem, Resolve: here, ServerName: "api.example"}, "s: tls: the certificate is for another name"},
		"the name of the certificate":   {plain, probe.Way{Entry: "https://127.0.0.1:", CA: ca.pem, ServerName: "shop.example"}, ""},
		"expired":                       {late, probe.Way{CA: ca.pem, Resolve: here}, "s: tls: the certificate has expired or is not yet valid"},
		"expired, insecure":             {late, probe.Way{Resolve: here, Insecure: true}, ""},
		"another name, insecure":        {plain, probe.Way{Entry: "https://127.0.0.1:", Insecure: true}, ""},
		"a client certificate":          {known, probe.Way{CA: ca.pem, Resolve: here, Certificate: own, Key: ownKey}, ""},
		"a client certificate, HTTP/2":  {known, probe.Way{CA: ca.pem, Resolve: here, Certificate: own, Key: ownKey, HTTP2: true}, ""},
		"no client certificate":         {known, probe.Way{CA: ca.pem, Resolve: here}, "s: remote error: tls: certificate required"},
		"a stranger's certificate":      {known, probe.Way{CA: ca.pem, Resolve: here, Certificate: stranger, Key: strangerKey}, "s: remote error: tls: unknown certificate authority"},
		"a key of another certificate":  {known, probe.Way{CA: ca.pem, Certificate: own, Key: strangerKey}, "journey j: the users' certificate and key do not belong together"},
		"an address that is not here":   {plain, probe.Way{CA: ca.pem, Source: "192.0.2.1"}, "journey j: source: 192.0.2.1 is not an address of the machine that users come from"},
		"a server without TLS speaking": {plain, probe.Way{Entry: "http://127.0.0.1:"}, "s: status 400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.way.Entry == "" {
				c.way.Entry = "https://shop.example:"
			}
			c.way.Entry += c.port
			found := ask(t, c.way, "")
			if c.want == "" && found != "" || !strings.HasPrefix(found, c.want) {
				t.Errorf("found %q, expected %q", found, c.want)
			}
		})
	}
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert, key := ca.signs(t, "shop.example", time.Hour)
	both := secureShop(t, cert, key, func(s *httptest.Server) { s.EnableHTTP2 = true })
	only1 := secureShop(t, cert, key, nil)
	clear2 := httptest.NewUnstartedServer(http.HandlerFunc(says))
	clear2.Config.Protocols = new(http.Protocols)
	clear2.Config.Protocols.SetUnencryptedHTTP2(true)
	clear2.Start()
	t.Cleanup(clear2.Close)
	secure := func(port string, http2 bool) probe.Way {
		return probe.Way{Entry: "https://shop.example:" + port, CA: ca.pem, Resolve: map[string]string{"shop.example": "127.0.0.1"}, HTTP2: http2}
	}
	for name, c := range map[string]struct {
		way            probe.Way
		contains, want string
	}{
		"as declared":                     {secure(both, true), "HTTP/2.0", ""},
		"HTTP/1.1 unless declared":        {secure(both, false), "HTTP/1.1", ""},
		"a server without HTTP/2":         {secure(only1, true), "", "s: the server does not speak HTTP/2 (http2: true)"},
		"without TLS":                     {probe.Way{Entry: clear2.URL, HTTP2: true}, "HTTP/2.0", ""},
		"without TLS, and without HTTP/2": {probe.Way{Entry: shop(t, nil).URL, HTTP2: true}, "", "s: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found := ask(t, c.way, c.contains); !strings.HasPrefix(found, c.want) || c.want == "" && found != "" {
				t.Errorf("found %q, expected %q", found, c.want)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	four := httptest.NewServer(http.HandlerFunc(says))
	t.Cleanup(four.Close)
	_, port, _ := net.SplitHostPort(four.Listener.Addr().String())
	six := httptest.NewUnstartedServer(http.HandlerFunc(says))
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = six.Listener.Close()
	six.Listener = l
	six.Start()
	t.Cleanup(six.Close)
	for name, c := range map[string]struct {
		way            probe.Way
		contains, want string
	}{
		"from another address": {probe.Way{Entry: four.URL, Source: "127.0.0.7"}, "127.0.0.7", ""},
		"by IPv4":              {probe.Way{Entry: "http://localhost:" + port, IP: 4}, "127.0.0.1", ""},
		"by IPv6":              {probe.Way{Entry: six.URL, IP: 6}, "::1", ""},
		"an IPv6 literal":      {probe.Way{Entry: six.URL}, "::1", ""},
		"a name at an IPv6 address": {
			probe.Way{Entry: strings.Replace(six.URL, "[::1]", "shop.example", 1), Resolve: map[string]string{"shop.example": "::1"}}, "::1", "",
		},
		"the other family": {probe.Way{Entry: four.URL, IP: 6}, "", "s: dial: address …: no suitable address found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found := ask(t, c.way, c.contains); !strings.HasPrefix(found, c.want) || c.want == "" && found != "" {
				t.Errorf("found %q, expected %q", found, c.want)
			}
		})
	}
}

// proxied passes on what users of an HTTP proxy send, and counts.
func proxied(t *testing.T) (*httptest.Server, chan string) {
	t.Helper()
	through := make(chan string, 1000)
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through <- r.Method + " " + r.Header.Get("Proxy-Authorization")
		if r.Method != http.MethodConnect {
			fmt.Fprint(w, "the proxy")
			return
		}
		_, port, _ := net.SplitHostPort(r.Host)
		far, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", "127.0.0.1:"+port) // it looks the name up
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		near, _, _ := http.NewResponseController(w).Hijack()
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		pipe(t, near, far)
	}))
	t.Cleanup(p.Close)
	return p, through
}

// pipe connects two connections until one ends.
func pipe(t *testing.T, near, far net.Conn) {
	t.Helper()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			buffer := make([]byte, 64<<10)
			for {
				n, err := way[0].Read(buffer)
				if _, failed := way[1].Write(buffer[:n]); err != nil || failed != nil {
					break
				}
			}
			_, _ = near.Close(), far.Close()
			done <- struct{}{}
		}()
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close(); <-done; <-done })
}

func TestProxies(t *testing.T) { //nolint:paralleltest // it sets variables of the environment
	ca := newAuthority(t)
	cert, key := ca.signs(t, "shop.example", time.Hour)
	port := secureShop(t, cert, key, func(s *httptest.Server) { s.EnableHTTP2 = true })
	proxy, through := proxied(t)
	with := strings.Replace(proxy.URL, "http://", "http://bob:s3cret@", 1)
	for _, variable := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(variable, proxy.URL)
	}
	secure := probe.Way{Entry: "https://shop.example:" + port, CA: ca.pem, Proxy: with}
	http2 := secure
	http2.HTTP2 = true
	direct := probe.Way{Entry: secure.Entry, CA: ca.pem, Resolve: map[string]string{"shop.example": "127.0.0.1"}}
	for _, c := range []struct { //nolint:paralleltest // they share the proxy's log
		name      string
		way       probe.Way
		contains  string
		what      string
		wantError string
	}{
		{"TLS", secure, "HTTP/1.1", "CONNECT Basic Ym9iOnMzY3JldA==", ""},
		{"TLS and HTTP/2", http2, "HTTP/2.0", "CONNECT Basic Ym9iOnMzY3JldA==", ""},
		{"without TLS", probe.Way{Entry: "http://shop.example", Proxy: proxy.URL}, "the proxy", "GET ", ""},
		{"variables have no effect", direct, "HTTP/1.1", "", ""},
		{"no proxy is there", probe.Way{Entry: "http://shop.example", Proxy: "socks5://127.0.0.1:1"}, "", "", "s: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := ask(t, c.way, c.contains)
			if !strings.HasPrefix(found, c.wantError) || c.wantError == "" && found != "" || strings.Contains(found, "s3cret") {
				t.Errorf("found %q, expected %q", found, c.wantError)
			}
			what := ""
			for len(through) > 0 {
				what = <-through
			}
			if what != c.what {
				t.Errorf("the proxy saw %q, expected %q", what, c.what)
			}
		})
	}
}

func TestChecksOfConnect(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		connect probe.Connect
		entry   string
		want    string
	}{
		"all at once":         {probe.Connect{CA: "a", Certificate: "b", Key: "c", ServerName: "shop.example", HTTP2: true, Resolve: map[string]string{"shop.example:443": "10.0.0.1", "a": "[::1]"}, Source: "10.0.0.9"}, "", ""},
		"socks":               {probe.Connect{Proxy: "socks5://a:b@proxy.example:1080"}, "", ""},
		"no key":              {probe.Connect{Certificate: "a"}, "", "key: missing"},
		"no certificate":      {probe.Connect{Key: "a"}, "", "certificate: missing"},
		"insecure with ca":    {probe.Connect{Insecure: true, CA: "a"}, "", "insecure: any certificate is trusted"},
		"insecure with name":  {probe.Connect{Insecure: true, ServerName: "a"}, "", "insecure: any certificate is trusted"},
		"server name":         {probe.Connect{ServerName: "https://a"}, "", `server_name: found "https://a"`},
		"server name, port":   {probe.Connect{ServerName: "a:443"}, "", `server_name: found "a:443"`},
		"proxy":               {probe.Connect{Proxy: "proxy.example:3128"}, "", "proxy: found"},
		"proxy's kind":        {probe.Connect{Proxy: "ftp://a:b@proxy.example"}, "", `proxy: found "ftp://…@proxy.example"`},
		"proxy's path":        {probe.Connect{Proxy: "http://proxy.example/a"}, "", "proxy: found"},
		"https and HTTP/2":    {probe.Connect{Proxy: "https://proxy.example", HTTP2: true}, "", "proxy: found an https:// proxy with http2"},
		"resolve a URL":       {probe.Connect{Resolve: map[string]string{"http://a": "10.0.0.1"}}, "", "resolve: found the name"},
		"resolve an address":  {probe.Connect{Resolve: map[string]string{"10.0.0.2": "10.0.0.1"}}, "", "resolve: found the name"},
		"resolve to a name":   {probe.Connect{Resolve: map[string]string{"a": "b"}}, "", `resolve: a: found "b", expected an IP address`},
		"resolve, a port":     {probe.Connect{Resolve: map[string]string{"a:0": "10.0.0.1"}}, "", "resolve: found the name"},
		"resolve, proxied":    {probe.Connect{Resolve: map[string]string{"Shop.example": "10.0.0.1"}, Proxy: "http://p"}, "", "resolve: Shop.example: the proxy looks this name up"},
		"resolve, the proxy":  {probe.Connect{Resolve: map[string]string{"p": "10.0.0.1"}, Proxy: "http://p"}, "", ""},
		"resolve, family":     {probe.Connect{Resolve: map[string]string{"a": "10.0.0.1"}, IP: 6}, "", "resolve: a: found 10.0.0.1, but ip is 6"},
		"source":              {probe.Connect{Source: "eth0"}, "", `source: found "eth0"`},
		"source's family":     {probe.Connect{Source: "10.0.0.1", IP: 6}, "", "source: found 10.0.0.1, but ip is 6"},
		"the entry's family":  {probe.Connect{IP: 4}, "http://[::1]:80", "ip: found 4, but the entry is ::1"},
		"source and entry":    {probe.Connect{Source: "::1"}, "http://10.0.0.1", "source: found ::1, which cannot connect to the entry's 10.0.0.1"},
		"IPv6 of all of them": {probe.Connect{Source: "::1", IP: 6}, "https://[::1]:8443", ""},
	} {
		var found []string
		entry := c.entry
		if entry == "" {
			entry = "https://shop.example"
		}
		c.connect.Check(entry, func(key, format string, args ...any) { found = append(found, key+": "+fmt.Sprintf(format, args...)) })
		if got := strings.Join(found, "\n"); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: found %q, expected %q", name, got, c.want)
		}
	}
}

func TestFilesOfConnect(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	cert, key := ca.signs(t, "user", time.Hour)
	_, wrong := other.signs(t, "user", time.Hour)
	files := map[string]string{"ca.pem": ca.pem, "user.pem": cert, "user.key": key, "wrong.key": wrong, "rubbish": "rubbish"}
	beside := func(path string) ([]byte, error) {
		content, ok := files[path]
		if !ok {
			return nil, errors.New("no file " + path)
		}
		return []byte(content), nil
	}
	for name, c := range map[string]struct {
		connect *probe.Connect
		want    string
	}{
		"none":        {nil, ""},
		"all":         {&probe.Connect{CA: "ca.pem", Certificate: "user.pem", Key: "user.key"}, ""},
		"not there":   {&probe.Connect{CA: "a.pem", Certificate: "user.pem", Key: "b.key"}, "ca: no file a.pem\nkey: no file b.key"},
		"no CA":       {&probe.Connect{CA: "rubbish"}, "ca: rubbish: the file of trusted CAs contains no certificate in PEM"},
		"another key": {&probe.Connect{Certificate: "user.pem", Key: "wrong.key"}, "certificate and key: user.pem and wrong.key: private key does not match public key"},
		"no key":      {&probe.Connect{Certificate: "user.pem", Key: "rubbish"}, "certificate and key: user.pem and rubbish: failed to find any PEM data in key input"},
	} {
		err := c.connect.Read(beside)
		if got := fmt.Sprint(err); c.want != "" && got != c.want || c.want == "" && err != nil {
			t.Errorf("%s: found %q, expected %q", name, got, c.want)
		}
	}
	c := &probe.Connect{CA: "ca.pem", Certificate: "user.pem", Key: "user.key", Proxy: "http://bob:hunter2@p", Insecure: true, IP: 4}
	if err := c.Read(beside); err != nil {
		t.Fatal(err)
	}
	way := c.Apply(probe.Way{Entry: "https://a"})
	if way.CA != ca.pem || way.Certificate != cert || way.Key != key || !way.Insecure {
		t.Errorf("%+v", way)
	}
	facts := strings.Join(way.Facts(), "\n")
	if want := "certificates are not verified (insecure: true)\nwith a client certificate\nthrough the proxy http://…@p\nby IPv4 only"; facts != want {
		t.Errorf("found %q, expected %q", facts, want)
	}
	for _, secret := range append(strings.Split(key, "\n")[1:3], "hunter2") {
		if secret == "" || strings.Contains(strings.Join(c.Secrets(), "\n"), secret) {
			continue
		}
		t.Errorf("%q is no secret", secret)
	}
	way = (&probe.Connect{CAPEM: "x", CertificatePEM: "c", KeyPEM: "k", Insecure: true, Proxy: "http://p", IP: 6, Resolve: map[string]string{"a": "::1"}, HTTP2: true, Source: "::1", ServerName: "b"}).Apply(way)
	data, err := json.Marshal(way) // as it goes to a load worker
	var far probe.Way
	if err = errors.Join(err, json.Unmarshal(data, &far)); err != nil || !reflect.DeepEqual(way, far) {
		t.Errorf("%+v arrives as %+v: %v", way, far, err)
	}
	if there := c.From().Apply(probe.Way{}); there.Proxy != "" || there.IP != 0 || there.Key != key || !there.Insecure {
		t.Errorf("%+v", there)
	}
}
