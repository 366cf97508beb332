// Package verdict judges a game day from its measurements.
//
// It is pure: samples, marks and an objective in, a [Verdict] out. It reads no
// clock, does no I/O and starts no goroutine. So a run can be judged again years
// later, with the same outcome.
//
// The steps from samples to a verdict, in the order of the code:
//
//	samples ──phases──▶ baseline │ fault │ repair       (series.go)
//	        ──windows─▶ breaching samples               (series.go, allowance.go)
//	        ──gaps────▶ outages, severity, impairment   (outage.go)
//	        ──bounds──▶ recovery_lo ≤ recovery ≤ recovery_hi
//	        ──rows────▶ verdict, reason, state          (judge.go)
//	        ──silence─▶ judged twice, if the load stalled (silence.go)
//	        ──worst───▶ the verdict of a run            (run.go)
//
// A flattering verdict and a false accusation are equally bad. If the samples do not
// decide, the verdict is [Inconclusive] with a reason.
//
// The recovery time runs from the interruption of service, as in NIST SP
// 800-34 (recovery time objective), not from the fault: a cache may hide a
// fault for a while.
package verdict
