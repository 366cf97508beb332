package probe

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/internal/ramp"
)

// arrivals is vegeta's pacer for users: on schedule, each user up to half a gap late.
// Without this jitter, three steps would reach three servers in the same order for ever.
// Poisson arrivals are independent of each other, as those of many people are.
//
// It waits for a user's time itself: vegeta would not notice meanwhile that the load has
// ended, and at 1/h that takes an hour. A user whose time has passed is sent at once, and
// the schedule stays as it is: how late users were is known.
type arrivals struct {
	rate   Rate
	curve  ramp.Curve // from the fault on
	seed   uint64
	most   uint64 // 0 is no limit
	ended  <-chan struct{}
	struck <-chan struct{} // closed at the fault; nil if none comes, and after it

	random *rand.Rand    // of Poisson arrivals; nil if they are constant
	gaps   float64       // between Poisson arrivals, up to the next user
	fault  time.Duration // since the load began
	known  bool          // whether there was a fault

	mu  sync.Mutex
	due map[uint64]time.Time // when users were to be sent, until take
}

func (l Load) arrivals(ended <-chan struct{}) *arrivals {
	a := &arrivals{
		rate: l.Rate, curve: Curve(l.Rate, l.Stages), seed: l.Seed, most: l.Journey.Users.most(), ended: ended, struck: l.Struck,
		due: map[uint64]time.Time{},
	}
	if l.Arrivals == Poisson {
		a.random = rand.New(rand.NewPCG(l.Seed, 0)) //nolint:gosec // G404: arrivals, not a secret
	}
	return a
}

// Pace implements vegeta.Pacer. vegeta calls it once for every user.
func (a *arrivals) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if a.most > 0 && hits >= a.most {
		return 0, true
	}
	began := time.Now().Add(-elapsed)
	place := a.place(hits)
	for {
		select {
		case <-a.struck: // before what is due: the rate is another one now
			a.struck, a.fault, a.known = nil, time.Since(began), true
		default:
		}
		at := began.Add(a.at(place))
		timer := time.NewTimer(time.Until(at))
		select {
		case <-timer.C:
			a.mu.Lock()
			a.due[hits] = at
			a.mu.Unlock()
			return 0, false
		case <-a.ended:
			timer.Stop()
			return 0, true
		case <-a.struck:
			timer.Stop()
			a.struck, a.fault, a.known = nil, time.Since(began), true
		}
	}
}

// place is where a user is among all users, in users.
func (a *arrivals) place(hits uint64) float64 {
	if a.random != nil {
		a.gaps += a.random.ExpFloat64()
		return a.gaps
	}
	late := rand.New(rand.NewPCG(a.seed, hits)).Float64() / 2 //nolint:gosec // G404: jitter, not a secret
	return float64(hits) + late
}

// at is when a user is to be sent, since the load began.
func (a *arrivals) at(place float64) time.Duration {
	if !a.known {
		return time.Duration(float64(a.rate.Gap()) * place)
	}
	return a.fault + a.curve.At(place-a.rate.PerSecond()*a.fault.Seconds())
}

// Rate implements vegeta.Pacer.
func (a *arrivals) Rate(time.Duration) float64 { return a.rate.PerSecond() }

// take is when a user was to be sent.
func (a *arrivals) take(seq uint64) (time.Time, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, ok := a.due[seq]
	delete(a.due, seq)
	return at, ok
}
