package verdict

import (
	"fmt"
	"time"
)

// The bounds of what is judged. A record that exceeds them is damaged, or forged.
const (
	// MaxSpan is how far moments may be from the origin of a case, and how long its
	// durations may be. No run lasts a year, and sums of such times cannot overflow.
	MaxSpan = 366 * 24 * time.Hour
	// MaxSamples is how many samples may be judged together. They take 240 MB of
	// memory.
	MaxSamples = 10_000_000
)

// The errors for times and numbers beyond the bounds.
var (
	ErrFar     = fmt.Errorf("more than %d days from the start", MaxSpan/(24*time.Hour))
	ErrLatency = fmt.Errorf("expected a latency between 0 and %d days", MaxSpan/(24*time.Hour))
	ErrMany    = fmt.Errorf("more than %d samples", MaxSamples)
)

// CheckMoment returns [ErrFar] if a moment is too far from the origin of its case.
func CheckMoment(at time.Duration) error {
	if at.Abs() > MaxSpan {
		return ErrFar
	}
	return nil
}

// Check returns an error if a sample cannot be part of any case.
func (s Sample) Check() error {
	if s.Latency < 0 || s.Latency > MaxSpan {
		return fmt.Errorf("found %v, %w", s.Latency, ErrLatency)
	}
	return CheckMoment(s.Sent)
}

// Bounds checks the samples of one record while they are read: each, and their number.
type Bounds struct{ n int }

// Check returns an error if a sample cannot be part of the record.
func (b *Bounds) Check(s Sample) error {
	if b.n++; b.n > MaxSamples {
		return ErrMany
	}
	return s.Check()
}

// Check returns an error if a mark is too far from the origin.
func (m Marks) Check() error {
	if err := CheckMoment(m.Fault); err != nil {
		return fmt.Errorf("the fault is %w", err)
	}
	if err := CheckMoment(m.Revert); err != nil {
		return fmt.Errorf("the revert is %w", err)
	}
	return nil
}
