package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gameday-dev/gameday/internal/bounded"
)

// Peek reads a journal that another process may hold: whose it is, and what is
// still pending, the last entry first. It is [os.ErrNotExist] once all of it was
// undone. With [ErrDamaged] and [ErrNewer] it returns what it could read.
func Peek(path string) (Header, []Entry, error) {
	data, err := bounded.File(path, maxSize)
	if err != nil {
		return Header{}, nil, fmt.Errorf("read journal: %w", err)
	}
	header, pending, _, err := parse(data)
	if err != nil {
		err = fmt.Errorf("journal %s: %w", path, err)
	}
	slices.Reverse(pending)
	return header, pending, err
}

// load reads the file and cuts off a torn tail, so that the next line starts
// on a line of its own.
func (j *Journal) load() error {
	data, err := bounded.Opened(j.file, maxSize)
	if err != nil {
		return fmt.Errorf("read journal %s: %w", j.path, err)
	}
	header, pending, whole, err := parse(data)
	if err != nil {
		err = fmt.Errorf("journal %s: %w", j.path, err)
	}
	if errors.Is(err, ErrDamaged) {
		j.damage, err = err, nil
	}
	if err != nil {
		return err
	}
	j.Header, j.pending = header, pending
	if err := j.file.Truncate(int64(whole)); err != nil {
		return fmt.Errorf("mend journal %s: %w", j.path, err)
	}
	_, err = j.file.Seek(int64(whole), io.SeekStart)
	return err
}

// parse reads whole lines. The torn tail, if any, starts at whole. A line that cannot be
// read is left out: an entry whose end is one is undone again, which is safe.
func parse(data []byte) (header Header, pending []Entry, whole int, err error) {
	for n := 1; ; n++ {
		end := bytes.IndexByte(data[whole:], '\n')
		if end < 0 {
			return header, pending, whole, err
		}
		var l line
		bad := json.Unmarshal(data[whole:whole+end], &l)
		if bad == nil && end > 0 && l.empty() {
			bad = errors.New("it says nothing")
		}
		if bad != nil {
			if err == nil {
				err = fmt.Errorf("line %d %w: %w", n, ErrDamaged, bad)
			}
			l = line{} // it may have been read in part
		}
		switch {
		case l.Header != nil && l.Header.Schema != Schema:
			return *l.Header, nil, whole, fmt.Errorf("%w: it is %s, this one reads %s", ErrNewer, l.Header.Schema, Schema)
		case l.Header != nil:
			header = *l.Header
		case l.Begin != nil:
			pending = append(pending, *l.Begin)
		case l.Done != "":
			markDone(pending, l.Done)
		case l.End != "":
			pending = slices.DeleteFunc(pending, func(e Entry) bool { return e.ID == l.End })
		}
		whole += end + 1
	}
}
