package verdict

import (
	"cmp"
	"slices"
	"time"
)

// Poll is one answer to a question that was asked again and again: whether an alert fires,
// whether a condition is met. The answer is true of some moment between Asked and Answered,
// which are on the scale of [Sample.Sent].
type Poll struct {
	Asked, Answered time.Duration
	Known           bool // false if there was no usable answer
	Holds           bool
	Why             string // there was none
}

// AskEvery is how often to ask for what has a limit: a tenth of the limit, and at the most
// a second, so that the limit is seldom between two polls.
func AskEvery(limit time.Duration) time.Duration {
	if limit <= 0 {
		return time.Second
	}
	return max(min(limit/10, time.Second), 10*time.Millisecond)
}

// inOrder are polls in the order in which they were asked.
func inOrder(polls []Poll) []Poll {
	byAsking := func(a, b Poll) int { return cmp.Compare(a.Asked, b.Asked) }
	if slices.IsSortedFunc(polls, byAsking) {
		return polls
	}
	sorted := slices.Clone(polls)
	slices.SortStableFunc(sorted, byAsking)
	return sorted
}

// Span is the bounds of a time, in seconds: at least the first, at most the second.
type Span [2]Seconds

// Lo is the lower bound.
func (s Span) Lo() time.Duration { return s[0].Duration() }

// Hi is the upper bound.
func (s Span) Hi() time.Duration { return s[1].Duration() }

// since is the bounds of a moment, measured from another one.
func (s Span) since(at time.Duration) *Span {
	return &Span{s[0] - Seconds(at), s[1] - Seconds(at)}
}
