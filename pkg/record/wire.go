package record

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"reflect"
	"slices"
	"time"
)

// field is what a field of a result is for.
type field uint8

const (
	unknown field = iota
	attack
	seq
	code
	timestamp
	latency
	bytesOut
	bytesIn
	failure
	late
	retries
	skipped
	skippedHeaders
)

// The numbers of types that every gob knows.
const (
	wireInt        = 2
	wireUint       = 3
	wireBytes      = 5
	wireString     = 6
	wireDefinition = 16
)

// definition is the description of a type in a gob, as encoding/gob documents it under the
// name wireType: one of its fields is set. It is complete, as encoding/gob cannot pass over
// types that no file describes.
type definition struct {
	ArrayT *struct {
		CommonType common
		Elem, Len  int
	}
	SliceT *struct {
		CommonType common
		Elem       int
	}
	StructT *struct {
		CommonType common
		Field      []common
	}
	MapT *struct {
		CommonType common
		Key, Elem  int
	}
	GobEncoderT, BinaryMarshalerT, TextMarshalerT *struct{ CommonType common }
}

// common is the name and the number of a type; of a field, its name and the number of its
// type.
type common struct {
	Name string
	Id   int // as gob calls it
}

// mostHeads is how many bytes the descriptions of a file may have.
const mostHeads = 64 << 10

// define takes the description of a type: the body of a message, after the type's number.
func (d *Decoder) define(id int, whole, body []byte) bool {
	if len(d.heads)+len(whole) > mostHeads {
		return false
	}
	// Whether the message is right is for encoding/gob to say. A value follows: the number 0.
	right := gob.NewDecoder(bytes.NewReader(slices.Concat(d.heads, whole, []byte{3, 2 * wireInt, 0, 0})))
	// What it says, encoding/gob tells if the type is given as that of descriptions.
	size := binary.BigEndian.AppendUint64([]byte{0xf8}, uint64(len(body)+1)) // eight bytes of length
	content := gob.NewDecoder(bytes.NewReader(slices.Concat(size, []byte{2 * wireDefinition}, body)))
	var found definition
	if right.DecodeValue(reflect.Value{}) != nil || content.Decode(&found) != nil {
		return false
	}
	d.heads = append(d.heads, whole...)
	d.types[id] = found
	return true
}

// mostFields is how many fields a struct may have: their numbers are of one byte.
const mostFields = 64

// compile prepares for values of a type. It returns false if it is no struct of which all
// fields are known.
func (d *Decoder) compile(id int) bool {
	described := d.types[id].StructT
	if d.value != 0 || described == nil || len(described.Field) > mostFields {
		return false
	}
	for _, f := range described.Field {
		is := d.meaning(f.Name, f.Id)
		if is == unknown {
			return false
		}
		d.fields = append(d.fields, is)
	}
	d.value = id
	return true
}

// meaning is what a field is for, by its name, if it has the type that it must have.
func (d *Decoder) meaning(name string, id int) field {
	known := map[string]struct {
		is field
		of int
	}{
		"Attack": {attack, wireString}, "Seq": {seq, wireUint}, "Code": {code, wireUint}, "Latency": {latency, wireInt},
		"BytesOut": {bytesOut, wireUint}, "BytesIn": {bytesIn, wireUint}, "Error": {failure, wireString},
		"Late": {late, wireInt}, "Retries": {retries, wireInt},
		"Body": {skipped, wireBytes}, "Method": {skipped, wireString}, "URL": {skipped, wireString},
	}[name]
	headers := d.types[id].MapT
	switch {
	case known.of == id:
		return known.is
	case name == "Timestamp" && d.types[id].GobEncoderT != nil:
		return timestamp
	case name == "Headers" && headers != nil && headers.Key == wireString && d.types[headers.Elem].SliceT != nil && d.types[headers.Elem].SliceT.Elem == wireString:
		return skippedHeaders
	}
	return unknown
}

// unsigned decodes a number, and how many bytes it takes; 0 if it is not whole.
func unsigned(b []byte) (x uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	if b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	size := -int(int8(b[0])) //nolint:gosec // G115: that is how a gob has it
	switch {
	case size > 8 || len(b) <= size:
		return 0, 0
	case len(b) > 8:
		return binary.BigEndian.Uint64(b[1:]) >> (64 - 8*size), size + 1
	}
	for _, c := range b[1 : size+1] {
		x = x<<8 | uint64(c)
	}
	return x, size + 1
}

// integer decodes a number with a sign.
func integer(b []byte) (int64, int) {
	x, n := unsigned(b)
	if x&1 != 0 {
		return ^int64(x >> 1), n
	}
	return int64(x >> 1), n
}

// chunk is bytes with their length before them.
func chunk(b []byte) (content []byte, n int) {
	length, n := unsigned(b)
	if n == 0 || length > uint64(len(b)-n) { //nolint:gosec // G115: at most len(b)
		return nil, 0
	}
	end := n + int(length) //nolint:gosec // G115: it was just compared
	return b[n:end], end
}

// skipHeaders is how many bytes a map of texts to lists of texts takes.
func skipHeaders(b []byte) (at int) {
	keys, at := unsigned(b)
	if at == 0 {
		return 0
	}
	for range keys {
		_, key := chunk(b[at:])
		values, n := unsigned(b[at+key:])
		if at += key + n; key == 0 || n == 0 {
			return 0
		}
		for range values {
			_, n := chunk(b[at:])
			if at += n; n == 0 {
				return 0
			}
		}
	}
	return at
}

// toUnix is from the year 1, of which times are stored, to 1970, in seconds.
const toUnix = (1969*365 + 1969/4 - 1969/100 + 1969/400) * 24 * 3600

// moment is a time as [time.Time.MarshalBinary] stores it.
func moment(b []byte) (at time.Time, ok bool) {
	if len(b) == 15 && b[0] == 1 && b[13] == 0xff && b[14] == 0xff { // UTC
		if nanos := binary.BigEndian.Uint32(b[9:]); nanos < uint32(time.Second) {
			return time.Unix(int64(binary.BigEndian.Uint64(b[1:]))-toUnix, int64(nanos)).UTC(), true //nolint:gosec // G115: that is how it is stored
		}
	}
	return at, at.UnmarshalBinary(b) == nil
}
