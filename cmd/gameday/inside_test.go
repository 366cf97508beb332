package main_test

import (
	"context"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// inside shows that users who set out from inside are not told to be down for longer
// than they are: after a container comes back, the host itself goes on asking for
// its dead address. Two witnesses share nothing with gameday but the lab: a client on
// the host, and a shell on the lab's network.
func (l *labTest) inside() {
	enginetest.Alone(l.t)
	l.serves()
	stopInside := l.witnessInside()
	ctx, stop := context.WithCancel(l.t.Context())
	seen := make(chan []witnessed, 1)
	go func() { seen <- witness(ctx) }()
	out := l.gameday("run", "checkout-lb-loss", "--json", "--set", "timing.baseline=5s", "--set", "timing.watch=10s", "--set", "objective.rto=5s")
	stop()
	v := l.parse(out)
	if out.code != 1 || v.Revert == nil || v.ServedAgain == nil {
		l.t.Fatalf("%+v\n%s", v, out.stderr)
	}
	last := func(all []witnessed) float64 {
		var last time.Duration
		for _, w := range all {
			if at := w.sent.Sub(*v.Revert); w.bad && at > last {
				last = at
			}
		}
		return last.Seconds()
	}
	within, without := last(stopInside()), last(<-seen)
	l.t.Logf("the last badly served user set out, after the undoing was ordered: gameday's %.3f s, that of the witness inside %.3f s, that of the one on the host %.3f s",
		*v.ServedAgain, within, without)
	// What the host adds is a second and more. The shell asks for one page, and gameday's
	// users walk three, the last of whom may be slow when nobody else is.
	if math.Abs(*v.ServedAgain-within) > 1 {
		l.t.Error("gameday and the witness inside do not agree")
	}
}

// witnessInside asks from a container on the lab's network, until it is told to stop.
func (l *labTest) witnessInside() (stop func() []witnessed) {
	const script = `while :; do
	at=$EPOCHREALTIME
	line=$(timeout 0.5 bash -c 'exec 3<>/dev/tcp/198.18.10.10/80; printf "GET /products HTTP/1.0\r\n\r\n" >&3; head -n 1 <&3' 2>/dev/null)
	case "$line" in *" 200 "*) echo "$at good" ;; *) echo "$at bad" ;; esac
	sleep 0.05
done`
	ctx := context.WithoutCancel(l.t.Context())
	enginetest.Guard(l.t, "gameday.test=witness")
	created, err := l.docker.ContainerCreate(ctx, &container.Config{
		Image: l.imageOf("lb"), Entrypoint: []string{"bash", "-c", script}, Labels: map[string]string{"gameday.test": "witness"},
	}, &container.HostConfig{NetworkMode: "gameday-checkout_shop", Init: new(true)}, nil, nil, "")
	if err != nil {
		l.t.Fatal(err)
	}
	remove := func() {
		_ = l.docker.ContainerRemove(ctx, created.ID, container.RemoveOptions{Force: true}) // the test's end looks for what is left
	}
	l.t.Cleanup(remove)
	if err := l.docker.ContainerStart(ctx, created.ID, container.StartOptions{}); err != nil {
		l.t.Fatal(err)
	}
	return func() []witnessed {
		stream, err := l.docker.ContainerLogs(ctx, created.ID, container.LogsOptions{ShowStdout: true})
		if err != nil {
			l.t.Fatal(err)
		}
		defer stream.Close()
		var text strings.Builder
		if _, err := stdcopy.StdCopy(&text, io.Discard, stream); err != nil {
			l.t.Fatal(err)
		}
		remove()
		var all []witnessed
		for line := range strings.Lines(text.String()) {
			at, what, _ := strings.Cut(strings.TrimSpace(line), " ")
			seconds, err := strconv.ParseFloat(at, 64)
			if err != nil {
				l.t.Fatalf("the witness says %q", line)
			}
			all = append(all, witnessed{time.UnixMicro(int64(seconds * 1e6)), what == "bad"})
		}
		return all
	}
}

// imageOf is the image of a service of the lab.
func (l *labTest) imageOf(service string) string {
	for _, c := range l.project() {
		if c.Labels["com.docker.compose.service"] == service {
			return c.Image
		}
	}
	l.t.Fatalf("the lab has no service %s", service)
	return ""
}
