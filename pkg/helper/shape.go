package helper

import "time"

// Shape changes how packets leave the target, by the kernel's own queues.
type Shape struct {
	BitsPerSecond uint64        `json:"bits_per_second,omitempty"` // a bound on them; or, by netem,
	Delay         time.Duration `json:"delay,omitempty"`           // how much later they leave
	Jitter        time.Duration `json:"jitter,omitempty"`          // up to so much more or less
}

func (*Shape) work() string { return "shape" }
