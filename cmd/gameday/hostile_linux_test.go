package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// newHostileToy is a toy whose server turns to another protocol and falls silent while
// the database is down, and sends more than its responses while it is up.
func newHostileToy(t *testing.T) *toy {
	t.Helper()
	toy := newToy(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		all, err := toy.env.All()
		c, _, hijackErr := http.NewResponseController(w).Hijack()
		if hijackErr != nil {
			t.Error(hijackErr)
			return
		}
		defer c.Close()
		if err == nil && len(all) == 1 && all[0].State == target.Running {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nS3CRET bytes after the response")
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		_, _ = io.Copy(io.Discard, c) // until the user is gone
	}))
	t.Cleanup(server.Close)
	for name, text := range map[string]string{
		"gameday.yaml":           fmt.Sprintf("version: 1\nenvironments:\n  staging: {toy: {dir: %q}, entry: %q}\n", toy.env.Dir, server.URL),
		"journeys/checkout.yaml": "version: 1\nname: checkout\nconnections: fresh\nsteps: [{name: buy, get: /, expect: {status: 200}}]\n",
	} {
		writeFile(t, toy.dir, name, text)
	}
	return toy
}

// Users of a server that answers 101 and falls silent are bad ones of the record, and the
// run ends as any other (H4). What the server sends beside its responses is not shown.
func TestARunAgainstAHostileServer(t *testing.T) {
	t.Parallel()
	toy := newHostileToy(t)
	code, out, text := toy.gameday("run", "db-loss", "--json")
	var v struct {
		Verdict string
		Load    []struct {
			Errors []struct {
				Error   string
				Samples int
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != 1 || v.Verdict != "proven" || len(v.Load) != 1 {
		t.Fatalf("%d %+v %v\n%s", code, v, err, text)
	}
	// They arrive at 50/s for 4 s.
	if errs := v.Load[0].Errors; len(errs) == 0 || errs[0].Error != "buy: status 101, expected 200" || errs[0].Samples < 100 {
		t.Errorf("found %+v, expected some 200 users of one kind of error", errs)
	}
	if strings.Contains(out+text, "S3CRET") {
		t.Errorf("it shows what the server sent:\n%s", text)
	}
	toy.clean()
}

// A run against such a server is ended by SIGINT, and undoes what it did (H4).
func TestAHostileServerDoesNotHoldARun(t *testing.T) {
	t.Parallel()
	toy := newHostileToy(t)
	cmd := toy.command("run", "db-loss", "--set", "timing.watch=10m")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	toy.eventually("the database is down", toy.is(target.Stopped))
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	select {
	case <-ended:
		t.Fatalf("it ended before it was told to:\n%s", out.String())
	case <-time.After(time.Second): // so that users are being held
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
		t.Fatalf("it goes on 30s after SIGINT:\n%s", out.String())
	}
	if code := cmd.ProcessState.ExitCode(); code != 4 {
		t.Errorf("found exit code %d, expected 4:\n%s", code, out.String())
	}
	toy.clean()
}
