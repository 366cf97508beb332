package record

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gameday-dev/gameday/internal/atomicfile"
)

// ackFiles take acknowledged writes as they come.
//
// There are two. writes.jsonl stays, and has no secrets. A look-up needs the IDs as the
// system gave them, and may need what the user captured, such as a token: these are in a file
// without a name, encrypted with a key that only this process has. It ends with the process,
// and what the disk still holds of it cannot be read.
type ackFiles struct {
	path   string
	shown  lineFile
	hidden lineFile
	block  cipher.Block
	start  [aes.BlockSize]byte // of the key stream
	acked  *Acked
}

// lineFile is a file to which lines are appended.
type lineFile struct {
	file   *os.File
	buffer *bufio.Writer
}

// linesAhead is how many bytes wait to be written.
const linesAhead = 64 << 10

// newAckFiles creates the files in a run's folder.
func newAckFiles(dir string) (*ackFiles, error) {
	key := make([]byte, 32) // AES-256
	f := &ackFiles{path: filepath.Join(dir, WritesFile)}
	_, _ = rand.Read(key)        // never fails
	_, _ = rand.Read(f.start[:]) // likewise
	var err error
	if f.block, err = aes.NewCipher(key); err != nil {
		return nil, err
	}
	shown, err := os.OpenFile(f.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640) //nolint:gosec // G304: the run's own folder
	if err != nil {
		return nil, err
	}
	hidden, err := os.CreateTemp(dir, ".gameday-*.tmp")
	if err != nil {
		return nil, errors.Join(err, shown.Close())
	}
	_ = os.Remove(hidden.Name()) // where open files have to have a name, close removes it
	f.shown = lineFile{shown, bufio.NewWriterSize(shown, linesAhead)}
	f.hidden = lineFile{hidden, bufio.NewWriterSize(cipher.StreamWriter{S: f.stream(), W: hidden}, linesAhead)}
	f.acked = &Acked{of: map[string]int{}, each: f.each}
	if err := atomicfile.SyncDir(dir); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// stream encrypts or decrypts the hidden file from its beginning.
func (f *ackFiles) stream() cipher.Stream { return cipher.NewCTR(f.block, f.start[:]) }

// add appends a write. redact is as in [Writer].
func (f *ackFiles) add(ack Ack, redact func(string) string) error {
	whole, err := json.Marshal(ack)
	if err != nil {
		return err
	}
	if ack.Vars = nil; redact != nil {
		ack.ID = redact(ack.ID)
	}
	shown, err := json.Marshal(ack)
	if err != nil {
		return err
	}
	_, ofShown := f.shown.buffer.Write(append(shown, '\n'))
	_, ofHidden := f.hidden.buffer.Write(append(whole, '\n'))
	if err := errors.Join(ofShown, ofHidden); err != nil {
		return err
	}
	f.acked.mu.Lock()
	defer f.acked.mu.Unlock()
	f.acked.found = append(f.acked.found, 0)
	f.acked.of[ack.Journey]++
	return nil
}

// each reads all writes as they were.
func (f *ackFiles) each(yield func(Ack) bool) error {
	from := cipher.StreamReader{S: f.stream(), R: io.NewSectionReader(f.hidden.file, 0, 1<<62)}
	decoder := json.NewDecoder(bufio.NewReader(from))
	for range f.acked.found {
		var ack Ack
		if err := decoder.Decode(&ack); err != nil {
			return fmt.Errorf("read the acknowledged writes: %w", err)
		}
		if !yield(ack) {
			break
		}
	}
	return nil
}

func (f *ackFiles) flush() error { return errors.Join(f.shown.buffer.Flush(), f.hidden.buffer.Flush()) }

func (f *ackFiles) close() error {
	err := errors.Join(f.flush(), f.shown.file.Sync(), f.shown.file.Close(), f.hidden.file.Close())
	_ = os.Remove(f.hidden.file.Name()) // usually it has no name any longer
	return err
}

// store writes writes.jsonl again, with the presence of each.
func (f *ackFiles) store() error {
	before, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer before.Close()
	return atomicfile.Write(f.path, 0o640, func(w io.Writer) error {
		from, to := bufio.NewReader(before), bufio.NewWriterSize(w, linesAhead)
		for place := range f.acked.found {
			line, err := from.ReadBytes('\n')
			if err != nil {
				return err
			}
			object := bytes.TrimSuffix(line, []byte("}\n")) // as add has written it
			if _, err := fmt.Fprintf(to, "%s,\"presence\":%q}\n", object, f.acked.Presence(place)); err != nil {
				return err
			}
		}
		return to.Flush()
	})
}
