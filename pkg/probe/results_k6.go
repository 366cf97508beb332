package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
)

// k6 writes some nine points for each request, one after the other, all with the time at
// which the request ended. A request lasted as long as it was blocked (which includes
// connecting) and then as http_req_duration says.
type k6Request struct {
	at       string // as it is written
	ended    time.Time
	timed    bool // http_req_duration was seen
	duration float64
	blocked  float64 // in milliseconds, as all times of k6
	connect  float64
	failed   bool
	status   string
	err      string
	code     string // of k6's own errors
}

// k6Point is a point of a metric.
type k6Point struct {
	metric, at string
	value      float64
	tag        func(string) string
}

// k6Reader puts points together to requests.
type k6Reader struct {
	results *Results
	to      sink
	open    *k6Request
	n       uint64
}

// errStopped ends a reading whose samples are not wanted any longer.
var errStopped = errors.New("stopped")

// point takes the next point.
func (k *k6Reader) point(p k6Point) error {
	if k.open == nil || k.open.at != p.at || p.metric == "http_reqs" || p.metric == "http_req_duration" && k.open.timed {
		if err := k.end(); err != nil {
			return err
		}
		ended, err := k6Time(p.at)
		if err != nil {
			return err
		}
		status := p.tag("status")
		if status == "" {
			return errors.New("found no tag status, expected the system tag status, which k6 sets by default")
		}
		k.open = &k6Request{
			at: p.at, ended: ended, status: status, err: strings.Clone(p.tag("error")), code: p.tag("error_code"), failed: p.tag("expected_response") == "false",
		}
	}
	switch p.metric {
	case "http_req_duration":
		k.open.timed, k.open.duration = true, p.value
	case "http_req_blocked":
		k.open.blocked = p.value
	case "http_req_connecting", "http_req_tls_handshaking":
		k.open.connect += p.value
	case "http_req_failed":
		k.open.failed = k.open.failed || p.value != 0
	}
	return nil
}

// end passes the open request on.
func (k *k6Reader) end() error {
	r := k.open
	k.open = nil
	if r == nil || !r.timed {
		return nil
	}
	code, err := strconv.ParseUint(r.status, 10, 16)
	latency := (max(r.blocked, r.connect) + r.duration) * float64(time.Millisecond)
	if err != nil || latency < 0 || latency > float64(maxLatency) {
		return fmt.Errorf("found a request with status %.20q and a duration of %gms, expected a status code and a duration", r.status, r.duration)
	}
	s := record.Sample{Seq: k.n, Latency: time.Duration(latency), Code: uint16(code), Error: r.err, Journey: "k6"}
	s.Sent = r.ended.Add(-s.Latency)
	k.n++
	switch {
	case s.Error == "" && code == 0:
		s.Error = "error code " + r.code
	case s.Error == "" && r.failed && !s.Failed():
		s.Error = "unexpected response"
	}
	s.Void = oursInWords(s.Error)
	// A refused connection and an unknown name are known at once. Of others k6 does not say
	// how long they took if there was no connection.
	if s.Latency == 0 && code == 0 && !s.Void && !slices.Contains([]string{"1212", "1101"}, r.code) {
		k.results.Undated++
	}
	if !k.to(s) {
		return errStopped
	}
	return nil
}

// maxLatency is above what any tool waits.
const maxLatency = 366 * 24 * time.Hour

// k6Time reads a time in one of k6's formats (K6_CSV_TIME_FORMAT). Whole seconds are the
// default of its CSV, and too coarse for a recovery time.
func k6Time(text string) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err == nil && len(text) == 13:
		return time.UnixMilli(n).UTC(), nil
	case err == nil && len(text) == 16:
		return time.UnixMicro(n).UTC(), nil
	case err == nil && len(text) == 19:
		return time.Unix(0, n).UTC(), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err == nil && strings.Contains(text, ".") {
		return at.UTC(), nil
	}
	return at, fmt.Errorf("found the time %.40q, expected milliseconds or finer, because whole seconds are too coarse for a recovery time: run k6 with K6_CSV_TIME_FORMAT=unix_milli, or --out json", text)
}

// readK6CSV reads the file of k6 run --out csv. The line with the names has been read.
func (r *Results) readK6CSV(t *table, to sink) error {
	k := &k6Reader{results: r, to: to}
	for {
		err := t.next()
		if errors.Is(err, io.EOF) {
			return k.finish(t.line)
		}
		if err != nil {
			return err
		}
		if metric := t.get("metric_name"); strings.HasPrefix(metric, "http_req") {
			value, err := strconv.ParseFloat(t.get("metric_value"), 64)
			if err != nil {
				return t.wrong("metric_value", "a number")
			}
			err = k.point(k6Point{metric, t.get("timestamp"), value, t.get})
			if err != nil {
				return k.stopped(t.line, err)
			}
		}
	}
}

// readK6JSON reads the file of k6 run --out json.
func (r *Results) readK6JSON(in *lines, to sink) error {
	k := &k6Reader{results: r, to: to}
	for {
		line, err := in.next()
		if errors.Is(err, io.EOF) {
			return k.finish(in.n)
		}
		if err != nil {
			return err
		}
		text := bytes.TrimSpace(line)
		if text[0] != '{' || text[len(text)-1] != '}' {
			return fmt.Errorf("line %d: found %s, expected a JSON object of k6", in.n, excerpt(line))
		}
		if !bytes.Contains(text, []byte(`http_req`)) {
			continue
		}
		var p struct {
			Type, Metric string
			Data         struct {
				Time  string
				Value float64
				Tags  map[string]string
			}
		}
		if err := json.Unmarshal(text, &p); err != nil {
			return fmt.Errorf("line %d: found %s, expected a point of k6: %w", in.n, excerpt(line), err)
		}
		if p.Type != "Point" || !strings.HasPrefix(p.Metric, "http_req") {
			continue
		}
		err = k.point(k6Point{p.Metric, p.Data.Time, p.Data.Value, func(tag string) string { return p.Data.Tags[tag] }})
		if err != nil {
			return k.stopped(in.n, err)
		}
	}
}

// finish passes the last request on.
func (k *k6Reader) finish(line int) error {
	if err := k.end(); err != nil {
		return k.stopped(line, err)
	}
	if k.n == 0 {
		return errors.New("found a file of k6 without HTTP requests, expected points of http_req_duration")
	}
	return nil
}

// stopped is an error with its line; none if no more samples are wanted.
func (k *k6Reader) stopped(line int, err error) error {
	if errors.Is(err, errStopped) {
		return nil
	}
	return fmt.Errorf("line %d: %w", line, err)
}
