package probe

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
)

// table is a CSV file, row by row.
type table struct {
	rows    *csv.Reader
	in      *lines
	columns map[string]int // by the names of vegeta, k6 or JMeter
	width   int            // the number of columns
	row     []string
	line    int
}

// next reads a row; it ends with [io.EOF].
func (t *table) next() error {
	row, err := t.rows.Read()
	t.in.limited.Next()
	if err != nil {
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			return fmt.Errorf("line %d: %w", wrong.StartLine, wrong.Err)
		}
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("line %d: %w", t.line+1, err)
	}
	t.row = row
	t.line, _ = t.rows.FieldPos(0)
	if t.width == 0 {
		t.width = len(row)
	}
	if len(row) != t.width {
		return fmt.Errorf("line %d: found %d columns, expected %d as in line 1", t.line, len(row), t.width)
	}
	return nil
}

// get is the value of a column; "" if there is none.
func (t *table) get(column string) string {
	if i, ok := t.columns[column]; ok {
		return t.row[i]
	}
	return ""
}

// wrong is an error about a value of the row.
func (t *table) wrong(column, expected string) error {
	return fmt.Errorf("line %d: found %s %.40q, expected %s", t.line, column, t.get(column), expected)
}

// whole is the value of a column that is a whole number.
func (t *table) whole(column, expected string) (int64, error) {
	n, err := strconv.ParseInt(t.get(column), 10, 64)
	if err != nil {
		return 0, t.wrong(column, expected)
	}
	return n, nil
}

// has reports whether the table has all columns of a list.
func (t *table) has(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { _, ok := t.columns[name]; return !ok })
}

// readCSV reads CSV of any tool. head is where the file begins.
func (r *Results) readCSV(head []byte, in *lines, to sink) error {
	first, _, _ := bytes.Cut(head, []byte("\n"))
	i := bytes.IndexAny(first, ",;\t|")
	if i < 0 {
		return fmt.Errorf("line 1: found %s, expected columns that are separated by commas", excerpt(first))
	}
	t := &table{rows: csv.NewReader(in), in: in}
	t.rows.Comma, t.rows.FieldsPerRecord, t.rows.TrimLeadingSpace, t.rows.ReuseRecord = rune(first[i]), -1, first[i] != '\t', true
	if err := t.next(); err != nil {
		return err
	}
	if _, err := strconv.ParseFloat(t.row[0], 64); err == nil {
		r.Tool = Vegeta
		return t.vegetaWithoutHeader(to)
	}
	names := make([]string, len(t.row))
	t.columns = map[string]int{}
	for i, name := range t.row {
		names[i] = strings.Clone(strings.TrimSpace(name))
		t.columns[names[i]] = i
	}
	switch {
	case t.has("metric_name", "timestamp", "metric_value"):
		r.Tool = K6
		return r.readK6CSV(t, to)
	case t.has("timeStamp", "elapsed"):
		r.Tool = JMeter
		return readJMeterCSV(t, to)
	}
	if why := aggregated(names); why != "" {
		return fmt.Errorf("line 1: found %s", why)
	}
	r.Tool = Vegeta
	return t.vegetaWithHeader(names, to)
}

// aggregated is why files with certain columns cannot be judged.
func aggregated(names []string) string {
	const sums = ", which sums requests up, without when each was sent and how it ended"
	for _, c := range []struct{ columns, why string }{
		{"Timestamp,User Count,", "Locust's history of statistics" + sums + ": log each request with a request event listener, or use vegeta, k6 or JMeter"},
		{"Type,Name,Request Count,", "Locust's statistics" + sums},
		{"Method,Name,Error,Occurrences", "Locust's failures" + sums},
		{"Label,# Samples,", "JMeter's aggregate report" + sums + ": use the file of -l"},
		{"Percentage served,Time in ms", "ab's percentiles" + sums},
		{"starttime,seconds,", "ab's table, whose times are whole seconds: too coarse for a recovery time"},
		{"response-time,DNS+dialup,", "hey's table, which lacks the time at which the test began"},
	} {
		if strings.HasPrefix(strings.Join(names, ",")+",", c.columns) {
			return c.why
		}
	}
	return ""
}

