// Package verdict turns what was seen during a game day into what may be said
// about it.
//
// It is pure: samples, marks and an objective in, a [Verdict] out. It reads no
// clock, does no I/O and starts no goroutine, so any run can be judged again,
// years later, with the same outcome.
//
// The way from samples to a verdict, in the order of the code:
//
//	samples ──phases──▶ baseline │ fault │ repair       (series.go)
//	        ──windows─▶ breaching samples               (series.go, allowance.go)
//	        ──gaps────▶ outages, severity, impairment   (outage.go)
//	        ──bounds──▶ recovery_lo ≤ recovery ≤ recovery_hi
//	        ──rows────▶ verdict, reason, state          (judge.go)
//	        ──silence─▶ judged twice, where nothing was sent (silence.go)
//	        ──worst───▶ the verdict of a run            (run.go)
//
// Two errors are equally bad: a flattering verdict and a false accusation.
// Where the samples cannot tell, the verdict is [Inconclusive] and says why.
//
// The recovery time runs from the interruption of service, as in NIST SP
// 800-34 (recovery time objective), not from the fault: a cache may hide a
// fault for a while.
package verdict
