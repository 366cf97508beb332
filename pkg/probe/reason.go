package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"syscall"
	"unicode"
)

// ownError is an error in gameday's own words: a failed assertion. It contains nothing
// that differs between users, and nothing of the server's but a status code.
type ownError string

// Error implements error.
func (e ownError) Error() string { return string(e) }

// mismatch is a failed assertion, with what was found.
type mismatch struct {
	ownError

	found string
}

// Unwrap is the class of the error.
func (m mismatch) Unwrap() error { return m.ownError }

const errPath = ownError("the path is not a valid URL path: a captured value has a control character or an invalid % escape")

// ours reports whether an error is the load generator's own and not the system's. The
// error of a lookup contains the one of its socket as a text. EAGAIN is that of a command
// for which the machine has no process.
func ours(err error) bool {
	lookup, isLookup := errors.AsType[*net.DNSError](err)
	for _, own := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.ENOBUFS, syscall.EAGAIN} {
		if errors.Is(err, own) || isLookup && strings.Contains(lookup.Err, own.Error()) {
			return true
		}
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, errNoTurn)
}

// oursInWords is [ours] for the text of an error, in the words of Linux, macOS and Windows:
// no descriptors, ports or buffers are left, or the load was ended.
func oursInWords(text string) bool {
	text = strings.ToLower(text)
	for _, words := range []string{
		"too many open files", "cannot assign requested address", "can't assign requested address", "address already in use",
		"only one usage of each socket address", "no buffer space available", "lacked sufficient buffer space", "context canceled",
	} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// reason is the class of an error: the same text for every user, at any time. It repeats
// no address and none of the server's bytes. They would make every error different, and
// may be secret.
func reason(err error) string {
	if own, ok := errors.AsType[ownError](err); ok {
		return string(own)
	}
	if timeout, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout() {
		return "timeout"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return "look up the name: " + stable(dns.Err)
	}
	if text := untrusted(err); text != "" {
		return text
	}
	if text := ofHTTP2(err.Error()); text != "" {
		return text
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return op.Op + ": " + stable(rootCause(op.Err).Error())
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "server closed idle connection") { // net/http has no type for the last one
		return "connection closed"
	}
	if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
		return "malformed HTTP response: header"
	}
	if strings.Contains(err.Error(), "server response headers exceeded") { // net/http has no type for it
		return errHead
	}
	if strings.Contains(err.Error(), "readLoopPeekFailLocked") {
		return "malformed HTTP response: it came before the request"
	}
	// net/http adds this or not, as its goroutines happen to run.
	return stable(strings.TrimPrefix(err.Error(), "net/http: HTTP/1.x transport connection broken: "))
}

// untrusted is the reason why a server's certificate is not trusted. The texts of
// crypto/x509 contain the time, and names from the certificate.
func untrusted(err error) string {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "tls: the certificate has expired or is not yet valid"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "tls: the certificate is for another name"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "tls: the certificate is signed by an unknown authority"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "tls: the certificate is invalid"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "tls: the server does not speak TLS"
	}
	return ""
}

// errHead is the reason if a response's headers are larger than maxHead.
const errHead = "the headers of the response are larger than 256 KiB"

// streamID is the number of a user's request on a connection of HTTP/2.
var streamID = regexp.MustCompile(`stream ID \d+; `)

// ofHTTP2 is the reason of an error of HTTP/2. net/http has no types for them, and their
// texts contain numbers of streams, and what the server sent.
func ofHTTP2(text string) string {
	switch {
	case strings.Contains(text, "http2: client connection lost"):
		return "connection lost: no answer to a ping"
	case strings.Contains(text, "http2: server sent GOAWAY"):
		return "connection closed: GOAWAY"
	case strings.Contains(text, "http2: response header list larger"):
		return errHead
	case strings.Contains(text, "stream error: stream ID"):
		return stable(streamID.ReplaceAllString(text, ""))
	case strings.Contains(text, "tls: no application protocol"):
		return string(errNoHTTP2)
	}
	return ""
}

// unstable matches the parts of an error of net, net/http and crypto/tls that differ from
// one to the next: quotes of what the server sent, addresses, times and large numbers.
var unstable = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?|\[[^\]\s]*\](?::\d+)?|\b\d+(?:[.:/T-]+\d+\w*)+|\b(?:0x)?[0-9A-Fa-f]*\d[0-9A-Fa-f]{3,}\b`)

// maxReason is the maximum length of an unknown error's text, in bytes.
const maxReason = 200

// stable is a text without its unstable parts.
func stable(text string) string {
	text = unstable.ReplaceAllString(text, "…")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}

func rootCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
