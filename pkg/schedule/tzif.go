package schedule

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"time"
)

// offsetOf reads an offset: +0100, -0330 or +053000.
func offsetOf(p property) (time.Duration, error) {
	text := p.value
	if len(text) == 5 || len(text) == 7 {
		var n [3]int
		for i := range (len(text) - 1) / 2 {
			one, err := strconv.ParseUint(text[1+2*i:3+2*i], 10, 8)
			if err != nil || i > 0 && one > 59 || one > 23 && i == 0 {
				return 0, p.errorf("found %.20q, expected an offset such as +0100", text)
			}
			n[i] = int(one)
		}
		offset := time.Duration(n[0])*time.Hour + time.Duration(n[1])*time.Minute + time.Duration(n[2])*time.Second
		switch text[0] {
		case '+':
			return offset, nil
		case '-':
			return -offset, nil
		}
	}
	return 0, p.errorf("found %.20q, expected an offset such as +0100", text)
}

// location makes a zone of its transitions. Package time reads zones from files in the
// format TZif (RFC 9636) only, so it gets one.
func location(name string, all []transition) (*time.Location, error) {
	slices.SortStableFunc(all, func(a, b transition) int { return a.at.Compare(b.at) })
	all = slices.CompactFunc(all, func(a, b transition) bool { return a.at.Equal(b.at) && a.to == b.to })
	offsets := []time.Duration{all[0].from} // before the first transition
	var times, types, infos bytes.Buffer
	for _, t := range all {
		i := slices.Index(offsets[1:], t.to) + 1
		if i == 0 {
			i = len(offsets)
			offsets = append(offsets, t.to)
		}
		if i > 255 {
			return nil, errors.New("found more than 255 offsets")
		}
		_ = binary.Write(&times, binary.BigEndian, t.at.Unix()) // a buffer takes everything
		types.WriteByte(byte(i))
	}
	for _, offset := range offsets {
		_ = binary.Write(&infos, binary.BigEndian, int32(offset/time.Second)) //nolint:gosec // G115: less than a day
		infos.Write([]byte{0, 0})                                             // no daylight saving time, the first abbreviation
	}
	abbreviation := "own\x00"
	header := func(counts ...int) []byte {
		h := append([]byte("TZif2"), make([]byte, 15)...)
		for _, n := range counts {
			h = binary.BigEndian.AppendUint32(h, uint32(n)) //nolint:gosec // G115: lengths
		}
		return h
	}
	file := slices.Concat(header(0, 0, 0, 0, 0, 0), // the old format, with 32 bits: empty
		header(0, 0, 0, len(all), len(offsets), len(abbreviation)), times.Bytes(), types.Bytes(), infos.Bytes(), []byte(abbreviation), []byte("\n\n"))
	return time.LoadLocationFromTZData(name, file)
}
