// Package doctor finds out what a game day needs, what is there, what each lack costs, and
// the command that mends it. It changes nothing.
//
// A [Check] is a small value that returns findings. [Patient.Checks] lists them; [Examine]
// runs them side by side, each for a bounded time.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/internal/redact"
)

// Status is what a check found.
type Status string

// What a check can find.
const (
	OK      Status = "ok"
	Lacking Status = "lacking" // and the finding says what it costs
	Unknown Status = "unknown" // it could not be found out
)

// Finding is one thing that was looked at.
type Finding struct {
	Check   string `json:"check"`             // the name of its check
	Subject string `json:"subject,omitempty"` // what of it, such as a kind of fault
	Status  Status `json:"status"`
	// Needed: a game day in this environment cannot be run, or can prove nothing, without it.
	Needed bool   `json:"needed"`
	Found  string `json:"found"`          // in words
	Cost   string `json:"cost,omitempty"` // what does not work without it
	Mend   string `json:"mend,omitempty"` // a command

	of string // what it is one of many of, in words; "" if it is listed by itself
}

// Check looks at one thing.
type Check interface {
	// Name is one word.
	Name() string
	// Limit is how long Look may take, with what it must take away again.
	Limit() time.Duration
	// Look returns what it found. The end of ctx ends it.
	Look(ctx context.Context) []Finding
}

// unhurried is how long all checks may take before slow is called.
const unhurried = time.Second

// grace is how much longer than its limit a check is waited for.
const grace = time.Second

// Examine runs checks side by side and returns their findings in the order of the checks. A
// check that does not end in time is an unknown finding. slow receives the names of those
// that go on, after a second and then every ten.
func Examine(ctx context.Context, checks []Check, slow func(names []string)) []Finding {
	found := make([][]Finding, len(checks))
	var mu sync.Mutex // guards going
	going := map[string]bool{}
	names := make([]string, len(checks))
	var looking sync.WaitGroup
	for i, c := range checks {
		names[i] = c.Name()
		going[names[i]] = true
	}
	for i, c := range checks {
		looking.Go(func() {
			found[i] = examine(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			delete(going, names[i])
		})
	}
	done := make(chan struct{})
	go func() { looking.Wait(); close(done) }()
	timer := time.NewTimer(unhurried)
	defer timer.Stop()
	for {
		select {
		case <-done:
			return slices.Concat(found...)
		case <-timer.C:
			mu.Lock()
			late := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !going[name] })
			mu.Unlock()
			if len(late) > 0 {
				slow(late)
			}
			timer.Reset(10 * unhurried)
		}
	}
}

// examine runs one check, and gives up on one that does not end: a file system that does
// not respond holds the process that asks it.
func examine(ctx context.Context, c Check) []Finding {
	ctx, cancel := context.WithTimeout(ctx, c.Limit())
	defer cancel()
	result := make(chan []Finding, 1)
	go func() { result <- c.Look(ctx) }()
	timer := time.NewTimer(c.Limit() + grace)
	defer timer.Stop()
	var found []Finding
	select {
	case found = <-result:
	case <-timer.C:
		found = []Finding{unknown(fmt.Errorf("no answer within %v", c.Limit()))}
	}
	for i := range found {
		found[i].Check = c.Name()
		found[i].Found = redact.Common().Text(found[i].Found) // errors of engines and commands quote addresses
	}
	return found
}

// Missing are the findings that something needed is not there, or could not be seen.
func Missing(all []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return !f.Needed || f.Status == OK })
}

func ok(format string, args ...any) Finding {
	return Finding{Status: OK, Found: fmt.Sprintf(format, args...)}
}

func unknown(err error) Finding {
	text := err.Error()
	if errors.Is(err, context.DeadlineExceeded) {
		text = "no answer in time: " + text
	}
	return Finding{Status: Unknown, Found: text}
}
