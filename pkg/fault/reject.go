package fault

import (
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/helper"
)

// Reject rejects packets with an error to the sender.
type Reject struct {
	Traffic `yaml:",inline"`

	With string `json:"with,omitempty" yaml:"with,omitempty" jsonschema:"enum=icmp,enum=reset" jsonschema_description:"icmp: the sender gets an ICMP port unreachable; reset: new and open TCP connections are reset (default: icmp)."`
}

var _ Carried = (*Reject)(nil)

// Check implements [Checker].
func (f *Reject) Check() error {
	switch f.With {
	case "", "icmp":
	case "reset":
		if f.Protocol != "" && f.Protocol != "tcp" {
			return errors.New("with: reset requires protocol tcp")
		}
	default:
		return fmt.Errorf("with: found %q, expected icmp or reset", f.With)
	}
	return f.check()
}

func (f *Reject) carry() helped {
	t, do := f.Traffic, helper.Reject
	if f.With == "reset" {
		t.Protocol, do = "tcp", helper.Reset
	}
	return t.filter(helper.Rule{Do: do}, helper.Features{})
}
