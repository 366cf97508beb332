package probe_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gameday-dev/gameday/internal/bounded/boundedtest"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
)

// encoders are vegeta's encodings.
func encoders() map[string]func(io.Writer) vegeta.Encoder {
	return map[string]func(io.Writer) vegeta.Encoder{"gob": vegeta.NewEncoder, "csv": vegeta.NewCSVEncoder, "json": vegeta.NewJSONEncoder}
}

// encoded is results in one of vegeta's encodings.
func encoded(tb testing.TB, encoder func(io.Writer) vegeta.Encoder, results ...vegeta.Result) []byte {
	tb.Helper()
	var file bytes.Buffer
	encode := encoder(&file)
	for _, r := range results {
		if err := encode(&r); err != nil {
			tb.Fatal(err)
		}
	}
	return file.Bytes()
}

// packed is data in one member of gzip. Members may follow each other, so a file that
// unpacks to a gigabyte is cheap to make.
func packed(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	if _, err := w.Write(data); err != nil || w.Close() != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

func readResults(data []byte) (all []record.Sample, err error) {
	for s, err := range probe.NewResults(bytes.NewReader(data)).All() {
		if err != nil {
			return all, err
		}
		all = append(all, s)
	}
	return all, nil
}

// A result file of a megabyte that unpacks to a gigabyte is an error as soon as one of its
// results is too large (M14).
func TestResultsThatUnpackWithoutEnd(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	one := vegeta.Result{Attack: "a", Code: 200, Timestamp: time.Unix(1_790_000_000, 0)}
	tails := map[byte][]byte{}
	for _, tail := range []byte{0, 'x', '\n', '"'} {
		tails[tail] = bytes.Repeat(packed(t, bytes.Repeat([]byte{tail}, 32<<20)), 32)
	}
	for name, encoder := range encoders() {
		for tail, many := range tails {
			file := append(packed(t, encoded(t, encoder, one, one)), many...)
			boundedtest.Allocates(t, 400<<20, func() {
				all, err := readResults(file)
				if len(all) < 1 || len(all) > 2 || err == nil {
					t.Errorf("%s, then %q: %d read, %v", name, tail, len(all), err)
				}
			})
		}
	}
	for _, head := range []string{"", "{", `1790000000,200,"`} {
		file := append(packed(t, []byte(head)), tails['x']...)
		boundedtest.Allocates(t, 600<<20, func() {
			if all, err := readResults(file); len(all) > 0 || !errors.Is(err, probe.ErrNotResults) {
				t.Errorf("%q: %d read, %v", head, len(all), err)
			}
		})
	}
}

// FuzzResults reads any bytes as a result file. It ends with samples that are the same
// when they are written and read again, or with an error that says which result it is.
func FuzzResults(f *testing.F) {
	seeds := []vegeta.Result{
		{Attack: "a", Seq: 1, Code: 200, Timestamp: time.Unix(1_790_000_000, 5).UTC(), Latency: time.Millisecond, Body: []byte("x"), Headers: map[string][]string{"A": {"b"}}},
		{Seq: math.MaxUint64, Timestamp: time.Unix(0, math.MinInt64), Latency: math.MinInt64, Error: "context canceled"},
	}
	for _, encoder := range encoders() {
		data := encoded(f, encoder, seeds...)
		f.Add(data)
		f.Add(packed(f, data))
	}
	for _, text := range []string{
		old6, k6Head + k6Rows("1790000000100", 20, 80, "200,,,true"), k6Lines("2026-09-21T14:13:20.1Z", 0, 100, "200", "true"),
		jtl + "1790000000000,20,a,200,OK,t 1-1,text,true,,2,2,1,1,http://x,20,0,5\n", "Error,Latency,Code,Timestamp\n,20000000,200,1790000000000000000\n",
		`<testResults><httpSample t="20" ts="1790000000000" s="true" rc="200"><sample/></httpSample></testResults>`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := readResults(data)
		if err != nil && !errors.Is(err, probe.ErrNotResults) && !strings.HasPrefix(err.Error(), "result ") && !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("an error that does not say where: %v", err)
		}
		if !bytes.HasPrefix(data, []byte("\x1f\x8b")) && len(all) > len(data) {
			t.Errorf("%d results of %d bytes", len(all), len(data))
		}
		again := make([]vegeta.Result, 0, len(all))
		for _, s := range all[:min(len(all), 100)] {
			again = append(again, vegeta.Result{Attack: s.Journey, Seq: s.Seq, Code: s.Code, Timestamp: s.Sent, Latency: s.Latency, Error: s.Error})
		}
		if len(again) == 0 {
			return
		}
		same, err := readResults(encoded(t, vegeta.NewEncoder, again...))
		if err != nil || len(same) != len(again) {
			t.Fatalf("%d results, read again %d: %v", len(again), len(same), err)
		}
		for i, s := range same {
			if s.Seq != all[i].Seq || !s.Sent.Equal(all[i].Sent) || s.Latency != all[i].Latency || s.Failed() != all[i].Failed() || s.Void != all[i].Void {
				t.Errorf("found %+v, expected %+v", s, all[i])
			}
		}
	})
}
