package record

import (
	"io"
	"testing"
)

// Result is a sample as it is stored.
type Result = result

// Stored is a result as encoding/gob decodes it.
type Stored = stored

// Sample is the sample of a result.
func (r stored) Sample() Sample { return r.sample() }

// Slow reports whether encoding/gob goes on.
func (d *Decoder) Slow() bool { return d.slow != nil }

// Hidden is what the disk has of acknowledged writes beside those of the folder.
func Hidden(tb testing.TB, w *Writer) []byte {
	tb.Helper()
	if err := w.acks.flush(); err != nil {
		tb.Fatal(err)
	}
	data, err := io.ReadAll(io.NewSectionReader(w.acks.hidden.file, 0, 1<<30))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
