package probe_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
)

// hostile is a server that reads the head of a request and then does what it wants with
// the connection. The connection is closed when it returns.
func hostile(t *testing.T, serve func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed below
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(context.Background()) //nolint:forbidigo // until the test's cleanup
	t.Cleanup(func() { end(); _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ended, func() { _ = c.Close() })
			go func() {
				defer c.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					serve(c)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// then writes a text and leaves the connection to next.
func then(text string, next func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := io.WriteString(c, text); err == nil {
			next(c)
		}
	}
}

// silent says nothing more, until the other side is gone.
func silent(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// gone says nothing more and closes the connection.
func gone(net.Conn) {}

// repeating writes a text up to n times; 0 is no limit.
func repeating(text string, n int, next func(net.Conn)) func(net.Conn) {
	data := []byte(text)
	return func(c net.Conn) {
		for i := 0; n == 0 || i < n; i++ {
			if _, err := c.Write(data); err != nil {
				return
			}
		}
		next(c)
	}
}

// slowly writes a text byte by byte.
func slowly(text string) func(net.Conn) {
	return func(c net.Conn) {
		for _, b := range []byte(text) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			<-time.After(50 * time.Millisecond)
		}
		silent(c)
	}
}

// ok and chunked are the heads of responses with, and without, a known length.
func ok(size int) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", size)
}

const (
	chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
	mib     = 1 << 20
	upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
)

// hostiles are servers that try to hold their users, to fill their memory, or to look as
// if they had answered.
func hostiles() map[string]struct {
	serve    func(net.Conn)
	expect   probe.Expect
	want     string // the class of the error, "" for a good user
	received int    // of the body, at least
	presence string // what a lookup of a write finds
} {
	block := strings.Repeat("A", 64<<10)
	chunk := fmt.Sprintf("%x\r\n%s\r\n", len(block), block)
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	for range 1000 {
		_, _ = zip.Write([]byte(block))
	}
	_ = zip.Close()
	words := probe.Expect{Status: probe.Codes(200), Contains: probe.Texts{"B"}}
	json := probe.Expect{Status: probe.Codes(200), JSON: map[string]any{"$.id": 1}}
	plain := probe.Expect{Status: probe.Codes(200)}
	const large = "the response is larger than the 4 MiB that expect, capture and acknowledges can check"
	return map[string]struct {
		serve    func(net.Conn)
		expect   probe.Expect
		want     string
		received int
		presence string
	}{
		"silence":              {silent, plain, "timeout", 0, probe.Unconfirmed},
		"slow head":            {slowly("HTTP/1.1 200 OK\r\nX: 0123456789"), plain, "timeout", 0, probe.Unconfirmed},
		"dead after the head":  {then(ok(10), silent), plain, "timeout", 0, probe.Unconfirmed},
		"slow body":            {then(ok(100), slowly(block[:100])), plain, "timeout", 1, probe.Unconfirmed},
		"endless body":         {then(chunked, repeating(chunk, 0, gone)), plain, "the response is larger than 64 MiB", 64 * mib, probe.Unconfirmed},
		"endless checked body": {then(chunked, repeating(chunk, 0, gone)), words, "the response is larger than 64 MiB", 64 * mib, probe.Unconfirmed},
		"endless head":         {then("HTTP/1.1 200 OK\r\n", repeating("X: "+block[:1000]+"\r\n", 0, gone)), plain, "the headers of the response are larger than 256 KiB", 0, probe.Unconfirmed},
		"one header of 20 MB":  {then("HTTP/1.1 200 OK\r\nX: ", repeating(block, 320, gone)), plain, "the headers of the response are larger than 256 KiB", 0, probe.Unconfirmed},
		"many small headers":   {then("HTTP/1.1 200 OK\r\n", repeating("X:\r\n", 0, gone)), plain, "the headers of the response are larger than 256 KiB", 0, probe.Unconfirmed},
		"endless 1xx":          {repeating("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0, gone), plain, "the headers of the response are larger than 256 KiB", 0, probe.Unconfirmed},
		"endless trailer":      {then(chunked+"2\r\nok\r\n0\r\n", repeating("X: "+block[:1000]+"\r\n", 0, gone)), plain, "read the response: http: suspiciously long trailer after chunked body", 0, probe.Unconfirmed},
		"slow trailer":         {then(chunked+"2\r\nok\r\n0\r\nX: ", slowly(block[:100])), plain, "timeout", 2, probe.Unconfirmed},

		"101, then silence":         {then(upgrade, silent), probe.Expect{Status: probe.Codes(101)}, "", 0, probe.Present},
		"101, then an endless body": {then(upgrade, repeating(block, 0, gone)), probe.Expect{Status: probe.Codes(101)}, "", 0, probe.Present},
		"101 that was not expected": {then(upgrade, silent), plain, "status 101, expected 200", 0, probe.Unconfirmed},
		"101 without expectations":  {then(upgrade, silent), probe.Expect{}, "status 101", 0, probe.Unconfirmed},
		"101 without an upgrade":    {then("HTTP/1.1 101 Switching Protocols\r\n\r\n", silent), probe.Expect{Status: probe.Codes(101)}, "", 0, probe.Present},
		"101 and an assertion":      {then(upgrade, silent), probe.Expect{Status: probe.Codes(101), Contains: probe.Texts{"B"}}, `the response does not contain "B"`, 0, probe.Absent},

		"cut after 1 MiB of 8":     {then(ok(8*mib), repeating(block, 16, gone)), plain, "connection closed", mib, probe.Unconfirmed},
		"cut after 5 MiB of 8":     {then(ok(8*mib), repeating(block, 80, gone)), plain, "connection closed", 5 * mib, probe.Unconfirmed},
		"cut after 5 MiB, chunked": {then(chunked, repeating(chunk, 80, gone)), plain, "connection closed", 5 * mib, probe.Unconfirmed},
		"stalls after 5 MiB of 8":  {then(ok(8*mib), repeating(block, 80, silent)), plain, "timeout", 5 * mib, probe.Unconfirmed},
		"8 MiB":                    {then(ok(8*mib), repeating(block, 128, silent)), plain, "", 8 * mib, probe.Present},
		"8 MiB, found at once":     {then(ok(8*mib+1), then("B", repeating(block, 128, silent))), words, "", 8*mib + 1, probe.Present},
		"8 MiB, text not found":    {then(ok(8*mib), repeating(block, 128, silent)), words, large, 8 * mib, probe.Unconfirmed},
		"8 MiB, JSON":              {then(ok(8*mib), then(`{"id": 1}`, then(strings.Repeat(" ", 8*mib-9), silent))), json, large, 8 * mib, probe.Unconfirmed},
		"404 of 8 MiB":             {then("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 8388608\r\n\r\n", repeating(block, 128, silent)), words, "status 404, expected 200", 8 * mib, probe.Absent},
		"gzip bomb":                {then("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: "+strconv.Itoa(bomb.Len())+"\r\n\r\n"+bomb.String(), silent), plain, "", bomb.Len(), probe.Present},
	}
}

// No server holds a user beyond the journey's timeout, and each of its users is in the
// record: bad unless the whole response arrived, and was the expected one (H4, M1).
func TestHostileServers(t *testing.T) { //nolint:paralleltest,tparallel // it would disturb the tests that measure times
	const generous = 10 * time.Second
	for name, c := range hostiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := 5 * time.Second // on a busy machine
			if c.want == "timeout" {
				timeout = 300 * time.Millisecond
			}
			if c.want == "timeout" && c.received >= mib {
				timeout = time.Second
			}
			entry := hostile(t, c.serve)
			step := probe.Step{Name: "s", Get: "/", Expect: c.expect}
			j := probe.Journey{Name: "j", Timeout: timeout, Steps: []probe.Step{step}, Confirm: &step}
			visits := within(t, timeout+generous, func() []probe.Visit { return walk(t, j, entry, 20, 100*time.Millisecond) })
			if len(visits) == 0 {
				t.Error("no user is in the record")
			}
			for _, v := range visits {
				found := strings.TrimPrefix(v.Sample.Error, "s: ")
				if found != c.want || v.Sample.Failed() != (c.want != "") || v.Sample.Void || v.Sample.BytesIn < uint64(c.received) {
					t.Errorf("found %+v, expected %q and %d bytes", v.Sample, c.want, c.received)
				}
				if v.Sample.Latency > timeout+generous/2 {
					t.Errorf("a user was held for %v", v.Sample.Latency)
				}
			}
			acks := []record.Ack{{ID: "1"}}
			err := within(t, 2*timeout+generous, func() error {
				return probe.Load{Journey: j, Way: probe.Way{Entry: entry}}.Confirm(t.Context(), record.AckedOf(acks), nil)
			})
			if err != nil || acks[0].Presence != c.presence {
				t.Errorf("a lookup finds %q, %v, expected %q", acks[0].Presence, err, c.presence)
			}
		})
	}
}

