package probe

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/pkg/record"
)

// ErrNotResults is the error for a file that no tool in [Tool] has written.
var ErrNotResults = errors.New("not a result file of vegeta (gob, CSV or JSON), k6 (CSV or JSON) or JMeter (CSV or XML), gzipped or not")

// errBroken is a file that goes on behind what cannot be read.
var errBroken = errors.New("the file is damaged here")

// maxResult is the size of the largest result in bytes, unpacked, with its body.
const maxResult = 16 << 20

// Tool is a load generator.
type Tool string

// The tools whose results are read.
const (
	Vegeta Tool = "vegeta"
	K6     Tool = "k6"
	JMeter Tool = "JMeter"
)

// ClosedLoop reports whether users of the tool wait for an answer before they send the next
// request. Then a stalled system slows its own load down, and outages look smaller.
func (t Tool) ClosedLoop() bool { return t == K6 || t == JMeter }

// Results reads a result file in bounded memory, whatever its size. It detects the tool and
// the format from the content. Its fields are valid when [Results.All] has ended.
type Results struct {
	Tool Tool
	// Undated is the number of failed requests whose time of sending is not in
	// the file: k6 notes only the end of a request that never got a connection.
	Undated int

	from io.Reader
}

// NewResults is a reader of a result file.
func NewResults(from io.Reader) *Results { return &Results{from: from} }

// sink takes a sample; false ends the reading.
type sink func(record.Sample) bool

// All are the samples of the file, in its order. An error is the last item, and names the
// line, or the number of the result, what was found and what was expected. The error is
// [ErrNotResults] if no sample was read.
func (r *Results) All() iter.Seq2[record.Sample, error] {
	return func(yield func(record.Sample, error) bool) {
		n, stopped := 0, false
		err := r.read(func(s record.Sample) bool {
			n++
			stopped = !yield(s, nil)
			return !stopped
		})
		switch {
		case err == nil || stopped:
		case n == 0 && !errors.Is(err, ErrNotResults):
			yield(record.Sample{}, fmt.Errorf("%w: %w", ErrNotResults, err))
		default:
			yield(record.Sample{}, err)
		}
	}
}

// maxLook is how much of a file is looked at to detect its format, in bytes.
const maxLook = 64 << 10

// read passes the samples on.
func (r *Results) read(to sink) error {
	content, err := unpacked(r.from)
	if err != nil {
		return err
	}
	limited := &bounded.Reader{From: content, Most: maxResult}
	buffered := bufio.NewReaderSize(limited, maxLook)
	if mark, _ := buffered.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = buffered.Discard(3)
	}
	head, err := buffered.Peek(maxLook)
	if len(head) == 0 {
		if err == nil || errors.Is(err, io.EOF) {
			err = errors.New("it is empty")
		}
		return err
	}
	in := &lines{Reader: buffered, limited: limited}
	switch text := bytes.TrimLeft(head, " \t\r\n"); {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}) && len(head) > 3 && head[3] == 0, bytes.HasPrefix(head, []byte{0xfe, 0xff, 0}):
		return errors.New("found text in UTF-16: convert it to UTF-8, for example by Get-Content FILE | Set-Content -Encoding utf8 NEW")
	case binary(head):
		r.Tool = Vegeta
		return readGob(in, to)
	case len(text) == 0:
		return errors.New("found blanks only")
	case text[0] == '{' || text[0] == '[':
		return r.readJSON(text, in, to)
	case text[0] == '<':
		r.Tool = JMeter
		return readJTL(in, to)
	}
	return r.readCSV(head, in, to)
}

// binary reports whether a file begins as no text does: gob has types there.
func binary(head []byte) bool {
	return bytes.ContainsFunc(head[:min(len(head), 16)], func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' })
}

// lines is a file that is read in parts, each of a bounded size.
type lines struct {
	*bufio.Reader
	limited *bounded.Reader
	n       int // of the last line
}

// next is the next line, with its newline even if the last one has none. It ends with
// [io.EOF]. An empty line is an error if something follows.
func (l *lines) next() (line []byte, err error) {
	for blank := false; ; blank = true {
		line, err = l.ReadBytes('\n')
		l.n++
		if errors.Is(err, io.EOF) && len(line) > 0 {
			line, err = append(line, '\n'), nil
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", l.n, err)
		case len(bytes.TrimSpace(line)) == 0:
			continue
		case blank:
			return nil, fmt.Errorf("line %d: found an empty line before it: %w", l.n, errBroken)
		}
		l.limited.Next()
		return line, nil
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

// readGob reads vegeta's binary encoding.
func readGob(in *lines, to sink) error {
	decoder := record.NewDecoder(in.Reader)
	told := "" // the last error
	ours := oursInWords(told)
	for n := 1; ; n++ {
		var s record.Sample
		err := decoder.Next(&s)
		in.limited.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("result %d: %w", n, err)
		}
		if s.Error != told {
			told, ours = s.Error, oursInWords(s.Error)
		}
		if s.Void = ours; !to(s) {
			return nil
		}
	}
}

// sample converts a result of vegeta. It recognizes errors of the load generator by their
// text, because a file contains nothing else about them.
func sample(r vegeta.Result) record.Sample {
	return record.Sample{
		Journey: r.Attack, Seq: r.Seq, Sent: r.Timestamp, Latency: r.Latency,
		Code: r.Code, Error: r.Error, BytesIn: r.BytesIn, BytesOut: r.BytesOut, Void: oursInWords(r.Error),
	}
}
