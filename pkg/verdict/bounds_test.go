package verdict_test

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

func TestSamplesOfNoRunAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sample verdict.Sample
		want   error
	}{
		"usual":            {verdict.Sample{Sent: time.Minute, Latency: time.Second}, nil},
		"before the marks": {verdict.Sample{Sent: -time.Minute}, nil},
		"far before":       {verdict.Sample{Sent: math.MinInt64}, verdict.ErrFar},
		"far after":        {verdict.Sample{Sent: verdict.MaxSpan + 1}, verdict.ErrFar},
		"before its start": {verdict.Sample{Latency: -1}, verdict.ErrLatency},
		"without end":      {verdict.Sample{Latency: math.MaxInt64}, verdict.ErrLatency},
	} {
		if err := c.sample.Check(); !errors.Is(err, c.want) {
			t.Errorf("%s: found %v, expected %v", name, err, c.want)
		}
	}
	var b verdict.Bounds
	for range verdict.MaxSamples {
		if err := b.Check(verdict.Sample{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Check(verdict.Sample{}); !errors.Is(err, verdict.ErrMany) {
		t.Errorf("%v", err)
	}
}

func TestCasesOfNoRunAreInvalid(t *testing.T) {
	t.Parallel()
	valid := verdict.Case{Objective: verdict.Objective{RTO: time.Second}.WithDefaults()}
	if err := valid.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*verdict.Case){
		"rto is 2562047h47m16.854775807s, expected at most 366 days": func(c *verdict.Case) { c.Objective.RTO = math.MaxInt64 },
		"window is ": func(c *verdict.Case) { c.Objective.Window = math.MaxInt64 },
		"the fault is more than 366 days from the start":  func(c *verdict.Case) { c.Marks.Fault = math.MinInt64 },
		"the revert is more than 366 days from the start": func(c *verdict.Case) { c.Marks.Revert = math.MaxInt64 },
	} {
		c := valid
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("found %v, expected %q", err, want)
		}
	}
}

// FuzzJudge judges samples with any times and marks within the bounds: it ends, with an
// outcome and figures that follow from each other.
func FuzzJudge(f *testing.F) {
	usual := make([]byte, 0, 300*9)
	for i := range 300 {
		usual = binary.BigEndian.AppendUint32(usual, uint32(i*20))
		usual = binary.BigEndian.AppendUint32(usual, uint32(i%7))
		usual = append(usual, byte(i/100%2))
	}
	f.Add(usual, int64(2*time.Second), int64(5*time.Second), int64(time.Second), int64(time.Second), 0.99, 50.0)
	f.Add(usual, int64(-verdict.MaxSpan), int64(verdict.MaxSpan), int64(verdict.MaxSpan), int64(1), 1.0, 0.0)
	f.Add(usual[:9*20], int64(0), int64(0), int64(1), int64(verdict.MaxSpan), 0.0001, 1e6)
	f.Fuzz(func(t *testing.T, data []byte, fault, revert, rto, window int64, good, rate float64) {
		c := verdict.Case{
			Marks: verdict.Marks{Fault: time.Duration(fault), Revert: time.Duration(revert), Reverted: revert != 0}, Rate: min(max(rate, 0), 1e6),
			Objective: verdict.Objective{RTO: time.Duration(rto), Good: good, Window: time.Duration(window)}.WithDefaults(),
		}
		if math.IsNaN(rate) || c.Validate() != nil || len(data) > 9*2000 {
			return
		}
		for ; len(data) >= 9; data = data[9:] {
			s := verdict.Sample{
				Seq: uint32(len(c.Samples)), Failed: data[8]&1 != 0,
				Sent: time.Duration(int32(binary.BigEndian.Uint32(data))) * time.Millisecond, Latency: time.Duration(binary.BigEndian.Uint32(data[4:])) * time.Millisecond,
			}
			if data[8]&2 != 0 {
				s.Sent *= 14 // as far as the bounds go
			}
			if s.Check() != nil {
				return
			}
			c.Samples = append(c.Samples, s)
		}
		v := verdict.Judge(c)
		switch v.Outcome {
		case verdict.Disproved, verdict.Degraded, verdict.Proven, verdict.Inconclusive:
		case verdict.Aborted:
			fallthrough
		default:
			t.Fatalf("the outcome is %q", v.Outcome)
		}
		if v.Bad > v.Samples || v.Samples > len(c.Samples) || v.Severity != nil && (*v.Severity < 0 || *v.Severity > 1) {
			t.Errorf("%d of %d samples are bad, severity %v", v.Bad, v.Samples, v.Severity)
		}
		if (v.Recovery == nil) != (v.RecoveryHi == nil) {
			t.Errorf("recovery %v, at most %v", v.Recovery, v.RecoveryHi)
		}
		if v.RecoveryLo != nil && (*v.RecoveryLo < 0 || v.RecoveryHi != nil && *v.RecoveryLo > *v.RecoveryHi) || v.Recovery != nil && *v.Recovery > *v.RecoveryHi {
			t.Errorf("recovery %v, between %v and %v", v.Recovery, v.RecoveryLo, v.RecoveryHi)
		}
		if v.AtLeast != nil && *v.AtLeast < 0 || v.FirstImpact != nil && *v.FirstImpact < 0 {
			t.Errorf("at least %v, first impact %v", v.AtLeast, v.FirstImpact)
		}
	})
}
