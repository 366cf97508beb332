package record

import (
	"fmt"
	"regexp"
)

// attempt matches the end of the name of a failed attempt.
var attempt = regexp.MustCompile(` \(attempt \d+\)$`)

// Attempt is the name of the n-th attempt at a step, from 1, that failed, so that another one
// followed.
func Attempt(step string, n int) string { return fmt.Sprintf("%s (attempt %d)", step, n) }

// CutAttempt is the name of the step of which a name is that of a failed attempt, and whether
// it is one.
func CutAttempt(name string) (step string, ok bool) {
	at := attempt.FindStringIndex(name)
	if at == nil {
		return name, false
	}
	return name[:at[0]], true
}
