package fault

import (
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/helper"
)

// Reject refuses packets, and tells whoever sent them.
type Reject struct {
	Traffic `yaml:",inline"`

	With string `json:"with,omitempty" yaml:"with,omitempty" jsonschema:"enum=icmp,enum=reset" jsonschema_description:"reset: a TCP connection is reset, an open one too; icmp: the port is unreachable; icmp where it is not set."`
}

var _ Carried = (*Reject)(nil)

// Check implements [Checker].
func (f *Reject) Check() error {
	switch f.With {
	case "", "icmp":
	case "reset":
		if f.Protocol != "" && f.Protocol != "tcp" {
			return errors.New("with: only a TCP connection can be reset")
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
