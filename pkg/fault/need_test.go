package fault_test

import (
	"slices"
	"testing"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/helper"
)

// Every kind says which capability of a component it needs, but for those that need none.
func TestEveryKindSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	free := []string{"command", "manual", "noop"}
	for _, k := range fault.Specs() {
		need := fault.NeedOf(k.New())
		if err := need.Capability(struct{}{}); (err == nil) != slices.Contains(free, k.Name) {
			t.Errorf("%s needs no capability: list it in NeedOf (%v)", k.Name, err)
		}
		if need.Features != (helper.Features{}) && need.Power == "" {
			t.Errorf("%s needs features of the kernel, and no helper: %+v", k.Name, need)
		}
	}
	if need := fault.NeedOf(&fault.Command{In: "component"}); need.Capability(struct{}{}) == nil {
		t.Error("a command in a component needs to run one there")
	}
	if need := fault.NeedOf(&fault.Zone{By: "isolate"}); need.Power != helper.Network || !need.Features.Packets {
		t.Errorf("a zone that is isolated needs %+v", need)
	}
}