// within is what a function returns. The test fails if that takes longer.
func within[T any](t *testing.T, limit time.Duration, do func() T) (result T) {
	t.Helper()
	done := make(chan T, 1)
	go func() { done <- do() }()
	select {
	case result = <-done:
	case <-time.After(limit):
		t.Fatalf("not done after %v", limit)
	}
	return result
}

// A server that does not read is not waited for either, and neither is one that accepts
// a connection and then does not answer the TLS handshake.
func TestServersThatDoNotRead(t *testing.T) { //nolint:paralleltest // likewise
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed below
	if err != nil {
		t.Fatal(err)
	}
	open := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(open)
				return
			}
			open <- c
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		for c := range open {
			_ = c.Close()
		}
	})
	large := probe.Step{Name: "s", Post: "/", Body: strings.Repeat("x", 16<<20)}
	for name, c := range map[string]struct {
		scheme string
		step   probe.Step
	}{"closed window": {"http://", large}, "no handshake": {"https://", probe.Step{Name: "s", Get: "/"}}} {
		j := probe.Journey{Name: "j", Timeout: 500 * time.Millisecond, Steps: []probe.Step{c.step}}
		visits := within(t, 10*time.Second, func() []probe.Visit { return walk(t, j, c.scheme+l.Addr().String(), 20, 100*time.Millisecond) })
		for _, v := range visits {
			if v.Sample.Error != "s: timeout" || v.Sample.Void {
				t.Errorf("%s: %+v", name, v.Sample)
			}
		}
	}
}

