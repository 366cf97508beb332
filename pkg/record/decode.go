package record

import (
	"bufio"
	"encoding/gob"
	"errors"
	"io"
	"math"
	"time"
)

// ErrBroken is a file of samples that goes on behind what cannot be read.
var ErrBroken = errors.New("the file is damaged in the middle")

// Decoder decodes samples in vegeta's gob encoding: what vegeta and this package write.
//
// A gob is self-describing, and encoding/gob follows the description by reflection, one
// field at a time. Nearly all files hold one struct, so this decoder reads the description
// once, and then its values from the bytes. Whatever it does not expect it leaves to
// encoding/gob, from there to the end of the file: the values and errors are those of
// encoding/gob in every case, and a fuzz test compares them.
//
// Texts are kept for reuse if they are short, because journeys and errors repeat.
type Decoder struct {
	buffer *bufio.Reader
	window []byte // what is in the buffer
	used   int    // how much of the window was decoded

	types  map[int]definition
	heads  []byte  // the messages that describe types, and the first value, for encoding/gob
	begun  bool    // the first value was decoded
	value  int     // the type of the values; 0 before the first one
	fields []field // of that type
	texts  [64]string

	slow *gob.Decoder
	rest *replay
}

// decodeAhead is how many bytes are read at once. A larger value is left to encoding/gob.
const decodeAhead = 256 << 10

// NewDecoder makes a decoder. It reads ahead.
func NewDecoder(from io.Reader) *Decoder {
	return &Decoder{buffer: bufio.NewReaderSize(from, decodeAhead), types: map[int]definition{}}
}

// Next decodes the next sample. The error is [io.EOF] at the end, [io.ErrUnexpectedEOF] if the
// last sample is cut off, and [ErrBroken] for an end that is followed by something.
func (d *Decoder) Next(s *Sample) error {
	if d.slow == nil {
		if d.fast(s) {
			return nil
		}
		d.giveUp()
	}
	var r stored
	err := d.slow.Decode(&r)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		if _, more := d.rest.ReadByte(); more == nil {
			return ErrBroken // gob takes a zero for an end
		}
	}
	*s = r.sample()
	return err
}

// stored is a result as encoding/gob decodes it. It has what samples do not need, too: a
// file that has another type there is not vegeta's. It does not have the headers: encoding/gob
// makes room for as many entries of a map as a file claims to have.
type stored struct {
	Attack    string
	Seq       uint64
	Code      uint16
	Timestamp time.Time
	Latency   time.Duration
	BytesOut  uint64
	BytesIn   uint64
	Error     string
	Body      []byte
	Method    string
	URL       string
	Late      time.Duration
	Retries   int
}

func (r stored) sample() Sample {
	return Sample{
		Journey: r.Attack, Seq: r.Seq, Code: r.Code, Sent: r.Timestamp, Latency: r.Latency,
		BytesOut: r.BytesOut, BytesIn: r.BytesIn, Error: r.Error, Late: r.Late, Retries: r.Retries,
	}
}

// giveUp leaves what has not been decoded to encoding/gob.
func (d *Decoder) giveUp() {
	_, _ = d.buffer.Discard(d.used) // it is in the buffer
	d.rest = &replay{d.heads, d.buffer}
	d.slow = gob.NewDecoder(d.rest)
	if d.begun {
		_ = d.slow.Decode(new(stored)) // it is decoded again, so that the types are known
	}
	d.window, d.types, d.heads = nil, nil, nil
}

// replay reads bytes again, and then the rest of a file. encoding/gob takes no more of it
// than it decodes, because it has ReadByte.
type replay struct {
	head []byte
	*bufio.Reader
}

func (r *replay) Read(p []byte) (int, error) {
	if len(r.head) == 0 {
		return r.Reader.Read(p)
	}
	n := copy(p, r.head)
	r.head = r.head[n:]
	return n, nil
}

func (r *replay) ReadByte() (byte, error) {
	if len(r.head) == 0 {
		return r.Reader.ReadByte()
	}
	b := r.head[0]
	r.head = r.head[1:]
	return b, nil
}

