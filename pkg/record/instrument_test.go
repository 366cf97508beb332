package record_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/record"
)

// What is known of calibrations is read as it was written. A folder of an older gameday has
// none, and one of a newer gameday is an error.
func TestTruths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if all, err := record.Truths(dir); len(all) > 0 || err != nil {
		t.Errorf("%+v, %v", all, err)
	}
	at := time.Date(2026, 11, 30, 10, 0, 0, 1, time.UTC)
	want := []record.Truth{{
		Journey: "checkout", Samples: "gameday:calibration-1/checkout", Began: at, Closed: at.Add(time.Second), Opened: at.Add(2 * time.Second), Ended: at.Add(3 * time.Second),
		Rate: 100, Served: []record.Served{{Seq: 1, At: at, Until: at.Add(time.Millisecond)}},
	}}
	if err := record.WriteTruths(dir, want); err != nil {
		t.Fatal(err)
	}
	got, err := record.Truths(dir)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	got[0].Move(func(t time.Time) time.Time { return t.Add(-time.Hour) })
	got[0].Move(func(t time.Time) time.Time { return t.Add(time.Hour) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := os.WriteFile(filepath.Join(dir, record.TruthFile), []byte(`{"schema": "gameday/instrument/v2"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = record.Truths(dir)
	if newer, ok := errors.AsType[*record.SchemaError](err); !ok {
		t.Errorf("%v, %v", newer, err)
	}
}
