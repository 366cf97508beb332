package verdict

import "math"

// accident is the probability below which an excess of bad samples no longer counts
// as chance.
const accident = 0.0001

// Allowance is a(n): how many of n samples may be bad by chance if each sample is
// good with probability good. It is the smallest k with P(X > k) <= 0.0001 for
// X ~ Binomial(n, 1-good). It is 0 if good is 1.
func Allowance(n int, good float64) int {
	p := 1 - good
	if n <= 0 || p <= 0 {
		return 0
	}
	if p >= 1 {
		return n
	}
	// P(X > k) falls with k and is at least one half below the mean, so the
	// answer lies between the mean and n.
	low, high := max(int(float64(n)*p)-1, 0), n
	for low < high {
		mid := low + (high-low)/2
		if binomialTail(n, p, mid) <= accident {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

// binomialTail is P(X > k) for X ~ Binomial(n, p), 0 < p < 1. It starts at the
// probability of k+1, from log-gammas so that it does not underflow, and adds
// terms until they are too small to matter.
func binomialTail(n int, p float64, k int) float64 {
	if k >= n {
		return 0
	}
	i := float64(k + 1)
	term := math.Exp(logChoose(float64(n), i) + i*math.Log(p) + (float64(n)-i)*math.Log1p(-p))
	odds, sum := p/(1-p), 0.0
	mean := float64(n) * p
	for ; i <= float64(n); i++ {
		sum += term
		term *= (float64(n) - i) / (i + 1) * odds
		if i > mean && term < sum*1e-17 {
			break
		}
	}
	return sum
}

func logChoose(n, k float64) float64 {
	a, _ := math.Lgamma(n + 1)
	b, _ := math.Lgamma(k + 1)
	c, _ := math.Lgamma(n - k + 1)
	return a - b - c
}

// proof is the number of good samples in a row that show that an outage of the given
// severity is over. During the outage, that many have a probability of 1%.
func proof(severity float64) int {
	switch {
	case severity >= 0.99:
		return 1
	case severity <= 0:
		return math.MaxInt
	}
	return int(math.Ceil(math.Log(0.01) / math.Log(1-severity)))
}
