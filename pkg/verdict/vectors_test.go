package verdict_test

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// vector is one case of the contract: testdata/vectors/NAME.json.
type vector struct {
	Case  string
	Marks struct {
		RTO      float64 `json:"rto_s"`
		Good     float64 `json:"good"`
		Within   float64 `json:"within_s"`
		Window   float64 `json:"window_s"`
		Hold     float64 `json:"hold_s"`
		FaultAt  int64   `json:"fault_at_ns"`
		RevertAt *int64  `json:"revert_at_ns"`
	} `json:"objective_and_marks"`
	Truth verdict.Verdict
}

// vectorCase is a vector as a [verdict.Case].
func (v vector) vectorCase(samples []verdict.Sample) verdict.Case {
	d := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	c := verdict.Case{
		Samples: samples,
		Marks:   verdict.Marks{Fault: time.Duration(v.Marks.FaultAt)},
		Objective: verdict.Objective{
			RTO: d(v.Marks.RTO), Good: v.Marks.Good, Within: d(v.Marks.Within),
			Window: d(v.Marks.Window), Hold: d(v.Marks.Hold),
		},
	}
	if v.Marks.RevertAt != nil {
		c.Marks.Reverted, c.Marks.Revert = true, time.Duration(*v.Marks.RevertAt)
	}
	return c
}

func readVector(t *testing.T, path string) (vector, []verdict.Sample) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v, readSamples(t, strings.TrimSuffix(path, ".json")+".csv.gz")
}

// readSamples reads a gzipped result file in vegeta's CSV: timestamp, code,
// latency, bytes out, bytes in, error, body, attack, sequence number, …
func readSamples(t *testing.T, path string) []verdict.Sample {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(unzipped).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	samples := make([]verdict.Sample, len(rows))
	for i, row := range rows {
		number := func(field int) int64 {
			n, err := strconv.ParseInt(row[field], 10, 64)
			if err != nil {
				t.Fatalf("%s:%d: %v", path, i+1, err)
			}
			return n
		}
		code := number(1)
		samples[i] = verdict.Sample{
			Seq:     uint32(number(8)),
			Sent:    time.Duration(number(0)),
			Latency: time.Duration(number(2)),
			Failed:  row[5] != "" || code < 200 || code >= 400,
		}
	}
	return samples
}

func vectorPaths(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil || len(paths) < 30 {
		t.Fatalf("found %d vectors, expected 30 or more (%v)", len(paths), err)
	}
	return paths
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for _, path := range vectorPaths(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			t.Parallel()
			v, samples := readVector(t, path)
			got := verdict.Judge(v.vectorCase(samples))
			// All fields are compared, even those that do not count because of the reason.
			if diff := cmp.Diff(v.Truth, got); diff != "" {
				t.Errorf("expected (-), judged (+):\n%s", diff)
			}
		})
	}
}
