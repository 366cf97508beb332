package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"syscall"
)

// Server is the URL of the server, without what may be secret in it.
func (p Prometheus) Server() string { return bare(p.URL) }

// Number is the value of the query's only series, as a finite number. The error says why
// there is none and what to do about it, in a few words, and does not name the query: those
// who observe a metric know it.
func (p Prometheus) Number(ctx context.Context) (float64, error) {
	values, err := p.result(ctx)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%.200w", inShort(err))
	case len(values) == 0:
		return 0, errors.New("the query returns no series: check its metric and labels, and that the server scrapes it")
	case len(values) > 1:
		return 0, fmt.Errorf("the query returns %d series, expected 1: use sum(), max() or min(), or more labels", len(values))
	}
	number, err := strconv.ParseFloat(values[0], 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("the series has the value %.*q, expected a number", longestValue, values[0])
	case math.IsNaN(number) || math.IsInf(number, 0):
		return 0, fmt.Errorf("the value is %v, which is not finite", number)
	}
	return number, nil
}

// inShort is why a server did not answer, without addresses and ports: these differ from
// one request to the next.
func inShort(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("look up %s: %s", lookup.Name, lookup.Err)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %v", Patience)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the server closed the connection without an answer")
	}
	return err
}
