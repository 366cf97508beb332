package wikitest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/wikitest"
)

// TestWiki holds gameday to a product that was not written for it: users log in by a form
// with a hidden token, are redirected, and edit a page, while the only database is lost.
func TestWiki(t *testing.T) { //nolint:paralleltest // the wiki is one
	w := wikitest.New(t)
	g := newGameday(t, w.Dir)

	t.Run("a user is served, step by step", func(t *testing.T) { //nolint:paralleltest // one after the other
		code, out, text := g.run(t, "journey", "try", "wiki-edit", "--env", "wiki")
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
	t.Run("a browser's recording has what an import needs", func(t *testing.T) { //nolint:paralleltest // one after the other
		recorded(t, recordEdit(t, w, "From_a_browser"))
	})
	t.Run("the database is a SPOF, and no edit is lost", func(t *testing.T) { //nolint:paralleltest // one after the other
		databaseLoss(t, w, g)
	})
	if code, out, _ := g.run(t, "undo"); code != 0 || !strings.Contains(out, "nothing to undo") {
		t.Errorf("undo: %s", out)
	}
}

// databaseLoss holds the figures of a game day against a witness.
func databaseLoss(t *testing.T, w *wikitest.Wiki, g gameday) {
	t.Helper()
	enginetest.Alone(t)
	watcher := newWitness(t, w.URL)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	watched := make(chan []seen, 1)
	go func() { watched <- watcher.watch(ctx) }()
	code, out, text := g.run(t, "run", "wiki-db-loss", "--json")
	stop()
	all := <-watched
	var v struct {
		Verdict, State string
		FirstImpact    *float64  `json:"first_impact_s"`
		FaultAt        time.Time `json:"fault_at"`
		RevertAt       time.Time `json:"revert_at"`
		ServedAgain    *float64  `json:"served_again_s"`
		Writes         *struct{ Acknowledged, Lost, Unconfirmed int }
		Load           []struct {
			Rate float64 `json:"rate_per_s"`
		}
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("exit code %d: %v\n%s\n%s", code, err, out, text)
	}
	if code != 1 || v.Verdict != "proven" || v.State != "down" || v.ServedAgain == nil || v.FirstImpact == nil {
		t.Fatalf("exit code %d: %s\n%s", code, out, text)
	}
	if v.Writes == nil || v.Writes.Acknowledged < 20 || v.Writes.Lost != 0 || v.Writes.Unconfirmed != 0 {
		t.Errorf("writes: %+v", v.Writes)
	}
	bad, good := lastBad(all)
	if bad.IsZero() || good.IsZero() {
		t.Fatalf("of %d requests of the witness, the last bad one was sent at %v, a good one after it at %v", len(all), bad, good)
	}
	theirs := bad.Sub(v.RevertAt).Seconds()
	// The users of gameday come at the rate of the load, up to half a gap early or late.
	ours := 1.5 / v.Load[0].Rate
	t.Logf("edits: %d acknowledged, %d lost", v.Writes.Acknowledged, v.Writes.Lost)
	t.Logf("the last user who was not served, after the revert was ordered: gameday's at %.3f s (a gap is %.3f s), the witness's at %.3f s (the next one at %.3f s); they differ by %.3f s",
		*v.ServedAgain, ours, theirs, good.Sub(v.RevertAt).Seconds(), math.Abs(*v.ServedAgain-theirs))
	if gaps := ours + good.Sub(bad).Seconds(); math.Abs(*v.ServedAgain-theirs) > gaps {
		t.Errorf("they do not agree to within one gap of each, %.3f s", gaps)
	}
}

// gameday is the program under test, and the folder where it is run.
type gameday struct{ binary, dir string }

func newGameday(t *testing.T, dir string) gameday {
	t.Helper()
	g := gameday{filepath.Join(t.TempDir(), "gameday"), dir}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", g.binary, "github.com/gameday-dev/gameday/cmd/gameday")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return g
}

func (g gameday) run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(g.binary, args...) //nolint:noctx // it must revert what it did
	cmd.Dir, cmd.Env = g.dir, append(os.Environ(), "GAMEDAY_STATE_DIR="+filepath.Join(g.dir, "state"))
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	_ = cmd.Run() // the exit code says how it went
	return cmd.ProcessState.ExitCode(), out.String(), text.String()
}
