package run

import (
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// span is how many seconds a [Meter] looks back.
const span = 120

// Second is what users met in one second, by when they had their answer.
type Second struct {
	Users, Bad int
	Retried    int           // users who needed a retry, good or bad in the end
	Latency    time.Duration // the mean of it
}

// Meter sums up the latest samples, for a view and for stop conditions. It
// forgets what is older than two minutes: verdicts come from the record.
type Meter struct {
	objective verdict.Objective
	now       func() time.Duration // since the meter was made, whatever the wall clock says

	mu      sync.Mutex
	seconds [span]Second
	total   [span]time.Duration // of latency
	latest  int64               // second of the newest entry
	failed  int
}

// NewMeter is a meter that judges samples by an objective.
func NewMeter(objective verdict.Objective) *Meter {
	made := time.Now()
	return &Meter{objective: objective, now: func() time.Duration { return time.Since(made) }}
}

// Add counts a sample of a critical journey.
func (m *Meter) Add(s record.Sample) {
	if s.Void {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	i := m.latest % span
	m.seconds[i].Users++
	m.total[i] += s.Latency
	if s.Retries > 0 {
		m.seconds[i].Retried++
	}
	if s.Failed() || s.Latency > m.objective.Within {
		m.seconds[i].Bad++
		m.failed++
	}
}

// advance empties the seconds that have passed since the newest one.
func (m *Meter) advance() {
	now := int64(m.now()/time.Second) + span // there are seconds before the first one
	for t := max(m.latest+1, now-span+1); t <= now; t++ {
		m.seconds[t%span], m.total[t%span] = Second{}, 0
	}
	m.latest = max(m.latest, now)
}

// Last are the latest n seconds, oldest first. The current one, which is not over, is
// the last of them.
func (m *Meter) Last(n int) []Second {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advance()
	n = min(n, span-1)
	last := make([]Second, 0, n)
	for t := m.latest - int64(n) + 1; t <= m.latest; t++ {
		i := (t%span + span) % span
		s := m.seconds[i]
		if s.Users > 0 {
			s.Latency = m.total[i] / time.Duration(s.Users)
		}
		last = append(last, s)
	}
	return last
}

// Failed is how many requests failed or were slow since Reset.
func (m *Meter) Failed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failed
}

// Reset starts to count the failed again.
func (m *Meter) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failed = 0
}

// leastSum is the smallest number of seconds of a sum: in the current second alone there
// may be no user yet.
const leastSum = 2

// Served is how many users there were in the last seconds, and how many of them were
// failed or slow.
func (m *Meter) Served(last time.Duration) (users, bad int) {
	for _, s := range m.Last(max(int(last.Seconds()), leastSum)) {
		users += s.Users
		bad += s.Bad
	}
	return users, bad
}

// Steady reports whether the objective held for the given duration.
func (m *Meter) Steady(hold time.Duration) bool {
	users, bad := m.Served(hold)
	return users > 0 && bad <= verdict.Allowance(users, m.objective.Good)
}

// Holds reports whether a stop condition holds.
func (m *Meter) Holds(rule scenario.AbortRule) bool {
	if rule.Failed > 0 && m.Failed() < rule.Failed {
		return false
	}
	if rule.GoodBelow > 0 {
		users, bad := m.Served(rule.For)
		return users > 0 && 1-float64(bad)/float64(users) < float64(rule.GoodBelow)
	}
	return true
}
