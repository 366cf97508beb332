package fault

import (
	"context"
	"errors"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Bandwidth bounds what leaves the component.
type Bandwidth struct {
	Rate unit.BitRate `json:"rate" yaml:"rate" jsonschema:"required" jsonschema_description:"At most so much: 10mbit, 512kbit."`
}

var _ Carried = (*Bandwidth)(nil)

// minRate is the least that the kernel's token bucket takes without losing full
// packets.
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
