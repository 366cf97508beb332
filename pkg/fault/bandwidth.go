package fault

import (
	"context"
	"errors"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Bandwidth limits the bandwidth of the component's outgoing traffic.
type Bandwidth struct {
	Rate unit.BitRate `json:"rate" yaml:"rate" jsonschema:"required" jsonschema_description:"The maximum rate, such as 10mbit or 512kbit."`
}

var _ Carried = (*Bandwidth)(nil)

// minRate is the lowest rate, in bits a second, at which the kernel's token bucket does
// not lose full packets.
const minRate = 8_000

// Check implements [Checker].
func (f *Bandwidth) Check() error {
	if f.Rate < minRate {
		return errors.New("rate: expected at least 8kbit")
	}
	return nil
}

func (f *Bandwidth) carry() helped {
	return helped{
		power: helper.Network, needs: helper.Features{Shape: true}, tries: true, keeps: true,
		work: func(context.Context, target.Handle, helpedState) (helper.Work, error) {
			return &helper.Shape{BitsPerSecond: uint64(f.Rate)}, nil
		},
	}
}
