package probe

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
)

// jmeterSample is a sample of JMeter, as it is written. Its time is that of the start:
// jmeter.properties, as JMeter is shipped, says so (sampleresult.timestamp.start).
type jmeterSample struct{ at, elapsed, success, code, message, failure, thread string }

// sample is the sample in numbers.
func (j jmeterSample) sample(seq uint64) (s record.Sample, err error) {
	at, err := strconv.ParseInt(j.at, 10, 64)
	if err != nil || len(j.at) != 13 {
		return s, fmt.Errorf("found the time %.40q, expected milliseconds since 1970 (13 digits): set jmeter.save.saveservice.timestamp_format=ms", j.at)
	}
	elapsed, err := strconv.ParseInt(j.elapsed, 10, 64)
	if err != nil || elapsed < 0 || elapsed > maxLatency.Milliseconds() {
		return s, fmt.Errorf("found the elapsed time %.40q, expected milliseconds", j.elapsed)
	}
	s = record.Sample{Journey: "JMeter", Seq: seq, Sent: time.UnixMilli(at).UTC(), Latency: time.Duration(elapsed) * time.Millisecond}
	code, codeErr := strconv.ParseUint(j.code, 10, 16)
	s.Code = uint16(code)
	switch strings.ToLower(j.success) {
	case "true":
		if codeErr != nil {
			s.Code = 200 // of a sampler that is not HTTP
		}
	case "false":
		s.Error = cmp.Or(j.failure, j.message, j.code, "failed")
		if codeErr != nil && j.code != "" && s.Error != j.code { // the code has the exception's name
			s.Error = j.code + ": " + s.Error
		}
	default:
		return s, fmt.Errorf("found success %.40q, expected true or false", j.success)
	}
	s.Void = oursInWords(s.Error)
	return s, nil
}

// transaction is the number of samples that a sample of JMeter's Transaction Controller
// sums up; 0 if it is another one.
func (j jmeterSample) transaction() int {
	rest, ok := strings.CutPrefix(j.message, "Number of samples in transaction : ")
	if !ok {
		return 0
	}
	number, _, _ := strings.Cut(rest, ",")
	n, _ := strconv.Atoi(strings.TrimSpace(number))
	return max(n, 1)
}

// readJMeterCSV reads a JTL file in CSV. The line with the names has been read.
func readJMeterCSV(t *table, to sink) error {
	if !t.has("success") {
		return errors.New("line 1: found no column success, expected timeStamp, elapsed and success: set jmeter.save.saveservice.successful=true")
	}
	sums := transactions{seen: map[string]int{}}
	for n := uint64(0); ; {
		if err := t.next(); err != nil {
			return unlessEnd(err)
		}
		j := jmeterSample{
			at: t.get("timeStamp"), elapsed: t.get("elapsed"), success: t.get("success"), code: strings.Clone(t.get("responseCode")),
			message: strings.Clone(t.get("responseMessage")), failure: strings.Clone(t.get("failureMessage")), thread: strings.Clone(t.get("threadName")),
		}
		if sums.repeats(j) {
			continue
		}
		s, err := j.sample(n)
		if err != nil {
			return fmt.Errorf("line %d: %w", t.line, err)
		}
		n++
		if !to(s) {
			return nil
		}
	}
}

// transactions finds out whether transactions are in a file besides their samples, or, with
// "generate parent sample", instead of them.
type transactions struct {
	seen    map[string]int // samples before the first transaction, by thread
	known   bool
	besides bool
}

// repeats reports whether a sample sums up others of the file.
func (t *transactions) repeats(j jmeterSample) bool {
	size := j.transaction()
	switch {
	case size > 0 && !t.known:
		t.known, t.besides = true, t.seen[j.thread] >= size
	case !t.known:
		t.seen[j.thread]++
	}
	return size > 0 && t.besides
}

// readJTL reads a JTL file in XML. Samples inside another one (redirects, embedded files,
// requests of a transaction) are part of it.
func readJTL(in *lines, to sink) error {
	d := xml.NewDecoder(in)
	line := func() int { n, _ := d.InputPos(); return n }
	depth := 0
	for n := uint64(0); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && depth == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w: the file is damaged, or cut off: JMeter ends it with </testResults>", line(), err)
		}
		start, ok := token.(xml.StartElement)
		switch _, end := token.(xml.EndElement); {
		case end:
			depth--
			continue
		case !ok:
			continue
		case depth == 0 && start.Name.Local == "testResults":
			depth++
			continue
		case depth == 0:
			return fmt.Errorf("line %d: found the XML element %.40q, expected testResults of JMeter", line(), start.Name.Local)
		}
		at := line()
		inside, err := inner(d)
		if err != nil {
			return fmt.Errorf("line %d: %w: the file is damaged, or cut off: JMeter ends it with </testResults>", line(), err)
		}
		in.limited.Next()
		j := jmeterXML(start)
		if j.transaction() > 0 && !inside {
			continue // its samples stand beside it
		}
		s, err := j.sample(n)
		if err != nil {
			return fmt.Errorf("line %d: %w", at, err)
		}
		n++
		if !to(s) {
			return nil
		}
	}
}

// jmeterXML is a sample by its attributes: those of today, and of JMeter 2.0.
func jmeterXML(e xml.StartElement) (j jmeterSample) {
	for _, a := range e.Attr {
		switch a.Name.Local {
		case "ts", "timeStamp":
			j.at = a.Value
		case "t", "time":
			j.elapsed = a.Value
		case "s", "success":
			j.success = a.Value
		case "rc", "responseCode":
			j.code = a.Value
		case "rm", "responseMessage":
			j.message = a.Value
		case "tn", "threadName":
			j.thread = a.Value
		}
	}
	return j
}

// inner reads an element to its end, and reports whether there are samples in it.
func inner(d *xml.Decoder) (samples bool, err error) {
	for depth := 1; depth > 0; {
		token, err := d.Token()
		if err != nil {
			return samples, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			samples = samples || e.Name.Local == "httpSample" || e.Name.Local == "sample" || e.Name.Local == "sampleResult"
		case xml.EndElement:
			depth--
		}
	}
	return samples, nil
}
