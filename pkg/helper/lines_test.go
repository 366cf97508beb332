package helper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Every order has one answer, with its number and in its order, whatever is wrong
// with it.
func TestOrdersAndAnswers(t *testing.T) {
	t.Parallel()
	const thing1 = `"work":{"thing":{"name":"one"}}`
	for name, c := range map[string]struct {
		lines []string
		want  string // the answers: number and error
		did   []string
	}{
		"nothing":             {nil, "", nil},
		"a sign of life":      {[]string{`{"id":1,"op":"renew"}`}, "1 -", nil},
		"numbers of any kind": {[]string{`{"id":18446744073709551615,"op":"renew"}`, `{"id":0,"op":"renew"}`, `{"op":"renew"}`}, "18446744073709551615 -\n0 -\n0 -", nil},
		"the same number":     {[]string{`{"id":1,"op":"renew"}`, `{"id":1,"op":"renew"}`}, "1 -\n1 -", nil},
		"apply and undo": {
			[]string{`{"id":1,"op":"apply","name":"a",` + thing1 + `}`, `{"id":2,"op":"status","name":"a"}`, `{"id":3,"op":"undo","name":"a"}`, `{"id":4,"op":"status","name":"a"}`},
			"1 -\n2 -\n3 -\n4 nothing of this name is in force",
			[]string{"begin one as gameday_a_1", "undo one"},
		},
		"no two names in the kernel are the same": {
			[]string{`{"id":1,"op":"apply","name":"a",` + thing1 + `}`, `{"id":2,"op":"undo","name":"a"}`, `{"id":3,"op":"apply","name":"a",` + thing1 + `}`, `{"id":4,"op":"undo","name":"a"}`},
			"1 -\n2 -\n3 -\n4 -",
			[]string{"begin one as gameday_a_1", "undo one", "begin one as gameday_a_2", "undo one"},
		},
		"a name that is empty": {
			[]string{`{"id":1,"op":"apply",` + thing1 + `}`, `{"id":2,"op":"status"}`, `{"id":3,"op":"undo"}`},
			"1 -\n2 -\n3 -",
			[]string{"begin one as gameday__1", "undo one"},
		},
		"undo what is not there": {[]string{`{"id":1,"op":"undo","name":"a"}`, `{"id":2,"op":"undo"}`}, "1 -\n2 -", nil},
		"try":                    {[]string{`{"id":1,"op":"try",` + thing1 + `}`, `{"id":2,"op":"try","work":{"thing":{"refuse":"no"}}}`}, "1 -\n2 no", []string{"try one", "try "}},
		"mend":                   {[]string{`{"id":1,"op":"mend",` + thing1 + `}`}, "1 -", []string{"mend one"}},
		"do":                     {[]string{`{"id":1,"op":"do","work":{"word":{"say":"hello"}}}`, `{"id":2,"op":"do","work":{"word":{}}}`}, "1 -\n2 nothing to say", []string{"say hello", "say "}},
		"do what lasts":          {[]string{`{"id":1,"op":"do",` + thing1 + `}`}, `1 the helper does not know this work: found "thing", expected one of [word]`, nil},
		"apply what does not last": {
			[]string{`{"id":1,"op":"apply","work":{"word":{"say":"hello"}}}`, `{"id":2,"op":"mend","work":{"word":{}}}`, `{"id":3,"op":"try","work":{"word":{}}}`},
			`1 the helper does not know this work: found "word", expected one of [thing]` + "\n" +
				`2 the helper does not know this work: found "word", expected one of [thing]` + "\n" +
				`3 the helper does not know this work: found "word", expected one of [thing]`, nil,
		},
		"no work at all": {
			[]string{`{"id":1,"op":"apply","name":"a"}`, `{"id":2,"op":"do","work":null}`, `{"id":3,"op":"mend","work":{}}`},
			"1 the helper does not know this work: an order is one work, and this is 0\n" +
				"2 the helper does not know this work: an order is one work, and this is 0\n" +
				"3 the helper does not know this work: an order is one work, and this is 0", nil,
		},
		"an order that is not known": {[]string{`{"id":1,"op":"dance"}`, `{"id":2}`, `{"id":3,"op":"APPLY"}`}, "1 unknown order \"dance\"\n2 unknown order \"\"\n3 unknown order \"APPLY\"", nil},
		"one fails and others go on": {
			[]string{`{"id":1,"op":"apply","name":"a","work":{"thing":{"name":"one","refuse":"no room"}}}`, `{"id":2,"op":"apply","name":"b",` + thing1 + `}`, `{"id":3,"op":"status","name":"a"}`},
			"1 no room\n2 -\n3 nothing of this name is in force",
			[]string{"begin one as gameday_a_1", "begin one as gameday_b_2", "undo one"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			got, err := w.serve(t, c.lines...)
			if len(c.lines) == 0 {
				got, err = nil, nil // an empty line is an order that is none
			}
			if err != nil || errorsOf(got) != c.want {
				t.Errorf("%v\n%s\nexpected\n%s", err, errorsOf(got), c.want)
			}
			for _, r := range got {
				if r.At.IsZero() {
					t.Errorf("an answer without its moment: %+v", r)
				}
			}
			w.did(t, c.did...)
			w.is(t)
		})
	}
}

