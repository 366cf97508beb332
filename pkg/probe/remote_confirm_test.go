package probe_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
)

// A worker looks up any number of writes, a bounded number at once, and says what it has
// found of each.
func TestAWorkerLooksUpManyWrites(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/orders/%d", &n); err != nil || n%3 == 0 {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(server.Close)
	l := probe.Load{Journey: journey(), Way: probe.Way{Entry: server.URL}, Rate: probe.Rate{Users: 1, Per: time.Second}}
	l.Journey.Confirm = &probe.Step{Name: "look", Get: "/orders/{{.id}}"}
	acks := make([]record.Ack, 2500)
	for i := range acks {
		acks[i] = record.Ack{Journey: l.Journey.Name, ID: strconv.Itoa(i)}
	}
	last, of := 0, 0
	err := probe.Remote{Load: l, Start: worker}.Confirm(t.Context(), record.AckedOf(acks), func(done, all int) { last, of = done, all })
	if err != nil || last != 5000 || of != 5000 {
		t.Errorf("%d of %d, %v", last, of, err)
	}
	for i, ack := range acks {
		if want := map[bool]string{true: probe.Absent, false: probe.Present}[i%3 == 0]; ack.Presence != want {
			t.Fatalf("write %d is %s, expected %s", i, ack.Presence, want)
		}
	}
}
