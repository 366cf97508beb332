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
// Where the rate changes after the fault ([Case].Stages), what depends on the rate depends
// on that of its moment: a window reaches back until ten samples are expected in it, a
// silence is a span in which more than five are, and it is filled at the moment's rate. At
// a constant rate these are 10/rate and 5/rate. Between Poisson arrivals, a silence has
// more than ln(10,000·n) expected samples, of n between fault and end: one of 10,000 runs
// has such a gap by chance.
//
// The recovery time runs from the interruption of service, as in NIST SP
// 800-34 (recovery time objective), not from the fault: a cache may hide a
// fault for a while.
package verdict