// Whatever the input ends with, what is in force is undone, the last one first.
func TestTheInputEnds(t *testing.T) {
	t.Parallel()
	const began = `{"id":1,"op":"apply","name":"a","work":{"thing":{"name":"one"}}}` + "\n" +
		`{"id":2,"op":"apply","name":"b","work":{"thing":{"name":"two"}}}` + "\n"
	for name, c := range map[string]struct{ rest, want string }{
		"it ends":                 {"", ""},
		"in half an order":        {`{"id":3,"op":"apply","name":"c","work":{"thing":{"na`, "read an order: unexpected end of JSON input"},
		"without the end of line": {`{"id":3,"op":"renew"}`, ""},
		"with garbage":            {"exit\n", "read an order: invalid character 'e'"},
		"with an empty line":      {"\n", "read an order: unexpected end of JSON input"},
		"with two in a line":      {`{"id":3,"op":"renew"}{"id":4,"op":"renew"}` + "\n", "read an order: invalid character '{'"},
		"with a list":             {"[]\n", "read an order: json: cannot unmarshal array"},
		"with a negative number":  {`{"id":-1,"op":"renew"}` + "\n", "read an order: json: cannot unmarshal number -1"},
		"with zeros":              {strings.Repeat("\x00", 100) + "\n", `read an order: invalid character '\x00'`},
		"with a line too long":    {`{"id":3,"op":"undo","name":"` + strings.Repeat("x", maxLine) + "\"}\n", "token too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			var out bytes.Buffer
			err := w.works().serve(t.Context(), strings.NewReader(began+c.rest), &out)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, expected %q", err, c.want)
			}
			w.did(t, "begin one as gameday_a_1", "begin two as gameday_b_2", "undo two", "undo one")
			w.is(t)
			if got := replies(t, &out); len(got) < 2 {
				t.Errorf("of two orders before it these were answered: %+v", got)
			}
		})
	}
}

// The longest file that is kept goes into one line.
func TestTheLongestOrder(t *testing.T) {
	t.Parallel()
	o, err := order(&File{Path: "/x", Op: FileWrite, Write: &FileSeen{Exists: true, Content: bytes.Repeat([]byte{0xff}, MaxFile)}})
	if err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(Request{ID: 1, Op: OpDo, Work: o})
	if err != nil || len(line) >= maxLine {
		t.Errorf("%d bytes, %v", len(line), err)
	}
	got, err := (&world{}).serve(t, string(line))
	if err != nil || len(got) != 1 || !strings.Contains(got[0].Error, `found "file"`) {
		t.Errorf("%v, %s", err, errorsOf(got))
	}
}

// full is where no answer can be written any more, after some.
type full struct{ left int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// A helper that cannot answer undoes what it did: gameday does not know of it.
func TestAnswersThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, left := range []int{0, 1, 2} {
		t.Run(fmt.Sprintf("after %d", left), func(t *testing.T) {
			t.Parallel()
			w := &world{}
			in, orders := io.Pipe()
			defer orders.Close()
			go func() {
				for i := range 3 {
					if _, err := fmt.Fprintf(orders, `{"id":%d,"op":"apply","name":"%d","work":{"thing":{"name":"%d"}}}`+"\n", i, i, i); err != nil {
						return
					}
				}
			}()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if err := w.works().serve(ctx, in, &full{left: left}); !errors.Is(err, errFull) {
				t.Errorf("%v", err)
			}
			w.is(t)
			_ = in.Close()
		})
	}
}

