package probe

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gameday-dev/gameday/pkg/record"
)

// ErrNotResults is the error for a file in none of vegeta's encodings.
var ErrNotResults = errors.New("not a vegeta result file (gob, CSV or JSON, gzipped or not)")

// Results reads a result file of vegeta. It detects the encoding from the content.
func Results(from io.Reader) iter.Seq2[record.Sample, error] {
	return func(yield func(record.Sample, error) bool) {
		buffered := bufio.NewReaderSize(from, 256<<10)
		if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
			unzipped, err := gzip.NewReader(buffered)
			if err != nil {
				yield(record.Sample{}, fmt.Errorf("%w: %w", ErrNotResults, err))
				return
			}
			buffered = bufio.NewReaderSize(unzipped, 256<<10)
		}
		decode := vegeta.DecoderFor(buffered)
		if decode == nil {
			yield(record.Sample{}, ErrNotResults)
			return
		}
		for n := 1; ; n++ {
			var r vegeta.Result
			switch err := decode(&r); {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(record.Sample{}, fmt.Errorf("result %d: %w", n, err))
				return
			}
			if !yield(sample(r), nil) {
				return
			}
		}
	}
}

// sample converts a result of vegeta. It recognizes errors of the load generator by their
// text, because a file contains nothing else about them.
func sample(r vegeta.Result) record.Sample {
	s := record.Sample{
		Journey: r.Attack, Seq: r.Seq, Sent: r.Timestamp, Latency: r.Latency,
		Code: r.Code, Error: r.Error, BytesIn: r.BytesIn, BytesOut: r.BytesOut,
	}
	for _, words := range []string{"too many open files", "cannot assign requested address", "context canceled"} {
		s.Void = s.Void || strings.Contains(r.Error, words)
	}
	return s
}
