package helper

import (
	"strings"
	"testing"
)

// What could not be undone is not forgotten: an order to undo it that comes
// again is not answered as if nothing were there, and the end of the helper
// tries once more.
func TestAnUndoThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := &world{}
	got, err := w.serve(
		t,
		`{"id":1,"op":"apply","name":"a","work":{"thing":{"name":"one","stuck":2}}}`,
		`{"id":2,"op":"undo","name":"a"}`,
		`{"id":3,"op":"status","name":"a"}`,
		`{"id":4,"op":"undo","name":"a"}`,
		`{"id":5,"op":"undo","name":"a"}`,
		`{"id":6,"op":"undo","name":"a"}`,
	)
	if err != nil {
		t.Error(err)
	}
	want := "1 -\n2 one is stuck\n3 -\n4 one is stuck\n5 -\n6 -"
	if got := errorsOf(got); got != want {
		t.Errorf("answers\n%s\nexpected\n%s", got, want)
	}
	w.did(t, "begin one as gameday_a_1", "undo one", "undo one", "undo one")
	w.is(t)
}

func TestTheEndTriesOnceMore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stuck string
		want  string // of the error
		left  []string
	}{
		"it helps":      {`"stuck":1`, "", nil},
		"it helps not":  {`"stuck":9`, "one is stuck", []string{"one"}},
		"it was undone": {`"stuck":0`, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			_, err := w.serve(
				t,
				`{"id":1,"op":"apply","name":"a","work":{"thing":{"name":"one",`+c.stuck+`}}}`,
				`{"id":2,"op":"apply","name":"b","work":{"thing":{"name":"two"}}}`,
				`{"id":3,"op":"undo","name":"a"}`,
			)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, expected %q", err, c.want)
			}
			w.is(t, c.left...)
		})
	}
}

// Work that takes the place of another one is in force before that is undone,
// and if that cannot be undone, both are, later.
func TestInPlaceOfAnother(t *testing.T) {
	t.Parallel()
	w := &world{}
	got, err := w.serve(
		t,
		`{"id":1,"op":"apply","name":"a","work":{"thing":{"name":"one","stuck":1}}}`,
		`{"id":2,"op":"apply","name":"a","work":{"thing":{"name":"two"}}}`,
		`{"id":3,"op":"status","name":"a"}`,
		`{"id":4,"op":"apply","name":"a","work":{"thing":{"name":"three"}}}`,
		`{"id":5,"op":"apply","name":"a","work":{"thing":{"name":"four","refuse":"no room"}}}`,
		`{"id":6,"op":"status","name":"a"}`,
		`{"id":7,"op":"undo","name":"a"}`,
		`{"id":8,"op":"status","name":"a"}`,
	)
	if err != nil {
		t.Error(err)
	}
	want := "1 -\n2 one is stuck\n3 -\n4 -\n5 no room\n6 -\n7 -\n8 nothing of this name is in force"
	if got := errorsOf(got); got != want {
		t.Errorf("answers\n%s\nexpected\n%s", got, want)
	}
	if got[2].Note != "two" || got[5].Note != "three" {
		t.Errorf("the status is that of another: %+v %+v", got[2], got[5])
	}
	w.did(
		t,
		"begin one as gameday_a_1",
		"begin two as gameday_a_2", "undo one",
		"begin three as gameday_a_3", "undo two", "undo one",
		"begin four as gameday_a_4",
		"undo three",
	)
	w.is(t)
}

// Work that fails halfway and cannot take back what it did is undone by the
// order that follows a failure, or at the end.
func TestHalfOfIt(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]string{
		"undone":     `{"id":2,"op":"undo","name":"a"}`,
		"at the end": `{"id":2,"op":"renew"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			got, err := w.serve(t, `{"id":1,"op":"apply","name":"a","work":{"thing":{"name":"one","half":true,"refuse":"cut off"}}}`, last)
			if err != nil || errorsOf(got) != "1 cut off\n2 -" {
				t.Errorf("%v\n%s", err, errorsOf(got))
			}
			w.did(t, "begin one as gameday_a_1", "undo one")
			w.is(t)
		})
	}
}
