package run_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/target"
)

// A guard goes on trying although a line of the journal cannot be read: what can be read is
// still in force, and the engine may only be busy.
func TestAGuardOfADamagedJournalGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		path := p.left(t)
		busy := time.Now().Add(2 * time.Minute)
		p.OnStart = func() error {
			if time.Now().Before(busy) {
				return errors.New("the engine is busy")
			}
			return nil
		}
		here := func(context.Context, journal.Header) (target.Site, target.Provisioner, error) { return p.Env, nil, nil }
		gone := make(chan struct{})
		close(gone)
		damage := func() error { // after the guard has begun
			data, err := os.ReadFile(path)
			header, rest, _ := strings.Cut(string(data), "\n")
			return errors.Join(err, os.WriteFile(path, []byte(header+"\n{garbage\n"+rest), 0o600))
		}
		err := run.Replay{StateDir: p.home, Open: here, Note: p.said.add}.Guard(t.Context(), path, damage, gone)
		if p.state() != target.Running {
			t.Errorf("given up while it is %s: %v", p.state(), err)
		}
	})
}
