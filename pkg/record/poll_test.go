package record_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/record"
)

func TestPollsAreReadAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.Redact = func(text string) string { return strings.ReplaceAll(text, "hunter2", "…") }
	if all, err := record.Polls(dir); all != nil || err != nil {
		t.Errorf("before the first poll: %v, %v", all, err)
	}
	at := time.Date(2026, 11, 30, 12, 0, 0, 123456789, time.UTC)
	want := []record.Poll{
		{Of: record.PollAlert, N: 1, Asked: at, Answered: at.Add(time.Millisecond), Holds: new(false)},
		{Of: record.PollMetric, Asked: at, Answered: at.Add(time.Second), Value: new(0.5)},
		{Of: record.PollCondition, N: 2, Asked: at, Answered: at, Why: "no answer from …"},
	}
	for _, p := range want {
		p.Why = strings.ReplaceAll(p.Why, "…", "hunter2")
		if err := w.Poll(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := record.Polls(dir)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	// The last line is torn.
	path := filepath.Join(dir, record.PollsFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range data {
		if err := os.WriteFile(path, data[:len(data)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := record.Polls(dir)
		if err != nil || len(got) > len(want) || cut > 2 && len(got) == len(want) {
			t.Fatalf("cut by %d bytes: %d polls, %v", cut, len(got), err)
		}
	}
	newer := strings.Replace(string(data), record.PollsSchema, "gameday/polls/v2", 1)
	if err := os.WriteFile(path, []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = record.Polls(dir)
	if schema := (*record.SchemaError)(nil); !errors.As(err, &schema) || !strings.Contains(err.Error(), "use a newer gameday") {
		t.Errorf("a newer file: %v", err)
	}
}
