package record

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
)

// Ear reads what people add to the events of a run that goes on, in the run's own process.
type Ear struct {
	path string
	at   int64  // what was read
	half []byte // of a line
}

// maxHeard is how many bytes are read at once, and the longest line of a note.
const maxHeard = 1 << 20

// Ear listens to what people say from now on.
func (w *Writer) Ear() *Ear {
	e := &Ear{path: w.events.Name()}
	if info, err := w.events.Stat(); err == nil {
		e.at = info.Size()
	}
	return e
}

// Heard are the notes that came since the last call. What cannot be read is in the record
// and not here.
func (e *Ear) Heard() (notes []Event) {
	file, err := os.Open(e.path)
	if err != nil {
		return nil
	}
	defer file.Close()
	data, err := io.ReadAll(io.NewSectionReader(file, e.at, maxHeard))
	if err != nil {
		return nil
	}
	e.at += int64(len(data))
	all := append(e.half, data...)
	whole := all[:bytes.LastIndexByte(all, '\n')+1]
	e.half = bytes.Clone(all[len(whole):])
	if len(e.half) > maxHeard {
		e.half = nil
	}
	for line := range bytes.Lines(whole) {
		var note Event
		if json.Unmarshal(line, &note) == nil && note.Said() {
			notes = append(notes, note)
		}
	}
	return notes
}
