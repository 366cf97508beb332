package probe_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// serveVariable makes the test binary a server of its own process, for the benchmark.
const serveVariable = "GAMEDAY_BENCHMARK_SERVER"

// serveAlone is the server of the benchmark: it ends with its standard input.
func serveAlone() {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed with the server
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"ok": true}`))
	})}
	fmt.Fprintln(os.Stderr, "http://"+listener.Addr().String())
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
		_ = server.Close()
	}()
	_ = server.Serve(listener)
}

// used is the processor time of this process in user mode: that of the kernel depends on
// what else the machine does.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano())
}

// alone starts the benchmark's server in a process of its own, and returns its URL.
func alone(b *testing.B) string {
	b.Helper()
	child := exec.CommandContext(b.Context(), os.Args[0])
	child.Env = append(os.Environ(), serveVariable+"=1")
	stdin, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stderr, err := child.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = stdin.Close(); _ = child.Wait() })
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// median is the middle one of an odd number of figures.
func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// BenchmarkBesideVegeta compares requests for each second of processor time with those of
// vegeta's own library, against the same server: the medians of rounds that alternate
// in one run.
func BenchmarkBesideVegeta(b *testing.B) {
	const rate, lasts, rounds = 1000, time.Second, 15
	entry := alone(b)
	theirs := func() float64 {
		n, before := 0, used()
		attacker := vegeta.NewAttacker()
		for range attacker.Attack(vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: entry + "/"}), vegeta.Rate{Freq: rate, Per: time.Second}, lasts, "b") {
			n++
		}
		return float64(n) / (used() - before).Seconds()
	}
	ours := func() float64 {
		ctx, cancel := context.WithTimeout(b.Context(), lasts)
		defer cancel()
		n, before := 0, used()
		j := probe.Journey{Name: "b", Steps: []probe.Step{{Name: "s", Get: "/"}}}
		l := probe.Load{Journey: j, Way: probe.Way{Entry: entry}, Rate: probe.Rate{Users: rate, Per: time.Second}}
		if err := l.Run(ctx, func(v probe.Visit) {
			if n++; v.Sample.Failed() {
				b.Error(v.Sample.Error)
			}
		}); err != nil {
			b.Fatal(err)
		}
		return float64(n) / (used() - before).Seconds()
	}
	theirs() // both have connected, compiled and allocated before they are measured
	ours()
	for b.Loop() {
		var v, g, ratios []float64
		for i := range rounds {
			v, g = append(v, theirs()), append(g, ours())
			ratios = append(ratios, g[i]/v[i]) // what the machine does beside them changes slowly
		}
		b.ReportMetric(median(v), "vegeta_req/cpu_s")
		b.ReportMetric(median(g), "gameday_req/cpu_s")
		b.ReportMetric(median(ratios), "ratio")
	}
}
