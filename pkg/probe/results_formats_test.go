package probe_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
)

// told is the samples of a file in a short form: seconds after the start of the test,
// latency, code, error, and "void".
func told(all []record.Sample) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = fmt.Sprintf("%v+%v=%d%s", s.Sent.Sub(time.Unix(1_790_000_000, 0)), s.Latency, s.Code, strings.TrimSuffix(":"+s.Error, ":"))
		if s.Void {
			words[i] += " void"
		}
	}
	return strings.Join(words, "; ")
}

const (
	old6   = "1790000000000000000,200,20000000,0,2,\n1790000001000000000,0,20000000,0,0,\"refused, by \"\"x\"\"\"\n"
	old    = "0s+20ms=200; 1s+20ms=0:refused, by \"x\""
	k6Head = "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,service,status,subproto,tls_version,url,extra_tags,metadata\n"
	jtl    = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n"
)

// k6Rows are the rows of one request in k6's CSV. The outcome is its status, error, error
// code and whether it was expected, with commas between them.
func k6Rows(at string, blocked, duration float64, outcome string) string {
	o := strings.Split(outcome, ",")
	status, failure, code, expected := o[0], o[1], o[2], o[3]
	var b strings.Builder
	for _, p := range []struct {
		metric string
		value  float64
	}{
		{"http_reqs", 1},
		{"http_req_duration", duration},
		{"http_req_blocked", blocked},
		{"http_req_connecting", blocked / 2},
		{"http_req_tls_handshaking", 0},
		{"http_req_sending", 0},
		{"http_req_waiting", duration},
		{"http_req_receiving", 0},
		{"http_req_failed", 0},
	} {
		fmt.Fprintf(&b, "%s,%s,%f,,%s,%s,%s,,GET,http://x,HTTP/1.1,default,,%s,,,http://x,,\n", p.metric, at, p.value, failure, code, expected, status)
	}
	return b.String()
}

// k6Lines are the same points as JSON lines.
func k6Lines(at string, blocked, duration float64, status, expected string) string {
	line := `{"metric":%q,"type":"Point","data":{"time":%q,"value":%v,"tags":{"expected_response":%q,"status":%q,"url":"http://x"}}}` + "\n"
	return fmt.Sprintf(line, "http_reqs", at, 1, expected, status) + fmt.Sprintf(line, "http_req_duration", at, duration, expected, status) +
		fmt.Sprintf(line, "http_req_blocked", at, blocked, expected, status) + fmt.Sprintf(line, "http_req_failed", at, 0, expected, status) +
		`{"metric":"vus","type":"Point","data":{"time":"2026-09-21T14:13:20Z","value":1,"tags":null}}` + "\n"
}