// fast decodes the next sample, or returns false and takes nothing.
func (d *Decoder) fast(s *Sample) bool {
	for {
		head, size, ok := d.message()
		if !ok {
			return false
		}
		whole := d.window[d.used : d.used+head+size]
		body := whole[head:]
		number, n := integer(body)
		id := int(number)
		switch {
		case n == 0:
			return false
		case id < 0 && !d.begun && d.define(-id, whole, body[n:]):
			d.used += len(whole)
			continue
		case id <= 0 || id != d.value && !d.compile(id):
			return false
		}
		if !d.decode(body[n:], s) {
			return false
		}
		if !d.begun {
			d.begun, d.heads = true, append(d.heads, whole...)
		}
		d.used += len(whole)
		return true
	}
}

// mostHead is how many bytes the length of a message has at the most.
const mostHead = 9

// message finds the next message in the window, which it moves on if need be: the size
// of its head, and of what follows. It returns false if there is no whole one.
func (d *Decoder) message() (head, size int, ok bool) {
	for {
		var need int
		left := d.window[d.used:]
		length, head := unsigned(left)
		switch {
		case head == 0 && len(left) >= mostHead, length > decodeAhead-mostHead:
			return 0, 0, false
		case head == 0:
			need = len(left) + 1
		default:
			if need = head + int(length); need <= len(left) {
				return head, int(length), true
			}
		}
		_, _ = d.buffer.Discard(d.used) // it is in the buffer
		_, err := d.buffer.Peek(need)
		d.used = 0
		if d.window, _ = d.buffer.Peek(d.buffer.Buffered()); err != nil {
			return 0, 0, false
		}
	}
}

// decode decodes a struct. It returns false if it is not exactly that.
func (d *Decoder) decode(body []byte, s *Sample) bool {
	*s = Sample{}
	for number := -1; len(body) > 0; {
		delta := int(body[0]) // above 0x7f it is no number of one byte, and no field
		body = body[1:]
		if delta == 0 {
			return len(body) == 0
		}
		if number += delta; number >= len(d.fields) {
			return false
		}
		n := d.field(d.fields[number], body, s)
		if n == 0 {
			return false
		}
		body = body[n:]
	}
	return false // it has no end
}

// field decodes a field, and returns how many bytes it takes; 0 if it is not as expected.
func (d *Decoder) field(f field, b []byte, s *Sample) (n int) {
	var content []byte
	switch f { //nolint:exhaustive // the rest are numbers
	case attack:
		content, n = chunk(b)
		s.Journey = d.text(content)
	case failure:
		content, n = chunk(b)
		s.Error = d.text(content)
	case timestamp:
		content, n = chunk(b)
		at, ok := moment(content)
		if !ok {
			return 0
		}
		s.Sent = at
	case skipped:
		_, n = chunk(b)
	case skippedHeaders:
		n = skipHeaders(b)
	default:
		n = numeric(f, b, s)
	}
	return n
}

// numeric decodes a field that is a number.
func numeric(f field, b []byte, s *Sample) (n int) {
	var x int64
	switch f { //nolint:exhaustive // the rest are no numbers
	case seq:
		s.Seq, n = unsigned(b)
	case bytesOut:
		s.BytesOut, n = unsigned(b)
	case bytesIn:
		s.BytesIn, n = unsigned(b)
	case code:
		var status uint64
		if status, n = unsigned(b); status > math.MaxUint16 {
			return 0
		}
		s.Code = uint16(status)
	case latency:
		x, n = integer(b)
		s.Latency = time.Duration(x)
	case late:
		x, n = integer(b)
		s.Late = time.Duration(x)
	case retries:
		if x, n = integer(b); x != int64(int(x)) {
			return 0
		}
		s.Retries = int(x)
	}
	return n
}

// longText is the longest text that is kept for reuse, in bytes.
const longText = 1 << 10

// text is the string of bytes: one that was made before, if it is still known.
func (d *Decoder) text(b []byte) string {
	if len(b) == 0 || len(b) > longText {
		return string(b)
	}
	known := &d.texts[(len(b)+7*int(b[len(b)-1])+3*int(b[len(b)/2]))%len(d.texts)]
	if *known != string(b) {
		*known = string(b)
	}
	return *known
}
