package helper

import "time"

// Queue holds packets up in user space.
type Queue struct {
	Match   []Rule        `json:"match"` // which packets; their Do is not read
	Delay   time.Duration `json:"delay,omitempty"`
	Jitter  time.Duration `json:"jitter,omitempty"`  // up to so much more or less
	Corrupt float64       `json:"corrupt,omitempty"` // share of packets of which a byte is changed
	Reorder float64       `json:"reorder,omitempty"` // share of packets that overtake the delayed ones
	Seed    uint64        `json:"seed,omitempty"`
}

func (*Queue) work() string { return "queue" }
