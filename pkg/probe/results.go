package probe

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/pkg/record"
)

// ErrNotResults is the error for a file in none of vegeta's encodings.
var ErrNotResults = errors.New("not a vegeta result file (gob, CSV or JSON, gzipped or not)")

// errBroken is a file that goes on behind what cannot be read.
var errBroken = errors.New("the file is damaged here")

// maxResult is the size of the largest result in bytes, unpacked, with its body.
const maxResult = 16 << 20

// Results reads a result file of vegeta, in bounded memory whatever its size. It detects
// the encoding from the content.
func Results(from io.Reader) iter.Seq2[record.Sample, error] {
	return func(yield func(record.Sample, error) bool) {
		content, err := unpacked(from)
		if err != nil {
			yield(record.Sample{}, fmt.Errorf("%w: %w", ErrNotResults, err))
			return
		}
		limited := &bounded.Reader{From: content, Most: maxResult}
		decode := vegeta.DecoderFor(limited)
		if decode == nil {
			yield(record.Sample{}, ErrNotResults)
			return
		}
		for n := 1; ; n++ {
			var r vegeta.Result
			err := decode(&r)
			limited.Next()
			switch {
			case errors.Is(err, io.EOF):
				// The decoders take a zero, or an empty line, for an end.
				if more, _ := limited.Read(make([]byte, 1)); more > 0 {
					yield(record.Sample{}, fmt.Errorf("result %d: %w", n, errBroken))
				}
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

// unpacked is what a file contains, gzipped or not.
func unpacked(from io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(from, 256<<10)
	if magic, _ := buffered.Peek(2); string(magic) != "\x1f\x8b" {
		return buffered, nil
	}
	return gzip.NewReader(buffered)
}

// sample converts a result of vegeta. It recognizes errors of the load generator by their
// text, because a file contains nothing else about them.
func sample(r vegeta.Result) record.Sample {
	return record.Sample{
		Journey: r.Attack, Seq: r.Seq, Sent: r.Timestamp, Latency: r.Latency,
		Code: r.Code, Error: r.Error, BytesIn: r.BytesIn, BytesOut: r.BytesOut, Void: oursInWords(r.Error),
	}
}
