package probe

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate is an arrival rate of users, such as 50/s or 600/m.
type Rate struct {
	Users int
	Per   time.Duration
}

// MaxRate is the highest arrival rate in users per second. No machine sends that many;
// above 1e9 there would be no time between two of them.
const MaxRate = 1_000_000

// ErrRate is the error for an invalid rate.
var ErrRate = fmt.Errorf("expected a rate above 0 such as 50/s, 600/m or 100/h, and at most %d/s", MaxRate)

// UnmarshalText parses a rate.
func (r *Rate) UnmarshalText(text []byte) error {
	users, unit, _ := strings.Cut(string(text), "/")
	per := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[strings.TrimSpace(unit)]
	n, err := strconv.Atoi(strings.TrimSpace(users))
	if err != nil || n <= 0 || per == 0 {
		return ErrRate
	}
	rate := Rate{n, per}
	if rate.PerSecond() > MaxRate {
		return ErrRate
	}
	*r = rate
	return nil
}

// MarshalText formats a rate.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String formats the rate.
func (r Rate) String() string {
	unit := map[time.Duration]string{time.Second: "s", time.Minute: "m", time.Hour: "h"}[r.Per]
	return fmt.Sprintf("%d/%s", r.Users, unit)
}

// PerSecond is the rate in users per second.
func (r Rate) PerSecond() float64 {
	if r.Per <= 0 {
		return 0
	}
	return float64(r.Users) / r.Per.Seconds()
}

// Gap is the time between two users.
func (r Rate) Gap() time.Duration {
	if r.Users <= 0 {
		return 0
	}
	return r.Per / time.Duration(r.Users)
}