// Users that gave up leave no connection behind: hours of a server that does not answer
// the TLS handshake would take all descriptors, and then users would be missing.
func TestHandshakesEndWithTheirUsers(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 100)
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed below
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				silent(c)
				ended <- struct{}{}
			}()
		}
	}()
	// The load itself goes on until a connection has ended.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var stopped atomic.Bool
	j := probe.Journey{Name: "j", Timeout: 200 * time.Millisecond, Steps: []probe.Step{{Name: "s", Get: "/"}}}
	load := probe.Load{Journey: j, Way: probe.Way{Entry: "https://" + l.Addr().String()}, Rate: probe.Rate{Users: 5, Per: time.Second}}
	go func() {
		select {
		case <-ended:
			stopped.Store(true)
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := load.Run(ctx, func(probe.Visit) {}); err != nil || !stopped.Load() {
		t.Errorf("%v; a connection ended while the load went on: %v", err, stopped.Load())
	}
}

// What a server sends takes bounded memory, whether it is looked at or thrown away.
func TestMemoryOfHostileServers(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	for name, most := range map[string]uint64{
		"endless body": 2 * mib, "endless checked body": 40 * mib, "one header of 20 MB": 4 * mib, "many small headers": 16 * mib, "gzip bomb": 2 * mib,
	} {
		c := hostiles()[name]
		step := probe.Step{Name: "s", Get: "/", Expect: c.expect}
		entry := hostile(t, c.serve)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		acks := []record.Ack{{ID: "1"}}
		j := probe.Journey{Name: "j", Timeout: 300 * time.Millisecond, Steps: []probe.Step{step}, Confirm: &step}
		if err := (probe.Load{Journey: j, Way: probe.Way{Entry: entry}}).Confirm(t.Context(), record.AckedOf(acks), nil); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if took := (after.TotalAlloc - before.TotalAlloc) / 2; took > most { // two lookups
			t.Errorf("%s: %d KiB for each user, expected at most %d KiB", name, took>>10, most>>10)
		}
	}
}

// A load at a low rate ends when it is told to, and not when its next user is due.
func TestASlowLoadEndsAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := probe.Load{Journey: journey(), Way: probe.Way{Entry: "http://127.0.0.1:1"}, Rate: probe.Rate{Users: 1, Per: time.Hour}, Seed: 1}
	if err := within(t, 10*time.Second, func() error { return l.Run(ctx, func(probe.Visit) {}) }); err != nil {
		t.Error(err)
	}
}

// An expected status is a good one, whatever it is.
func TestAnExpectedStatusIsGood(t *testing.T) {
	t.Parallel()
	for _, status := range []int{204, 304, 404, 503} {
		v := one(t, answering(t, status, ""), probe.Step{Name: "s", Get: "/", Expect: probe.Expect{Status: probe.Codes(status)}})
		if v.Sample.Failed() || v.Sample.Error != "" {
			t.Errorf("%d: %+v", status, v.Sample)
		}
	}
}