func TestResultsOfManyTools(t *testing.T) {
	t.Parallel()
	twelve := encoded(t, vegeta.NewCSVEncoder, vegeta.Result{Code: 200, Timestamp: time.Unix(1_790_000_000, 0), Latency: time.Millisecond})
	lines := string(encoded(t, vegeta.NewJSONEncoder, vegeta.Result{Code: 200, Timestamp: time.Unix(1_790_000_000, 0), Latency: time.Millisecond}, vegeta.Result{Code: 500, Timestamp: time.Unix(1_790_000_001, 0), Latency: time.Millisecond}))
	const jsonLines = "0s+1ms=200; 1s+1ms=500"
	for name, c := range map[string]struct {
		text, want string
		tool       probe.Tool
		undated    int
	}{
		"JSON lines":                       {lines, jsonLines, probe.Vegeta, 0},
		"JSON lines, no last newline":      {strings.TrimSpace(lines), jsonLines, probe.Vegeta, 0},
		"JSON lines, empty lines at end":   {lines + "\n\r\n", jsonLines, probe.Vegeta, 0},
		"JSON lines, CRLF and BOM":         {"\ufeff" + strings.ReplaceAll(lines, "\n", "\r\n"), jsonLines, probe.Vegeta, 0},
		"six columns":                      {old6, old, probe.Vegeta, 0},
		"six columns, no last newline":     {strings.TrimSpace(old6), old, probe.Vegeta, 0},
		"six columns, CRLF":                {strings.ReplaceAll(old6, "\n", "\r\n"), old, probe.Vegeta, 0},
		"seven columns":                    {"1790000000000000000,200,20000000,0,2,,eA==\n", "0s+20ms=200", probe.Vegeta, 0},
		"nine columns":                     {"1790000000000000000,200,20000000,0,2,,eA==,a,7\n", "0s+20ms=200", probe.Vegeta, 0},
		"eleven columns":                   {"1790000000000000000,200,20000000,0,2,,,a,7,GET,http://x\n", "0s+20ms=200", probe.Vegeta, 0},
		"twelve columns":                   {string(twelve), "0s+1ms=200", probe.Vegeta, 0},
		"thirteen columns":                 {"1790000000000000000,200,20000000,0,2,,,a,7,GET,http://x,,new\n", "0s+20ms=200", probe.Vegeta, 0},
		"semicolons, as Excel writes":      {strings.ReplaceAll("1790000000000000000,200,20000000,0,2,\n", ",", ";"), "0s+20ms=200", probe.Vegeta, 0},
		"a line of names":                  {"timestamp,code,latency,bytes_out,bytes_in,error\n" + old6, old, probe.Vegeta, 0},
		"names in another order":           {"Error,Latency,Code,Timestamp\n,20000000,200,1790000000000000000\n", "0s+20ms=200", probe.Vegeta, 0},
		"the generator's fault":            {"1790000000000000000,0,1,0,0,bind: address already in use\n", "0s+1ns=0:bind: address already in use void", probe.Vegeta, 0},
		"k6 CSV":                           {k6Head + k6Rows("1790000000100", 20, 80, "200,,,true") + k6Rows("1790000001100", 0, 100, "500,,1500,false"), "0s+100ms=200; 1s+100ms=500", probe.K6, 0},
		"k6 CSV, equal times":              {k6Head + k6Rows("1790000000100", 0, 100, "200,,,true") + k6Rows("1790000000100", 0, 50, "200,,,true"), "0s+100ms=200; 50ms+50ms=200", probe.K6, 0},
		"k6 CSV, nanoseconds":              {k6Head + k6Rows("1790000000100000000", 0, 100, "200,,,true"), "0s+100ms=200", probe.K6, 0},
		"k6 CSV, RFC 3339":                 {k6Head + k6Rows("2026-09-21T14:13:20.1Z", 0, 100, "200,,,true"), "0s+100ms=200", probe.K6, 0},
		"k6 CSV, unexpected":               {k6Head + k6Rows("1790000000100", 0, 100, "200,,,false"), "0s+100ms=200:unexpected response", probe.K6, 0},
		"k6 CSV, expected 404":             {k6Head + k6Rows("1790000000100", 0, 100, "404,,,true"), "0s+100ms=404", probe.K6, 0},
		"k6 CSV, refused":                  {k6Head + k6Rows("1790000000000", 0, 0, "0,connection refused,1212,false"), "0s+0s=0:connection refused", probe.K6, 0},
		"k6 CSV, no connection":            {k6Head + k6Rows("1790000000000", 0, 0, "0,i/o timeout,1211,false"), "0s+0s=0:i/o timeout", probe.K6, 1},
		"k6 CSV, request timeout":          {k6Head + k6Rows("1790000060000", 0, 60000, "0,request timeout,1050,false"), "0s+1m0s=0:request timeout", probe.K6, 0},
		"k6 CSV, no local port":            {k6Head + k6Rows("1790000000000", 0, 0, "0,cannot assign requested address,1210,false"), "0s+0s=0:cannot assign requested address void", probe.K6, 0},
		"k6 JSON":                          {`{"type":"Metric","data":{"name":"http_reqs","type":"counter","contains":"default","thresholds":[],"submetrics":null},"metric":"http_reqs"}` + "\n" + k6Lines("2026-09-21T16:13:20.1+02:00", 20, 80, "200", "true") + k6Lines("2026-09-21T14:13:21.1Z", 0, 100, "503", "false"), "0s+100ms=200; 1s+100ms=503", probe.K6, 0},
		"k6 JSON, no last newline":         {strings.TrimSpace(k6Lines("2026-09-21T14:13:20.1Z", 0, 100, "200", "true")), "0s+100ms=200", probe.K6, 0},
		"JMeter CSV":                       {jtl + "1790000000000,20,a,200,OK,t 1-1,text,true,,2,2,1,1,http://x,20,0,5\n1790000001000,20,a,500,Internal,t 1-1,text,false,\"expected, x\",2,2,1,1,http://x,20,0,5\n", "0s+20ms=200; 1s+20ms=500:expected, x", probe.JMeter, 0},
		"JMeter CSV, few columns, by tabs": {"timeStamp\telapsed\tsuccess\n1790000000000\t20\ttrue\n", "0s+20ms=200", probe.JMeter, 0},
		"JMeter CSV, exception":            {jtl + "1790000000000,20,a,Non HTTP response code: java.net.SocketTimeoutException,Read timed out,t 1-1,text,false,,2,2,1,1,null,0,0,5\n", "0s+20ms=0:Non HTTP response code: java.net.SocketTimeoutException: Read timed out", probe.JMeter, 0},
		"JMeter CSV, no local port":        {jtl + "1790000000000,20,a,Non HTTP response code: java.net.BindException,Address already in use: connect,t 1-1,text,false,,2,2,1,1,null,0,0,5\n", "0s+20ms=0:Non HTTP response code: java.net.BindException: Address already in use: connect void", probe.JMeter, 0},
		"JMeter CSV, transactions besides": {jtl + "1790000000000,20,a,200,OK,t 1-1,text,true,,2,2,1,1,http://x,20,0,5\n1790000000000,20,T,200,\"Number of samples in transaction : 1, number of failing samples : 0\",t 1-1,,true,,2,2,1,1,null,20,0,5\n", "0s+20ms=200", probe.JMeter, 0},
		"JMeter CSV, transactions instead": {jtl + strings.Repeat("1790000000000,20,T,200,\"Number of samples in transaction : 2, number of failing samples : 0\",t 1-1,,true,,2,2,1,1,null,20,0,5\n", 2), "0s+20ms=200; 0s+20ms=200", probe.JMeter, 0},
		"JMeter XML":                       {`<?xml version="1.0" encoding="UTF-8"?><testResults version="1.2"><httpSample t="20" ts="1790000000000" s="true" rc="200" rm="OK"><httpSample t="10" ts="1790000000000" s="false" rc="302"/><responseData class="x">&lt;a/></responseData></httpSample><sample t="30" ts="1790000001000" s="false" rc="" rm="x"/></testResults>`, "0s+20ms=200; 1s+30ms=0:x", probe.JMeter, 0},
		"JMeter XML, of JMeter 2.0":        {`<testResults version="1.2"><sampleResult timeStamp="1790000000000" time="20" responseMessage="OK" responseCode="200" success="true"/></testResults>` + "\n", "0s+20ms=200", probe.JMeter, 0},
		"JMeter XML, transactions":         {`<testResults><sample t="20" ts="1790000000000" s="true" rc="200" rm="Number of samples in transaction : 1, number of failing samples : 0"/><sample t="30" ts="1790000000000" s="true" rc="200" rm="Number of samples in transaction : 1, number of failing samples : 0"><httpSample t="10"/></sample></testResults>`, "0s+30ms=200", probe.JMeter, 0},
	} {
		for _, data := range [][]byte{[]byte(c.text), packed(t, []byte(c.text))} {
			r := probe.NewResults(bytes.NewReader(data))
			var all []record.Sample
			for s, err := range r.All() {
				if err != nil {
					t.Errorf("%s: %v", name, err)
					break
				}
				all = append(all, s)
			}
			if got := told(all); got != c.want || r.Tool != c.tool || r.Undated != c.undated {
				t.Errorf("%s: %s of %s (%d undated), expected %s", name, got, r.Tool, r.Undated, c.want)
			}
		}
	}
}

