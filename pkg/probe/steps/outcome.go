package steps

import (
	"context"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// word is a status code as the specification of gRPC writes it, such as NOT_FOUND.
func word(code codes.Code) string {
	switch {
	case code == codes.Canceled:
		return "CANCELLED"
	case code > codes.Unauthenticated:
		return "UNKNOWN"
	case code == codes.OK:
		return "OK"
	}
	var b strings.Builder
	for i, r := range code.String() {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// httpStatus finds the status of an answer that is not gRPC, such as one of a load
// balancer.
var httpStatus = regexp.MustCompile(`unexpected HTTP status code received from server: (\d{3})\b`)

// closed matches the errors of a connection that has ended.
var closed = regexp.MustCompile(`EOF|connection reset|broken pipe|closed network connection`)

// nearly is how long before a user's timeout a server may say that it is over.
const nearly = 100 * time.Millisecond

// outcome is what the error of a call means: a status that the server sent, or an error.
// gRPC has no types for its own errors, but texts.
func (c *call) outcome(ctx context.Context, err error) (sent string, _ error) {
	s, ok := status.FromError(err)
	if ctx.Err() != nil && !c.ended.Load() {
		return "", context.Cause(ctx)
	}
	if !ok {
		return "", err
	}
	if deadline, ok := ctx.Deadline(); ok && s.Code() == codes.DeadlineExceeded && time.Until(deadline) < nearly {
		return "", context.DeadlineExceeded // the server knows the user's timeout, and may be first
	}
	text := s.Message()
	if strings.Contains(text, "error reading server preface") && closed.MatchString(text) {
		return "", io.ErrUnexpectedEOF
	}
	if found := httpStatus.FindStringSubmatch(text); found != nil {
		return "", probe.Failure("the response is not gRPC: status "+found[1]+" of HTTP", text)
	}
	for words, class := range map[string]string{
		"received message larger than max":     "a message of the response is larger than 4 MiB",
		"failed to unmarshal":                  "a message of the response is not of the method's type",
		"peer header list size exceeded limit": "the metadata of the response is larger than 256 KiB",
		"no response message":                  "the response has no message",
		"malformed header":                     "the response is not gRPC",
		"unexpected content-type":              "the response is not gRPC",
		"malformed http2 frame":                "the server does not speak HTTP/2",
		"error reading server preface":         "the server does not speak HTTP/2",
		"Decompressor is not installed":        "a message of the response is compressed, though the user did not ask for it",
	} {
		if strings.Contains(text, words) {
			return "", probe.Failure(class, text)
		}
	}
	switch {
	case c.ended.Load():
		return word(s.Code()), nil
	case strings.Contains(text, "RST_STREAM"):
		return "", probe.Failure("the server reset the stream", text)
	}
	if failed := c.failed.Load(); failed != nil {
		return "", *failed
	}
	return "", io.ErrUnexpectedEOF // the connection broke
}
