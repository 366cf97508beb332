package docker_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
)

// BenchmarkRole is how long it takes to find who holds a role among three
// components that answer within 300 ms: what an injection waits for.
func BenchmarkRole(b *testing.B) {
	address, check := web(b, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(300 * time.Millisecond):
		case <-r.Context().Done():
		}
	})
	e := newFakeEngine(b)
	e.nodes(address, "n1", "n2", "n3")
	env := e.open(roles(map[string]target.Role{"primary": {Ask: check.ask}}))
	for b.Loop() {
		if found, err := env.Find(b.Context(), target.Selector{Role: "primary"}); err != nil || len(found) != 3 {
			b.Fatal(len(found), err)
		}
	}
}

// BenchmarkFind is how long it takes to look at twenty containers, each of which the
// engine needs 5 ms to inspect.
func BenchmarkFind(b *testing.B) {
	e := newFakeEngine(b)
	for i := range 20 {
		id := fmt.Sprintf("n%d", i)
		e.Add(rig.Box(id))
		e.Handle("GET /containers/"+id+"/json", func(w http.ResponseWriter, _ *http.Request) {
			<-time.After(5 * time.Millisecond)
			e.Inspect(w, id)
		})
	}
	env := e.open()
	for b.Loop() {
		if found, err := env.Find(b.Context(), target.Selector{}); err != nil || len(found) != 20 {
			b.Fatal(len(found), err)
		}
	}
}