// What ends a helper: the end of its context, which is a signal, and a lease that
// nothing renews, in which every order counts as a sign of life.
func TestWhatEndsAHelper(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		every time.Duration // an order
		for_  time.Duration // so long
		stop  time.Duration // and then it is signalled
		lasts time.Duration
		want  string
	}{
		"nothing is ever said":         {lasts: Lease, want: "the lease was not renewed"},
		"it is signalled":              {stop: 3 * time.Second, lasts: 3 * time.Second},
		"orders, and then silence":     {every: Lease - time.Second, for_: time.Minute, lasts: 6*(Lease-time.Second) + Lease, want: "the lease was not renewed"},
		"orders until it is signalled": {every: time.Second, for_: time.Hour, stop: 10 * time.Minute, lasts: 10 * time.Minute},
		"orders that come too late":    {every: Lease + time.Second, for_: time.Hour, lasts: Lease, want: "the lease was not renewed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &world{}
				in, orders := io.Pipe()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.stop > 0 {
					time.AfterFunc(c.stop, cancel)
				}
				began := time.Now()
				saying := make(chan struct{})
				go func() {
					defer close(saying)
					for c.every > 0 && time.Since(began)+c.every <= c.for_ {
						<-time.After(c.every)
						if _, err := io.WriteString(orders, `{"id":1,"op":"apply","name":"a","work":{"thing":{"name":"one"}}}`+"\n"); err != nil {
							return
						}
					}
				}()
				err := w.works().serve(ctx, in, io.Discard)
				if lasted := time.Since(began); lasted != c.lasts {
					t.Errorf("it lasted %v, expected %v", lasted, c.lasts)
				}
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%v, expected %q", err, c.want)
				}
				w.is(t)
				_, _ = in.Close(), orders.Close()
				<-saying
			})
		})
	}
}

// FuzzServe gives a helper anything to read: it ends, every order that is one has
// exactly one answer with its number, in order, up to the first that is none; and
// what was begun is undone.
func FuzzServe(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "rubbish\n", "{}\n", "null\n", "[]\n", `{"id":1,"op":"status","name":"x"}` + "\n" + `{"id":2,"op":"renew"}`,
		`{"id":1,"op":"apply","name":"a","work":{"thing":{"name":"one"}}}` + "\n" + `{"id":2,"op":"undo","name":"a"}` + "\n",
		`{"id":1,"op":"apply","name":"a","work":{"thing":{"name":"one","half":true,"refuse":"x"}}}` + "\n",
		`{"id":1,"op":"apply","name":"a","work":{"thing":{"name":"one"}}}` + "\n" + `{"id":2,"op":"apply","name":"a","work":{"thing":{"name":"two"}}}` + "\n" + "half {",
		`{"id":1,"op":"mend","work":{"thing":{}}}` + "\n" + `{"id":2,"op":"try","work":{"thing":{"refuse":"no"}}}` + "\n" + `{"id":3,"op":"do","work":{"word":{"say":"x"}}}` + "\n",
		`{"id":3,"op":"do","work":{"word":{"say":"x"},"thing":{}}}` + "\r\n" + `{"id":4,"op":"apply","work":{"earthquake":7}}` + "\n",
		`{"id":1,"op":"renew","op":"dance","\u0069d":7}` + "\n" + `{"id":1e3}` + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &world{}
		var out bytes.Buffer
		err := w.works().serve(t.Context(), bytes.NewReader(data), &out)
		var ids []uint64
		good := true
		for line := range bytes.Lines(data) {
			var r Request
			if good = json.Unmarshal(bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), &r) == nil; !good {
				break
			}
			ids = append(ids, r.ID)
		}
		got := replies(t, &out)
		for i, r := range got {
			if i >= len(ids) || r.ID != ids[i] {
				t.Fatalf("orders %v were answered by %+v", ids, got)
			}
		}
		if len(got) != len(ids) {
			t.Fatalf("of %d orders %d were answered", len(ids), len(got))
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if good != (err == nil) && w.stuck == 0 {
			t.Fatalf("all orders can be read: %v, and it ended with %v", good, err)
		}
		if len(w.now) > 0 && w.stuck == 0 {
			t.Fatalf("left: %v", w.now)
		}
	})
}

// Packets that were met before an update of the work, such as one for a peer that has moved,
// count as met after it; those of other work do not.
func TestWhatWasMetBeforeAnUpdate(t *testing.T) {
	t.Parallel()
	w := &world{}
	all, err := w.serve(t,
		`{"id":1,"op":"apply","name":"x","work":{"thing":{"name":"ab"}}}`,
		`{"id":2,"op":"apply","name":"x","work":{"thing":{"name":"cde"}}}`,
		`{"id":3,"op":"status","name":"x"}`,
		`{"id":4,"op":"apply","name":"x","work":{"thing":{"name":"f"}}}`,
		`{"id":5,"op":"apply","name":"y","work":{"thing":{"name":"other"}}}`,
		`{"id":6,"op":"status","name":"x"}`,
		`{"id":7,"op":"status","name":"y"}`,
		`{"id":8,"op":"undo","name":"x"}`,
		`{"id":9,"op":"apply","name":"x","work":{"thing":{"name":"ghij"}}}`,
		`{"id":10,"op":"status","name":"x"}`,
	)
	if err != nil || len(all) != 10 {
		t.Fatal(all, err)
	}
	for i, want := range map[int]uint64{2: 5, 5: 6, 6: 5, 9: 4} {
		if all[i].Packets != want {
			t.Errorf("answer %d: %d packets, expected %d", all[i].ID, all[i].Packets, want)
		}
	}
}
