package journal_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/journal"
)

func create(tb testing.TB, dir string) *journal.Journal {
	tb.Helper()
	j, err := journal.Create(filepath.Join(dir, "run"+journal.Suffix), journal.Header{Run: "run", Address: json.RawMessage(`{}`)})
	if err != nil {
		tb.Fatal(err)
	}
	return j
}

func ids(entries []journal.Entry) []string {
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = e.ID
	}
	return all
}

func TestWhatBeganAndDidNotEndIsPendingInReverse(t *testing.T) {
	t.Parallel()
	j := create(t, t.TempDir())
	for _, id := range []string{"a", "b", "c"} {
		if err := j.Begin(journal.Entry{ID: id, Kind: "kill", State: json.RawMessage(`{"x":1}`)}); err != nil {
			t.Fatal(err)
		}
	}
	j.End("b")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := journal.Open(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(again.Pending()); !slices.Equal(got, []string{"c", "a"}) {
		t.Errorf("pending: %v", got)
	}
	if string(again.Pending()[0].State) != `{"x":1}` {
		t.Errorf("state: %s", again.Pending()[0].State)
	}
	again.End("a")
	again.End("c")
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(j.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a journal with nothing left: %v", err)
	}
}

func TestAHeldJournalIsLeftAlone(t *testing.T) {
	t.Parallel()
	j := create(t, t.TempDir())
	if _, err := journal.Open(j.Path()); !errors.Is(err, journal.ErrHeld) {
		t.Errorf("opened while it is held: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestANewerJournalIsAClearError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new"+journal.Suffix)
	if err := os.WriteFile(path, []byte(`{"journal":{"schema":"gameday/journal/v9","run":"r"}}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(path); !errors.Is(err, journal.ErrNewer) {
		t.Error(err)
	}
}

// A model of what is pending is held against the journal, while it is closed,
// opened, and cut off at any byte of its last line.
func TestJournalIsWhatWasWritten(t *testing.T) {
	t.Parallel()
	parent, round := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		dir := filepath.Join(parent, strconv.Itoa(round))
		j := create(t, dir)
		var pending []string
		steps := rapid.IntRange(0, 20).Draw(rt, "steps")
		for i := range steps {
			if len(pending) > 0 && rapid.Bool().Draw(rt, "end") {
				k := rapid.IntRange(0, len(pending)-1).Draw(rt, "which")
				j.End(pending[k])
				pending = slices.Delete(pending, k, k+1)
				continue
			}
			id := strconv.Itoa(i)
			if err := j.Begin(journal.Entry{ID: id}); err != nil {
				rt.Fatal(err)
			}
			pending = append(pending, id)
		}
		// One line more, of which the power cut leaves a part.
		if err := j.Begin(journal.Entry{ID: "torn"}); err != nil {
			rt.Fatal(err)
		}
		if err := j.Close(); err != nil {
			rt.Fatal(err)
		}
		data, err := os.ReadFile(j.Path())
		if err != nil {
			rt.Fatal(err)
		}
		line := strings.LastIndex(strings.TrimSuffix(string(data), "\n"), "\n") + 1
		cut := rapid.IntRange(line, len(data)).Draw(rt, "cut")
		if err := os.WriteFile(j.Path(), data[:cut], 0o600); err != nil {
			rt.Fatal(err)
		}
		if cut == len(data) {
			pending = append(pending, "torn")
		}
		again, err := journal.Open(j.Path())
		if err != nil {
			rt.Fatal(err)
		}
		want := slices.Clone(pending)
		slices.Reverse(want)
		if got := ids(again.Pending()); !slices.Equal(got, want) {
			rt.Fatalf("pending %v, expected %v", got, want)
		}
		// What comes after a torn line is whole again.
		if err := again.Begin(journal.Entry{ID: "after"}); err != nil {
			rt.Fatal(err)
		}
		if err := again.Close(); err != nil {
			rt.Fatal(err)
		}
		last, err := journal.Open(j.Path())
		if err != nil {
			rt.Fatal(err)
		}
		if got := ids(last.Pending()); !slices.Equal(got, append([]string{"after"}, want...)) {
			rt.Fatalf("after a torn line: %v", got)
		}
		_ = last.Close()
	})
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"journal":{"schema":"gameday/journal/v1","run":"r"}}` + "\n" + `{"begin":{"id":"1","kind":"kill"}}` + "\n" + `{"end":"1"}`))
	f.Add([]byte("\n\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x"+journal.Suffix)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, peeked, ofPeek := journal.Peek(path)
		j, err := journal.Open(path)
		if (err == nil) != (ofPeek == nil || errors.Is(ofPeek, journal.ErrDamaged)) {
			t.Fatalf("opened: %v, and peeked at: %v", err, ofPeek)
		}
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("an error that does not name the journal: %v", err)
			}
			return
		}
		before := len(j.Pending())
		if len(peeked) != before || before > len(data) {
			t.Errorf("%d pending, peeked at %d", before, len(peeked))
		}
		if err := j.Begin(journal.Entry{ID: "one more"}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil && !errors.Is(err, journal.ErrDamaged) {
			t.Fatal(err)
		}
		again, err := journal.Open(path)
		if err != nil {
			t.Fatalf("what was written after it cannot be read: %v", err)
		}
		if len(again.Pending()) != before+1 {
			t.Fatalf("%d pending, expected %d", len(again.Pending()), before+1)
		}
		_ = again.Close()
	})
}

func TestALockNamesItsHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	held, err := journal.Acquire(dir, "engine-project", journal.Holder{Run: "first", PID: 42, Environment: "staging"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = journal.Acquire(dir, "engine-project", journal.Holder{Run: "second", Environment: "staging"})
	var busy *journal.BusyError
	if !errors.As(err, &busy) || busy.Holder.Run != "first" || busy.Holder.PID != 42 {
		t.Fatalf("%v", err)
	}
	other, err := journal.Acquire(dir, "another", journal.Holder{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(held.Release(), other.Release()); err != nil {
		t.Fatal(err)
	}
	next, err := journal.Acquire(dir, "engine-project", journal.Holder{Run: "third"})
	if err != nil {
		t.Fatalf("the lock of one that is gone stands in the way: %v", err)
	}
	if err := next.Release(); err != nil {
		t.Fatal(err)
	}
}

// What is known to have been carried out is known to the next process too; what
// is not may still be under way.
func TestDoneIsRemembered(t *testing.T) {
	t.Parallel()
	j := create(t, t.TempDir())
	for _, id := range []string{"sure", "doubtful"} {
		if err := j.Begin(journal.Entry{ID: id, Settle: time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(j.Done("sure"), j.Close()); err != nil {
		t.Fatal(err)
	}
	again, err := journal.Open(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for _, e := range again.Pending() {
		if e.Done != (e.ID == "sure") || e.Settle != time.Second {
			t.Errorf("%+v", e)
		}
	}
}

// On a full disk, that something was undone cannot be written down. A journal of which
// nothing is left goes all the same; of another one that is told, and it is undone again.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	for left, want := range map[int]string{0: "", 1: "write journal"} {
		j := create(t, t.TempDir())
		for _, id := range []string{"a", "b"} {
			if err := j.Begin(journal.Entry{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Full(); err != nil {
			t.Fatal(err)
		}
		if err := j.Begin(journal.Entry{ID: "c"}); err == nil {
			t.Error("an entry that is not on disk has begun")
		}
		j.End("a")
		if left == 0 {
			j.End("b")
		}
		if len(j.Pending()) != left {
			t.Errorf("%v", j.Pending())
		}
		err := j.Close()
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d left: %v", left, err)
		}
		if _, err := os.Stat(j.Path()); (err == nil) != (left > 0) {
			t.Errorf("%d left: %v", left, err)
		}
	}
}

// What can be read of a damaged journal is pending, and it stays.
func TestADamagedJournal(t *testing.T) {
	t.Parallel()
	j := create(t, t.TempDir())
	for _, id := range []string{"a", "b"} {
		if err := j.Begin(journal.Entry{ID: id, Kind: "kill"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	lines[1] = `{"begin":{"id":"a","kind":` + "\n"
	if err := os.WriteFile(j.Path(), []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	header, pending, err := journal.Peek(j.Path())
	if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), "line 2 cannot be read") || header.Run != j.Header.Run || len(pending) != 1 || pending[0].ID != "b" {
		t.Errorf("%+v %+v %v", header, pending, err)
	}
	again, err := journal.Open(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	again.End("b")
	if err := again.Close(); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(j.Path()); err != nil {
		t.Error(err)
	}
}
