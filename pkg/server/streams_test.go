package server_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/server"
	"github.com/gameday-dev/gameday/pkg/store"
)

// A stream ends with its time. A person who opens too many loses the oldest one; another
// person loses none (L21).
func TestStreamsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s server.Streams
		var mine []context.Context
		var leave []func()
		other, leaves := s.Join(t.Context(), "operate")
		for range server.MaxPerPerson + 2 {
			ctx, end := s.Join(t.Context(), "local user")
			mine, leave = append(mine, ctx), append(leave, end)
		}
		ended := 0
		for i, ctx := range mine {
			if ctx.Err() != nil {
				ended++
				leave[i]()
			}
		}
		if ended != 2 || mine[1].Err() == nil || mine[2].Err() != nil || other.Err() != nil {
			t.Errorf("%d of %d streams have ended, and %v", ended, len(mine), other.Err())
		}
		leave[2]()
		if next, end := s.Join(t.Context(), "local user"); next.Err() != nil || mine[3].Err() != nil {
			t.Error("a free place was not taken")
		} else {
			defer end()
		}
		<-time.After(server.StreamTime + time.Second)
		if mine[3].Err() == nil || other.Err() == nil {
			t.Error("a stream outlives its time")
		}
		leaves()
	})
}

// However many streams clients without a token keep open, there is one for the next of
// them, and for a person with a token (L21).
func TestOthersGetAStream(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{Listen: "127.0.0.1:0"})
	address, end := s.serve()
	t.Cleanup(end)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	open := func(token string) io.Reader {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/live", nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = answer.Body.Close() })
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("no stream: %s", answer.Status)
		}
		return answer.Body
	}
	first := open("")
	for range 2 * server.MaxPerPerson { // as many as the daemon has
		open("")
	}
	open(s.tokens[store.View])
	for lines := bufio.NewScanner(first); lines.Scan(); { // it ends, or the test does not
	}
}
