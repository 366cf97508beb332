package fault

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Isolate disconnects a component from its network. The component continues to run.
type Isolate struct {
	// KeepProbe exempts the gateways of the component's networks, from which requests of
	// gameday's load arrive.
	KeepProbe bool `json:"keep_probe,omitempty" yaml:"keep_probe,omitempty" jsonschema_description:"Requests of gameday's load still reach the component from the host (default: false)."`
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
	spec.remark = "not met: packets from and to the host, also by way of ports that it publishes (keep_probe)"
	spec.work = func(ctx context.Context, h target.Handle, was helpedState) (helper.Work, error) {
		host, err := target.As[target.Gatewayed](h)
		if err != nil {
			return nil, err
		}
		gateways, err := host.Gateways(ctx)
		if err != nil {
			return nil, fmt.Errorf("keep_probe: find the gateways of the component: %w", err)
		}
		but := all
		for _, g := range gateways {
			but.Except = append(but.Except, netip.PrefixFrom(g, g.BitLen()))
		}
		return Traffic{}.filter(but, helper.Features{}).work(ctx, h, was)
	}
	return spec
}
