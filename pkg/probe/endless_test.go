package probe_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

const (
	tenGiB = 10 << 30
	// buffered is how much more than what a user reads can be on its way: socket buffers.
	buffered = 32 * mib
)

// sending sends 10 GiB, as long as the user takes them, and counts them.
func sending(head string, frame func(io.Writer) io.Writer, sent *atomic.Int64) func(net.Conn) {
	block := bytes.Repeat([]byte("A"), 64<<10)
	return then(head, func(c net.Conn) {
		w := frame(c)
		for range tenGiB / len(block) {
			if _, err := w.Write(block); err != nil {
				return
			}
			sent.Add(int64(len(block)))
		}
	})
}

// framed writes chunks of HTTP.
type framed struct{ io.Writer }

func (f framed) Write(data []byte) (int, error) {
	if _, err := fmt.Fprintf(f.Writer, "%x\r\n", len(data)); err != nil {
		return 0, err
	}
	n, err := f.Writer.Write(data)
	if err == nil {
		_, err = io.WriteString(f.Writer, "\r\n")
	}
	return n, err
}

// A user of a server that sends 10 GiB reads 64 MiB of them, keeps 4, and is told why the
// response is none, however it is sent, and whatever looks at it.
func TestTenGibibytes(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	asIs := func(w io.Writer) io.Writer { return w }
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
	servers := map[string]struct {
		head  string
		frame func(io.Writer) io.Writer
	}{
		"with a length":   {head + fmt.Sprintf("Content-Length: %d\r\n\r\n", tenGiB), asIs},
		"in chunks":       {head + "Transfer-Encoding: chunked\r\n\r\n", func(w io.Writer) io.Writer { return framed{w} }},
		"until it closes": {head + "Connection: close\r\n\r\n", asIs},
		"compressed":      {head + "Connection: close\r\nContent-Encoding: gzip\r\n\r\n", func(w io.Writer) io.Writer { return gzip.NewWriter(w) }},
	}
	steps := map[string]probe.Step{
		"thrown away":    {},
		"a text":         {Expect: probe.Expect{Contains: probe.Texts{"B"}}},
		"a pattern":      {Expect: probe.Expect{Matches: probe.Texts{"A+B"}}},
		"a JSONPath":     {Expect: probe.Expect{JSON: map[string]any{"$.id": 1}}},
		"an element":     {Expect: probe.Expect{CSS: map[string]any{"h1": "x"}}},
		"a node":         {Expect: probe.Expect{XPath: map[string]any{"//h1": "x"}}},
		"a size":         {Expect: probe.Expect{Size: map[string]any{"gte": 1}}},
		"a capture":      {Capture: map[string]probe.Capture{"x": {Regexp: "(A+)"}}},
		"an acknowledge": {Acknowledges: "$.id"},
	}
	for server, s := range servers { //nolint:paralleltest // likewise
		for name, step := range steps {
			t.Run(server+", "+name, func(t *testing.T) {
				var sent atomic.Int64
				entry := hostile(t, sending(s.head, s.frame, &sent))
				step.Name, step.Get = "s", "/"
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				v := walkOnce(t, probe.Journey{Timeout: time.Minute, Steps: []probe.Step{step}}, probe.Way{Entry: entry})
				runtime.ReadMemStats(&after)
				if v.Sample.Error != "s: the response is larger than 64 MiB" || v.Ack != nil {
					t.Errorf("found %+v", v.Sample)
				}
				if v.Sample.BytesIn < 64*mib || v.Sample.BytesIn > 65*mib || sent.Load() > 64*mib+buffered {
					t.Errorf("the user read %d bytes of the %d that were sent", v.Sample.BytesIn, sent.Load())
				}
				if took := after.TotalAlloc - before.TotalAlloc; took > 32*mib {
					t.Errorf("%d MiB were allocated, expected at most 32", took/mib)
				}
			})
		}
	}
}
