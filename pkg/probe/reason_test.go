package probe_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// Errors of one kind are one class, at any time and for every user (L19).
func TestClassesOfErrors(t *testing.T) {
	t.Parallel()
	read := func(from int, err error) error {
		return &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: from}, Err: os.NewSyscallError("read", err)}
	}
	untrusted := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	for want, errs := range map[string][]error{
		"timeout":                        {context.DeadlineExceeded, read(1, os.ErrDeadlineExceeded), &net.DNSError{Err: "i/o timeout", IsTimeout: true}},
		"connection closed":              {io.EOF, fmt.Errorf("read the response: %w", io.ErrUnexpectedEOF), errors.New("http: server closed idle connection")},
		"read: connection reset by peer": {read(41234, syscall.ECONNRESET), fmt.Errorf("net/http: %w", read(5, syscall.ECONNRESET))},
		"look up the name: no such host": {
			&net.DNSError{Err: "no such host", Name: "shop", Server: "127.0.0.11:53"}, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "db"}},
		},
		"look up the name: read udp …->…: read: connection refused": {
			&net.DNSError{Err: "read udp 127.0.0.1:41234->127.0.0.53:53: read: connection refused"}, &net.DNSError{Err: "read udp [::1]:41235->[fe80::1%eth0]:53: read: connection refused"},
		},
		"tls: the certificate has expired or is not yet valid": {
			untrusted(x509.CertificateInvalidError{Reason: x509.Expired, Detail: "current time 2026-11-30T01:00:00Z is after 2026-11-29T00:00:00Z"}),
			untrusted(x509.CertificateInvalidError{Reason: x509.Expired, Detail: "current time 2026-11-30T01:00:01Z is after 2026-11-29T00:00:00Z"}),
		},
		"tls: the certificate is for another name": {
			untrusted(x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"\x1b[2J", "@org/team"}}, Host: "a"}),
			untrusted(x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"b"}}, Host: "c"}),
		},
		"tls: the certificate is signed by an unknown authority": {untrusted(x509.UnknownAuthorityError{})},
		"tls: the certificate is invalid":                        {untrusted(x509.CertificateInvalidError{Reason: x509.NameMismatch}), untrusted(errors.New("x"))},
		"tls: server selected version …": {
			errors.New("tls: server selected version 0a0b"), errors.New("tls: server selected version 7f1c"), errors.New("tls: server selected version 0x12345"),
		},
		"malformed HTTP version …": {
			errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP version "a\"b"`), errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP version "c`),
		},
		"a?[31mb":                  {errors.New("a\x1b[31mb")},
		"status 503, expected 200": {errors.New("status 503, expected 200")},
	} {
		for _, err := range errs {
			if found := probe.Reason(err); found != want {
				t.Errorf("%v: found %q, expected %q", err, found, want)
			}
		}
	}
	if long := probe.Reason(errors.New(strings.Repeat("ä", 1000))); len(long) > 210 {
		t.Errorf("a text of %d bytes", len(long))
	}
}

// Whatever a server sends, its users have one class of errors, which repeats nothing of
// it (L19, M5).
func TestClassesOfMalformedResponses(t *testing.T) {
	t.Parallel()
	const secret = "S3CRET"
	for _, head := range []string{
		"HTTP/1.1 200 OK\r\nSet-Cookie session-S3CRET%d\r\n\r\n",
		"HTTP/1.1 200 OK\r\n S3CRET%d: x\r\n\r\n",
		"S3CRET%d\r\n\r\n",
		"S3CRET/1.1 200 OK%d\r\n\r\n",
		"HTTP/1.1 S3CRET%d OK\r\n\r\n",
		"HTTP/S3CRET%d 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: S3CRET%d\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2%d\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: S3CRET%d\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nS3CRET%d\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nS3CRET%d\r\n\r\n",
	} {
		var n atomic.Int64
		entry := hostile(t, func(c net.Conn) { _, _ = fmt.Fprintf(c, head, time.Now().UnixNano()+n.Add(1)) })
		classes := map[string]int{}
		for _, v := range walk(t, probe.Journey{Name: "j", Timeout: 5 * time.Second, Steps: []probe.Step{{Name: "s", Get: "/"}}}, entry, 50, 200*time.Millisecond) {
			classes[v.Sample.Error]++
			if v.Sample.Error == "" || strings.Contains(v.Sample.Error, secret) {
				t.Errorf("%q: found %q", head, v.Sample.Error)
			}
		}
		if len(classes) != 1 {
			t.Errorf("%q: found %d classes, expected 1: %v", head, len(classes), classes)
		}
	}
}

// What a step captured is not in the error of a request that cannot be made of it (M5).
func TestErrorsDoNotRepeatTheRequest(t *testing.T) {
	t.Parallel()
	server := answering(t, http.StatusOK, `{"line": "x\r\nHost: TOPSECRET", "percent": "%zzTOPSECRET"}`)
	for name, c := range map[string]struct {
		step probe.Step
		want string
	}{
		"a line break in a path":   {probe.Step{Name: "b", Get: "/{{.line}}?token=TOPSECRET"}, "b: the path is not a valid URL path"},
		"an escape in a path":      {probe.Step{Name: "b", Get: "/{{.percent}}"}, "b: the path is not a valid URL path"},
		"a line break in a header": {probe.Step{Name: "b", Get: "/", Headers: map[string]string{"X-A": "{{.line}}"}}, "b: header X-A contains a control character"},
		"a line break in a host":   {probe.Step{Name: "b", Get: "/", Headers: map[string]string{"Host": "{{.line}}"}}, "b: header Host contains a control character"},
	} {
		v := one(t, server, probe.Step{Name: "a", Get: "/", Capture: map[string]probe.Capture{"line": {JSON: "$.line"}, "percent": {JSON: "$.percent"}}}, c.step)
		if !strings.HasPrefix(v.Sample.Error, c.want) || strings.Contains(v.Sample.Error, "TOPSECRET") {
			t.Errorf("%s: found %q, expected %q", name, v.Sample.Error, c.want)
		}
	}
}