// What is no result, or only a part of one, is refused with the line, what was found and
// what is expected. It is never read as something else.
func TestResultsThatAreRefused(t *testing.T) {
	t.Parallel()
	line := string(encoded(t, vegeta.NewJSONEncoder, vegeta.Result{Code: 200, Timestamp: time.Unix(1_790_000_000, 0), Latency: time.Millisecond}))
	utf16 := "\xff\xfe" + strings.Join(strings.Split(line, ""), "\x00") + "\x00"
	for text, want := range map[string]string{
		"":                        "it is empty",
		"\n":                      "found blanks only",
		"wrk, Running 10s test\n": `line 1: found a line with the names "wrk", "Running 10s test", expected names of vegeta's columns`,
		utf16:                     "found text in UTF-16: convert it to UTF-8",
		`{"level":"info","ts":1790000000.1,"msg":"x"}` + "\n":         `line 1: found a JSON object with the keys "level", "ts", "msg"; expected one result a line, with vegeta's keys`,
		`{"timestamp":"2026-09-21T14:13:20Z","level":"info"}` + "\n":  `with the keys "timestamp", "level"`,
		"{\n  \"latencies\": {\"total\": 1},\n  \"requests\": 5\n}\n": `with the keys "latencies", "requests": it is a summary`,
		`{"metrics":{},"root_group":{}}`:                              "it is a summary, without the times of requests",
		"[" + strings.TrimSpace(line) + "]":                           "line 1: found a JSON array, expected one JSON object a line",
		line + line[:50]:                                              "line 2: found ",
		line + "\n" + line:                                            "line 3: found an empty line before it: the file is damaged here",
		line + `{"metric":"vus","type":"Point","data":{}}` + "\n":     `line 2: found a JSON object with the keys "metric", "type", "data", expected a result of vegeta with a timestamp`,
		"1790000000000,200,20,0,2,\n":                                 `line 1: found timestamp "1790000000000", expected nanoseconds since 1970 (19 digits)`,
		"1.79E+18,200,20,0,2,\n":                                      `line 1: found timestamp "1.79E+18"`,
		"1790000000000000000,ok,20,0,2,\n":                            `line 1: found code "ok", expected an HTTP status code`,
		"1790000000000000000,200,20ms,0,2,\n":                         `line 1: found latency "20ms", expected nanoseconds`,
		"1790000000000000000,200,20,0,2,,x,a,seven\n":                 `line 1: found seq "seven", expected a whole number`,
		"1790000000000000000,200,20,0,2,,x,a\n":                       "line 1: found 8 columns, expected the 6, 7, 9, 11 or 12 of vegeta",
		"1790000000000000000,200\n":                                   "line 1: found 2 columns",
		old6 + "1790000002000000000,200,20000000,0,2\n":               "line 3: found 5 columns, expected 6 as in line 1",
		old6 + "1790000002000000000,200,200000":                       "line 3: found 3 columns",
		old6 + "\"1790000002000000000,200":                            "line 3: extraneous or missing",
		"time,status,ms\n1,2,3\n":                                     `line 1: found a line with the names "time", "status", "ms", expected names of vegeta's columns (timestamp, code, latency,`,
		"timestamp,code\n1,2\n":                                       "expected timestamp, code, latency and error among them",
		"Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%\n":  "line 1: found Locust's history of statistics, which sums requests up",
		"Type,Name,Request Count,Failure Count\n":                     "line 1: found Locust's statistics",
		"Label,# Samples,Average,Median\n":                            "line 1: found JMeter's aggregate report",
		"response-time,DNS+dialup,DNS,Request-write,Response-delay\n": "line 1: found hey's table, which lacks the time at which the test began",
		"starttime\tseconds\tctime\tdtime\tttime\twait\n":             "line 1: found ab's table, whose times are whole seconds",
		k6Head + k6Rows("1790000000", 0, 100, "200,,,true"):           `line 2: found the time "1790000000", expected milliseconds or finer, because whole seconds are too coarse for a recovery time: run k6 with K6_CSV_TIME_FORMAT=unix_milli`,
		k6Head + k6Rows("2026-09-21T14:13:20Z", 0, 1, "200,,,true"):   `line 2: found the time "2026-09-21T14:13:20Z", expected milliseconds`,
		k6Head + k6Rows("1790000000100", 0, 100, ",,,true"):           "line 2: found no tag status",
		k6Head: "found a file of k6 without HTTP requests",
		k6Head + k6Rows("1790000000100", 0, 100, "200,,,true")[:200]:                                  "found ",
		k6Lines("2026-09-21T14:13:20.1Z", 0, 100, "200", "true") + `{"metric":"http_reqs","type":"Po`: `line 6: found "{\"metric\":\"http_reqs\",\"type\":\"Po", expected a JSON object of k6`,
		k6Lines("2026-09-21T14:13:20.1Z", 0, 100, "200", "true") + "WARN x\n":                         `line 6: found "WARN x"`,
		k6Lines("2026-09-21T14:13:20.1Z", 0, -5, "200", "true"):                                       "found a request with status",
		"timeStamp,elapsed,label\n1790000000000,20,a\n":                                               "line 1: found no column success",
		"timeStamp,elapsed,success\n2026/09/21 14:13:20,20,true\n":                                    `line 2: found the time "2026/09/21 14:13:20", expected milliseconds since 1970 (13 digits)`,
		"timeStamp,elapsed,success\n1790000000000,-1,true\n":                                          `line 2: found the elapsed time "-1"`,
		"timeStamp,elapsed,success\n1790000000000,1,yes\n":                                            `line 2: found success "yes", expected true or false`,
		"1790000000000,20,a,200,OK,t 1-1,text,true,,2,2,1,1,http://x,20,0,5\n":                        `line 1: found timestamp "1790000000000"`,
		"<html><body>login</body></html>":                                                             `line 1: found the XML element "html", expected testResults of JMeter`,
		"<testResults>\n<httpSample t=\"20\" ts=\"1790000000000\" s=\"true\" rc=\"200\"/>\n":          "line 3: XML syntax error on line 3: unexpected EOF: the file is damaged, or cut off",
		"<testResults><httpSample t=\"20\" s=\"true\"/></testResults>":                                `line 1: found the time "", expected milliseconds`,
	} {
		all, err := readResults([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: %d read, %v, expected %q", text, len(all), err, want)
		}
		for _, s := range all {
			if s.Sent.Year() != 2026 {
				t.Errorf("%.80q: a sample of the year %d", text, s.Sent.Year())
			}
		}
	}
}

// A gzipped file that is cut off is an error, wherever it is cut.
func TestGzippedResultsThatBreakOff(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat(old6, 20), k6Head + k6Rows("1790000000100", 20, 80, "200,,,true"), "<testResults>" + strings.Repeat(`<sample t="1" ts="1790000000000" s="true"/>`, 9) + "</testResults>"} {
		data := packed(t, []byte(text))
		for n := range data {
			if all, err := readResults(data[:n]); err == nil {
				t.Errorf("%.20q, %d of %d bytes: %d read", text, n, len(data), len(all))
			}
		}
	}
}
