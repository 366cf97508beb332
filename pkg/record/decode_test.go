package record_test

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
)

// gobbed is values as encoding/gob writes them.
func gobbed(tb testing.TB, values ...any) []byte {
	tb.Helper()
	var data bytes.Buffer
	encoder := gob.NewEncoder(&data)
	for _, v := range values {
		if err := encoder.Encode(v); err != nil {
			tb.Fatal(err)
		}
	}
	return data.Bytes()
}

// headed is vegeta's result, with the headers.
type headed struct {
	Attack            string
	Seq               uint64
	Code              uint16
	Timestamp         time.Time
	Latency           time.Duration
	BytesOut, BytesIn uint64
	Error             string
	Body              []byte
	Method, URL       string
	Headers           map[string][]string
}

// usual are files of the kinds that there are: of gameday, and of vegeta.
func usual(tb testing.TB) map[string][]byte {
	tb.Helper()
	var ours, theirs []any
	for i := range 5 {
		ours = append(ours, record.Result{
			Attack: "checkout", Seq: uint64(i), Code: 200, Timestamp: at(i), Latency: time.Duration(i) * time.Millisecond, BytesIn: 70_000,
			Error: strings.Repeat("timeout", i%2), Late: 7, Retries: i,
		})
		theirs = append(theirs, headed{
			Attack: "a", Seq: math.MaxUint64, Code: 503, Timestamp: at(i).In(time.FixedZone("", 3600*(i-1))), Latency: -1, Error: strings.Repeat("x", 700*i),
			Body: []byte("body"), Method: "GET", URL: "http://x/", Headers: map[string][]string{"A": {"b", "c"}, "D": {}},
		})
	}
	return map[string][]byte{"gameday": gobbed(tb, ours...), "vegeta": gobbed(tb, theirs...)}
}

// byGob decodes with encoding/gob alone.
func byGob(data []byte) (all []record.Sample, err error) {
	from := bufio.NewReader(bytes.NewReader(data))
	decoder := gob.NewDecoder(from)
	for {
		var r record.Stored
		if err := decoder.Decode(&r); err != nil {
			if _, more := from.ReadByte(); more == nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
				err = record.ErrBroken
			}
			return all, err
		}
		all = append(all, r.Sample())
	}
}

// byDecoder decodes with the decoder of records.
func byDecoder(data []byte) (all []record.Sample, slow bool, err error) {
	decoder := record.NewDecoder(bytes.NewReader(data))
	for {
		var s record.Sample
		if err := decoder.Next(&s); err != nil {
			return all, slow, err
		}
		all, slow = append(all, s), decoder.Slow()
	}
}

// same compares the two, the zones of times included.
func same(t *testing.T, data []byte) (slow bool) {
	t.Helper()
	want, wantErr := byGob(data)
	got, slow, err := byDecoder(data)
	if err.Error() != wantErr.Error() || len(got) != len(want) {
		t.Fatalf("found %d samples and %q, encoding/gob finds %d and %q", len(got), err, len(want), wantErr)
	}
	for i := range got {
		g, w := got[i], want[i]
		if !g.Sent.Equal(w.Sent) || g.Sent.Format(time.RFC3339Nano) != w.Sent.Format(time.RFC3339Nano) {
			t.Fatalf("sample %d was sent at %v, encoding/gob finds %v", i, g.Sent, w.Sent)
		}
		if g.Sent = w.Sent; g != w {
			t.Fatalf("sample %d is %+v, encoding/gob finds %+v", i, g, w)
		}
	}
	return slow
}

// The files of gameday and of vegeta never need encoding/gob, wherever the buffer ends.
func TestUsualFilesAreDecodedFast(t *testing.T) {
	t.Parallel()
	for name, data := range usual(t) {
		if same(t, data) {
			t.Errorf("%s: encoding/gob had to help", name)
		}
		for cut := range data {
			same(t, data[:cut])
		}
	}
	var many []any
	for i := range 20_000 {
		many = append(many, record.Result{Attack: "checkout", Seq: uint64(i), Error: strings.Repeat("e", i%90), Timestamp: at(i)})
	}
	if same(t, gobbed(t, many...)) {
		t.Error("encoding/gob had to help with a long file")
	}
}

// What the decoder does not expect is what encoding/gob makes of it.
func TestOtherFilesAreDecodedByGob(t *testing.T) {
	t.Parallel()
	type other struct {
		Attack string
		Seq    int
		More   map[string]int
	}
	type overflow struct{ Code uint64 }
	files := usual(t)
	for name, data := range map[string][]byte{
		"another struct":    gobbed(t, other{"a", 1, map[string]int{"b": 2}}, other{}),
		"other types":       gobbed(t, struct{ Attack []byte }{[]byte("a")}),
		"no struct":         gobbed(t, "a", "b"),
		"a code too large":  gobbed(t, overflow{200}, overflow{70_000}, overflow{200}),
		"two files":         append(bytes.Clone(files["vegeta"]), files["gameday"]...),
		"a large value":     gobbed(t, record.Stored{Attack: "a"}, record.Stored{Body: make([]byte, 1<<20), Attack: "b"}, record.Stored{Attack: "c"}),
		"zeros":             append(bytes.Clone(files["vegeta"]), make([]byte, 9)...),
		"more than a value": append(bytes.Clone(files["gameday"]), 2, 0, 0),
		"nothing":           nil,
		"headers of others": gobbed(t, struct{ Headers map[string]string }{map[string]string{"a": "b"}}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			same(t, data)
		})
	}
}

// FuzzDecode compares the decoder with encoding/gob on any bytes.
func FuzzDecode(f *testing.F) {
	for _, data := range usual(f) {
		f.Add(data)
		f.Add(append(bytes.Clone(data), data...))
		f.Add(data[:len(data)-3])
	}
	f.Fuzz(func(t *testing.T, data []byte) { same(t, data) })
}
