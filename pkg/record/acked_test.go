package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/record/recordtest"
)

// keeping is a record under way that keeps acknowledged writes: n of each of two journeys,
// with a secret in each ID and a token beside it.
func keeping(t *testing.T, n int) (dir string, w *record.Writer) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	w.Redact = func(s string) string { return strings.ReplaceAll(s, "s3cret", "***") }
	if err := w.KeepAcks(); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		for _, journey := range []string{"checkout", "refund"} {
			if err := w.Ack(record.Ack{Journey: journey, ID: fmt.Sprintf("s3cret-%d", i), At: at(i), Vars: map[string]string{"token": "t0ken"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir, w
}

// Writes are on disk before the run ends, so that a crash loses none of those before the
// last mark. Neither file has a secret, and only one has a name.
func TestAcksGoToDiskAsTheyCome(t *testing.T) {
	t.Parallel()
	dir, w := keeping(t, 1000)
	if err := w.Event(record.Event{At: at(0), Kind: record.KindMark, Mark: record.MarkFault}); err != nil {
		t.Fatal(err)
	}
	acks, err := recordtest.Acks(dir)
	if err != nil || len(acks) != 2000 || acks[1999].ID != "***-999" || acks[1999].Journey != "refund" || acks[1999].Presence != "" {
		t.Fatalf("%d writes, %v", len(acks), err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || slices.ContainsFunc(files, func(f os.DirEntry) bool { return strings.HasPrefix(f.Name(), ".") }) {
		t.Errorf("found %v, expected no hidden file: %v", files, err)
	}
	data, err := os.ReadFile(filepath.Join(dir, record.WritesFile))
	if err != nil || bytes.Contains(data, []byte("s3cret")) || bytes.Contains(data, []byte("t0ken")) {
		t.Errorf("%v, or a secret in %.200q", err, data)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// What is hidden from readers is encrypted on the disk too.
func TestAcksAreHidden(t *testing.T) {
	t.Parallel()
	_, w := keeping(t, 1000)
	defer w.Close()
	data := record.Hidden(t, w)
	if len(data) < 100_000 || bytes.Contains(data, []byte("s3cret")) || bytes.Contains(data, []byte("t0ken")) || bytes.Contains(data, []byte("checkout")) {
		t.Errorf("a secret in %d bytes %.200q", len(data), data)
	}
}

// A look-up gets the writes of its journey as they were, as often as it asks; two that agree
// are the presence of a write.
func TestLookUpsAreStored(t *testing.T) {
	t.Parallel()
	dir, w := keeping(t, 5)
	err := w.Confirm(func(acks *record.Acked) {
		if n := acks.Len("checkout"); n != 5 || acks.Len("other") != 0 {
			t.Errorf("%d writes", n)
		}
		for range acks.All("checkout") {
			break // a reading that is not ended prevents no other
		}
		for _, found := range [][]string{{"present", "absent", "present", "timeout"}, {"present", "absent", "absent", "timeout", "present"}} {
			n := 0
			for place, ack := range acks.All("checkout") {
				if ack.ID != fmt.Sprintf("s3cret-%d", n) || ack.Vars["token"] != "t0ken" || place != 2*n {
					t.Errorf("%d: %+v at %d", n, ack, place)
				}
				if n < len(found) {
					acks.Found(place, found[n])
				}
				n++
			}
		}
		if acks.Err() != nil {
			t.Error(acks.Err())
		}
	})
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	acks, err := recordtest.Acks(dir)
	if err != nil {
		t.Fatal(err)
	}
	var want []record.Ack
	for i, presence := range []string{"present", "absent", "unconfirmed", "unconfirmed", "unconfirmed"} {
		want = append(want, record.Ack{Journey: "checkout", ID: "***-" + strconv.Itoa(i), At: at(i), Presence: presence},
			record.Ack{Journey: "refund", ID: "***-" + strconv.Itoa(i), At: at(i), Presence: "unconfirmed"})
	}
	if diff := cmp.Diff(want, acks); diff != "" {
		t.Error(diff)
	}
}

// Presences that cannot be stored are an error of the record, and leave the writes.
func TestPresencesAreStoredWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir, w := keeping(t, 5)
	path := filepath.Join(dir, record.WritesFile)
	var torn []byte
	err := w.Confirm(func(*record.Acked) {
		data, err := os.ReadFile(path)
		torn = slices.Clone(data[:len(data)-1])
		if err := errors.Join(err, os.WriteFile(path, torn, 0o600)); err != nil {
			t.Fatal(err)
		}
	})
	if err == nil || w.Close() == nil {
		t.Error("no error")
	}
	if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, torn) {
		t.Errorf("%v, found %q", err, data)
	}
}

// A run that does not look writes up keeps none.
func TestAcksAreKeptOnlyIfTheyAreLookedUp(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err := errors.Join(err, w.Ack(record.Ack{ID: "1", At: at(0)}), w.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, record.WritesFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("found %s: %v", record.WritesFile, err)
	}
}
