package docker_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
)

// As many inspections are under way at once as may be, and no more.
func TestContainersAreInspectedSideBySide(t *testing.T) {
	t.Parallel()
	const atATime, all = 8, 30
	e := newFakeEngine(t)
	full := newBarrier(atATime)
	var underWay, most atomic.Int32
	var once sync.Once
	tooMany := make(chan struct{})
	var want []string
	for i := range all {
		id := fmt.Sprintf("n%02d", i)
		want = append(want, id)
		e.Handle("GET /containers/"+id+"/json", func(w http.ResponseWriter, r *http.Request) {
			now := underWay.Add(1)
			for {
				seen := most.Load()
				if now <= seen || most.CompareAndSwap(seen, now) {
					break
				}
			}
			if now > atATime {
				once.Do(func() { close(tooMany) })
			}
			full.wait(r.Context())
			select {
			case <-tooMany:
			case <-time.After(50 * time.Millisecond): // for one too many to come
			case <-r.Context().Done():
			}
			underWay.Add(-1)
			e.Inspect(w, id)
		})
	}
	for i := range all { // the engine lists the newest first
		e.Add(rig.Box(want[all-1-i]))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	found, err := e.open().Find(ctx, target.Selector{})
	if err != nil || ids(found) != strings.Join(want, " ") {
		t.Errorf("%s %v", ids(found), err)
	}
	if most.Load() != atATime {
		t.Errorf("%d at a time, expected %d", most.Load(), atATime)
	}
}