// vegetaColumns are the columns of vegeta's CSV. Older versions have fewer: 6, 7, 9 or 11.
func vegetaColumns() []string {
	return []string{"timestamp", "code", "latency", "bytes_out", "bytes_in", "error", "body", "attack", "seq", "method", "url", "headers"}
}

// vegetaWithoutHeader reads CSV as vegeta writes it. The first row has been read. A later
// version may add columns at the end.
func (t *table) vegetaWithoutHeader(to sink) error {
	names := vegetaColumns()
	if !slices.Contains([]int{6, 7, 9, 11}, t.width) && t.width < len(names) {
		return fmt.Errorf("line 1: found %d columns, expected the 6, 7, 9, 11 or 12 of vegeta (%s)", t.width, strings.Join(names, ", "))
	}
	t.columns = map[string]int{}
	for i, name := range names[:min(len(names), t.width)] {
		t.columns[name] = i
	}
	return t.vegetaRows(to)
}

// vegetaRows passes the row that has been read on, and those after it.
func (t *table) vegetaRows(to sink) error {
	for {
		s, err := t.vegetaRow()
		if err != nil {
			return err
		}
		if !to(s) {
			return nil
		}
		if err := t.next(); err != nil {
			return unlessEnd(err)
		}
	}
}

func unlessEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// vegetaWithHeader reads vegeta's columns below a line with their names, in any order.
func (t *table) vegetaWithHeader(names []string, to sink) error {
	known := vegetaColumns()
	t.columns = map[string]int{}
	for i, name := range names {
		column := strings.ReplaceAll(strings.ToLower(name), " ", "_")
		if !slices.Contains(known, column) {
			return fmt.Errorf("line 1: found a line with the names %s, expected names of vegeta's columns (%s), or none", listed(names), strings.Join(known, ", "))
		}
		t.columns[column] = i
	}
	if !t.has("timestamp", "code", "latency", "error") {
		return fmt.Errorf("line 1: found a line with the names %s, expected timestamp, code, latency and error among them", listed(names))
	}
	if err := t.next(); err != nil {
		return unlessEnd(err)
	}
	return t.vegetaRows(to)
}

// earliest is the smallest time that vegeta's CSV can mean: 2001, in nanoseconds. What is
// below is in another unit.
const earliest = 1_000_000_000_000_000_000

// vegetaRow is the sample of the row.
func (t *table) vegetaRow() (s record.Sample, err error) {
	at, err := t.whole("timestamp", "nanoseconds since 1970 (19 digits)")
	if err != nil {
		return s, err
	}
	if at < earliest {
		return s, t.wrong("timestamp", "nanoseconds since 1970 (19 digits)")
	}
	code, err := strconv.ParseUint(t.get("code"), 10, 16)
	if err != nil {
		return s, t.wrong("code", "an HTTP status code, or 0")
	}
	latency, err := t.whole("latency", "nanoseconds")
	if err != nil {
		return s, err
	}
	s = record.Sample{Sent: time.Unix(0, at).UTC(), Code: uint16(code), Latency: time.Duration(latency), Error: strings.Clone(t.get("error")), Journey: strings.Clone(t.get("attack"))}
	for _, c := range []struct {
		name string
		into *uint64
	}{{"bytes_out", &s.BytesOut}, {"bytes_in", &s.BytesIn}, {"seq", &s.Seq}} {
		if !t.has(c.name) {
			continue
		}
		if *c.into, err = strconv.ParseUint(t.get(c.name), 10, 64); err != nil {
			return s, t.wrong(c.name, "a whole number")
		}
	}
	s.Void = oursInWords(s.Error)
	return s, nil
}
