package wikitest_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/gamedaytest"
	"github.com/gameday-dev/gameday/internal/wikitest"
)

// The image is built before other tests are run, where a download may be tried twice.
func TestImage(t *testing.T) {
	t.Parallel()
	enginetest.Long(t, task)
	wikitest.Image(t)
}

// task is what runs these tests: they need an image of 800 MB, two minutes, and the machine
// to itself, as a wiki takes half of a processor for two users a second.
const task = "wiki"

// TestWiki holds gameday to a product that was not written for it: users log in by a form
// with a hidden token, are redirected, and edit a page, while the only database is lost.
func TestWiki(t *testing.T) { //nolint:paralleltest // the wiki is one
	enginetest.Long(t, task)
	w := wikitest.New(t)
	g := gamedaytest.New(t, w.Dir)

	t.Run("a user is served, step by step", func(t *testing.T) { //nolint:paralleltest // one after the other
		enginetest.Shared(t)
		code, out, text := g.Run(t, "journey", "try", "wiki-edit", "--env", "wiki")
		if code != 0 {
			t.Fatalf("exit code %d\n%s\n%s", code, out, text)
		}
		for _, step := range []string{"✓ login form", "✓ login", "✓ edit form", "✓ save", "✓ confirm", "acknowledged Gameday-"} {
			if !strings.Contains(out, step) {
				t.Errorf("no %q in\n%s", step, out)
			}
		}
		if strings.Contains(out, "gameday-wiki-1") {
			t.Errorf("the password is shown in\n%s", out)
		}
	})
	t.Run("a browser's recording becomes a journey that passes", func(t *testing.T) { //nolint:paralleltest // one after the other
		enginetest.Shared(t)
		file := recordEdit(t, w, "Sandbox")
		recorded(t, file)
		imported(t, w, g, file)
	})
	t.Run("the database is a SPOF, and no edit is lost", func(t *testing.T) { //nolint:paralleltest // one after the other
		databaseLoss(t, w, g)
	})
	t.Run("an outage is as long as a witness says", func(t *testing.T) { //nolint:paralleltest // one after the other
		databaseOutage(t, w, g)
	})
	if code, out, _ := g.Run(t, "undo"); code != 0 || !strings.Contains(out, "nothing to undo") {
		t.Errorf("undo: %s", out)
	}
}

// verdict is what a run with --json says.
type verdict struct {
	Verdict, State string
	Lo             *float64  `json:"recovery_lo_s"`
	Hi             *float64  `json:"recovery_hi_s"`
	FirstImpact    *float64  `json:"first_impact_s"`
	FaultAt        time.Time `json:"fault_at"`
	RevertAt       time.Time `json:"revert_at"`
	ServedAgain    *float64  `json:"served_again_s"`
	Writes         *struct{ Acknowledged, Lost, Unconfirmed int }
	Load           []struct {
		Rate float64 `json:"rate_per_s"`
	}
}

// gap is the longest time between two of gameday's users in seconds: they come at the
// rate of the load, up to half a gap early or late.
func (v verdict) gap() float64 { return 1.5 / v.Load[0].Rate }

// watched runs a scenario beside a witness.
func watched(t *testing.T, w *wikitest.Wiki, g gamedaytest.Gameday, scenario string) (code int, v verdict, all []seen) {
	t.Helper()
	enginetest.Alone(t)
	watcher := newWitness(t, w.URL)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan []seen, 1)
	go func() { done <- watcher.watch(ctx) }()
	code, out, text := g.Run(t, "run", scenario, "--json")
	stop()
	all = <-done
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.Writes == nil || len(v.Load) == 0 {
		t.Fatalf("exit code %d: %v\n%s\n%s", code, err, out, text)
	}
	t.Logf("%s (%s), exit code %d; %d edits acknowledged, %d lost", v.Verdict, v.State, code, v.Writes.Acknowledged, v.Writes.Lost)
	if v.Writes.Acknowledged < 20 || v.Writes.Lost != 0 || v.Writes.Unconfirmed != 0 {
		t.Errorf("writes: %+v", v.Writes)
	}
	return code, v, all
}

// agree holds the last badly served user of gameday against the witness's, in seconds
// after the same moment.
func agree(t *testing.T, v verdict, ours float64, after time.Time, all []seen) {
	t.Helper()
	bad, good := lastBad(all)
	if bad.IsZero() || good.IsZero() {
		t.Fatalf("of %d requests of the witness, the last bad one was sent at %v, a good one after it at %v", len(all), bad, good)
	}
	theirs, theirGap := bad.Sub(after).Seconds(), good.Sub(bad).Seconds()
	t.Logf("the last badly served user: gameday's after %.3f s (gap %.3f s), the witness's after %.3f s (gap %.3f s): %.3f s apart",
		ours, v.gap(), theirs, theirGap, math.Abs(ours-theirs))
	if math.Abs(ours-theirs) > v.gap()+theirGap {
		t.Error("they do not agree to within one gap of each")
	}
}

// databaseLoss loses the host of the database until the fault is reverted.
func databaseLoss(t *testing.T, w *wikitest.Wiki, g gamedaytest.Gameday) {
	t.Helper()
	code, v, all := watched(t, w, g, "wiki-db-loss")
	if code != 1 || v.Verdict != "proven" || v.State != "down" || v.ServedAgain == nil {
		t.Fatalf("exit code %d: %+v", code, v)
	}
	agree(t, v, *v.ServedAgain, v.RevertAt, all)
}

// databaseOutage loses the database for eight seconds.
func databaseOutage(t *testing.T, w *wikitest.Wiki, g gamedaytest.Gameday) {
	t.Helper()
	code, v, all := watched(t, w, g, "wiki-db-outage")
	if v.State != "recovered" || v.FirstImpact == nil || v.Lo == nil || v.Hi == nil {
		t.Fatalf("exit code %d: %+v", code, v)
	}
	agree(t, v, *v.FirstImpact+*v.Lo, v.FaultAt, all)
}
