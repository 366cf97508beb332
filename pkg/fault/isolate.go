package fault

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Isolate cuts a component off from everybody, as the loss of its network does.
// It goes on running and finds nobody.
type Isolate struct {
	// KeepProbe leaves the way by which gameday's users come in, where they come
	// to this component: the gateways of its networks.
	KeepProbe bool `json:"keep_probe,omitempty" yaml:"keep_probe,omitempty" jsonschema_description:"Users of gameday's journeys still reach it from the host; not so where it is not set."`
}

var _ Carried = (*Isolate)(nil)

// Check implements [Checker].
func (*Isolate) Check() error { return nil }

func (f *Isolate) carry() helped {
	all := helper.Rule{Do: helper.Drop}
	spec := Traffic{}.filter(all, helper.Features{})
	if !f.KeepProbe {
		return spec
	}
	spec.work = func(ctx context.Context, h target.Handle, was helpedState) (helper.Work, error) {
		host, err := target.As[target.Gatewayed](h)
		if err != nil {
			return nil, err
		}
		gateways, err := host.Gateways(ctx)
		if err != nil {
			return nil, fmt.Errorf("find the probe's way: %w", err)
		}
		but := all
		for _, g := range gateways {
			but.Except = append(but.Except, netip.PrefixFrom(g, g.BitLen()))
		}
		return Traffic{}.filter(but, helper.Features{}).work(ctx, h, was)
	}
	return spec
}
