package daemon

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/pkg/store"
)

// Whatever a file of an outcome contains, the outcome in the file after it gets into the
// store, and so does the next one of the same daemon.
func FuzzOutcomes(f *testing.F) {
	for _, seed := range []string{
		`{"job":1,"instance":"i","state":"done","verdict":"proven","exit_code":1,"document":"{}","ended":"2026-11-30T10:00:00Z"}`,
		`{"job":1,"instance":"i","state":"done","hold":{"environment":"staging","why":"db is down","who":"gameday"}}`,
		`{"job":1,"instance":"i","state":"running","ended":"0000-01-01T00:00:00Z"}`,
		`{"job":9223372036854775807,"instance":"\u0000","state":"done","why":"\u0000"}`,
		`{"job":-1}`, `{"store":"another","job":1}`, `{"job":1.5}`, `[]`, `null`, ``, "\xff\xfe",
	} {
		f.Add([]byte(seed))
	}
	s, err := store.Open(f.Context(), filepath.Join(f.TempDir(), "serve.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	claimed := func(t *testing.T, instance string) int64 {
		t.Helper()
		j := store.Job{What: "db-loss", Environment: instance, Due: time.Now(), State: store.Queued}
		id, err := s.Add(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		j.ID = id
		if ok, err := s.Claim(t.Context(), j, instance, Lease); err != nil || !ok {
			t.Fatal("claim the job", ok, err)
		}
		return id
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := Daemon{Store: s, Instance: "i", Spool: t.TempDir(), Log: slog.New(slog.DiscardHandler), Hub: &Hub{}, foreign: map[string]bool{}}
		instance := rand.Text() // data that names the good job would be its outcome
		good := claimed(t, instance)
		name := func(id int64) string { return filepath.Join(d.spoolDir(), fmt.Sprintf("job-%d.json", id)) }
		if err := os.MkdirAll(d.spoolDir(), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := atomicfile.WriteBytes(name(0), 0o600, data); err != nil { // read before the good one
			t.Fatal(err)
		}
		outcome := fmt.Appendf(nil, `{"store":%q,"job":%d,"instance":%q,"state":"done","verdict":"disproved"}`, s.ID(), good, instance)
		if err := atomicfile.WriteBytes(name(good), 0o600, outcome); err != nil {
			t.Fatal(err)
		}
		if err := d.replay(t.Context()); err != nil {
			t.Errorf("outcomes after %q wait for it: %v", data, err)
		}
		if j, err := s.Job(t.Context(), good); err != nil || j.State != store.Done || j.Verdict != "disproved" {
			t.Errorf("after %q, the next outcome is lost: %+v, %v", data, j, err)
		}
		if _, err := os.Stat(name(good)); err == nil {
			t.Errorf("after %q, the next outcome's file stays", data)
		}
	})
}
