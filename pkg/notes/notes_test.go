package notes_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/notes"
	"github.com/gameday-dev/gameday/pkg/record"
)

func at(ms int) time.Time { return time.UnixMilli(1_790_000_000_000 + int64(ms)).UTC() }

// write makes a finished record.
func write(t *testing.T, dir string) {
	t.Helper()
	w, err := record.Create(dir)
	if err == nil {
		err = errors.Join(w.Event(record.Event{At: at(7), Kind: record.KindMark, Mark: record.MarkFault}), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func said(t *testing.T, dir, text string) {
	t.Helper()
	if err := notes.Say(dir, record.Event{At: at(0), By: "ann", What: text}); err != nil {
		t.Fatal(err)
	}
}

// texts are the texts of what people said about a run.
func texts(t *testing.T, dir string) (all []string) {
	t.Helper()
	events, err := record.Events(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == record.KindPerson {
			all = append(all, e.By+": "+e.What)
		}
	}
	return all
}

// writer is the variable that makes this test's binary write notes into a folder.
const writer = "GAMEDAY_TEST_NOTES_INTO"

// TestMain writes notes, as another process of a test does.
func TestMain(m *testing.M) {
	dir := os.Getenv(writer)
	if dir == "" {
		os.Exit(m.Run()) //nolint:forbidigo // as testing does
	}
	for i := range 50 {
		e := record.Event{At: at(i), By: "another process", What: fmt.Sprintf("%d %s", i, strings.Repeat("x", 900))}
		if err := notes.Say(dir, e); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // it is a process of its own
		}
	}
	os.Exit(0) //nolint:forbidigo // likewise
}

// A run and two other processes write one file at the same time: each line of all of them is
// there, whole, and those of each in its order.
func TestProcessesWriteOneFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	leave := notes.StayOn(dir)
	ear := w.Ear()
	var others sync.WaitGroup
	for range 2 {
		others.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), writer+"="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	ended := make(chan struct{})
	go func() { defer close(ended); others.Wait() }()
	own, pause := 0, time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for going := true; going; own++ {
		if err := w.Event(record.Event{At: at(own), Kind: record.KindLoad, What: fmt.Sprintf("%d %s", own, strings.Repeat("y", 700))}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ended:
			going = false
		case <-pause.C:
		}
	}
	leave()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	events, err := record.Events(dir)
	if err != nil {
		t.Fatal(err)
	}
	next := map[string][]int{}
	for _, e := range events {
		var n int
		if _, err := fmt.Sscan(e.What, &n); err == nil {
			next[e.Kind] = append(next[e.Kind], n)
		}
	}
	if len(next[record.KindLoad]) != own || len(next[record.KindPerson]) != 100 {
		t.Errorf("%d of %d events of the run, %d of 100 notes", len(next[record.KindLoad]), own, len(next[record.KindPerson]))
	}
	for i, n := range next[record.KindLoad] {
		if i != n {
			t.Fatalf("event %d of the run is its %d", n, i)
		}
	}
	if heard := ear.Heard(); len(heard) == 0 || heard[0].By != "another process" {
		t.Errorf("the run heard %d notes", len(heard))
	}
}

func TestARunHearsEachNoteOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	said(t, dir, "before it listened")
	ear := w.Ear()
	if heard := ear.Heard(); len(heard) != 0 {
		t.Errorf("heard %v", heard)
	}
	said(t, dir, "one")
	if err := w.Event(record.Event{Kind: record.KindNote, What: "the run's own"}); err != nil {
		t.Fatal(err)
	}
	said(t, dir, "two")
	var texts []string
	for range 3 {
		for _, e := range ear.Heard() {
			texts = append(texts, e.What)
		}
	}
	if diff := cmp.Diff([]string{"one", "two"}, texts); diff != "" {
		t.Error(diff)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// Whatever a power cut has left at the end of a finished record, a note can be written, and
// all that could be read before can be read after.
func TestNotesAfterAPowerCut(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	write(t, dir)
	path := filepath.Join(dir, record.EventsFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := strings.IndexByte(string(whole), '\n') + 1 // without it, the record has no schema
	for cut := first; cut <= len(whole); cut++ {
		for _, zeros := range []int{0, 1, 5000} {
			if err := os.WriteFile(path, append(append([]byte{}, whole[:cut]...), make([]byte, zeros)...), 0o600); err != nil {
				t.Fatal(err)
			}
			before, err := record.Events(dir)
			if err != nil {
				t.Fatal(err)
			}
			said(t, dir, "one")
			said(t, dir, "two")
			after, err := record.Events(dir)
			if err != nil || len(after) != len(before)+2 {
				t.Fatalf("cut at %d of %d, %d zeros: %d events, then %d: %v", cut, len(whole), zeros, len(before), len(after), err)
			}
		}
	}
}

// A note of no place to write it is an error: no record, a link out of the folder, a pipe.
func TestNotesGoIntoRecordsOnly(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(outside, []byte(`{"schema":"gameday/record/v1"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, plant := range map[string]func(path string) error{
		"nothing":   func(string) error { return nil },
		"a link":    func(path string) error { return os.Symlink(outside, path) },
		"a pipe":    func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"no record": func(path string) error { return os.WriteFile(path, []byte("hello\n"), 0o600) },
		"newer": func(path string) error {
			return os.WriteFile(path, []byte(`{"schema":"gameday/record/v9"}`+"\n"), 0o600)
		},
	} {
		dir := t.TempDir()
		if err := plant(filepath.Join(dir, record.EventsFile)); err != nil {
			t.Fatal(err)
		}
		if err := notes.Say(dir, record.Event{What: "x"}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if notes.GoesOn(dir) {
			t.Errorf("%s: it goes on", name)
		}
	}
	if data, err := os.ReadFile(outside); err != nil || strings.Contains(string(data), "person") {
		t.Errorf("%q %v", data, err)
	}
}

// A note is a note, whatever it claims: it marks no moment and names no schema.
func TestANoteIsNoMark(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	write(t, dir)
	e := record.Event{At: at(0), Kind: record.KindMark, Mark: record.MarkRevert, Schema: "gameday/record/v9", By: "ann", What: "\"}\n{\"mark\":\"fault\"}"}
	if err := notes.Say(dir, e); err != nil {
		t.Fatal(err)
	}
	events, err := record.Events(dir)
	if err != nil || len(events) != 3 {
		t.Fatalf("%v %v", events, err)
	}
	if _, marked := record.MarksOf(events)[record.MarkRevert]; marked {
		t.Error("a note has marked a moment")
	}
	if diff := cmp.Diff([]string{"ann: " + e.What}, texts(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestARunTakesSoManyNotes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	write(t, dir)
	path := filepath.Join(dir, record.EventsFile)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString(strings.Repeat(`{"at":"2026-11-26T12:00:00Z","kind":"person","what":"x"}`+"\n", 999))
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	said(t, dir, "the last")
	if err := notes.Say(dir, record.Event{What: "one more"}); !errors.Is(err, notes.ErrFull) {
		t.Error(err)
	}
}

func TestGoesOn(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	leave := notes.StayOn(dir)
	if !notes.GoesOn(dir) {
		t.Error("a run that goes on does not")
	}
	said(t, dir, "while it goes on")
	leave()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if notes.GoesOn(dir) {
		t.Error("a run that has ended goes on")
	}
	began := time.Now()
	said(t, dir, "after it")
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}
