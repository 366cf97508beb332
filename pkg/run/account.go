package run

import (
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Account is what became of a run, beside its record.
type Account struct {
	Steps         []StepAccount
	Confirmed     bool            // acknowledged writes were looked up
	ByHand        *ByHand         // how people recovered service, if they were to
	Decided       verdict.Outcome // by what the watch was ended early, if it was; see [scenario.UntilDecided]
	Truths        []record.Truth  // what is known of the calibrations
	NotCalibrated string          // why the load generator is not calibrated, if it is not
	NotKept       string          // by how much the load fell behind its rate before the fault, if it did
	NotInForce    bool            // a fault's own check failed
	NotFelt       bool            // every fault is one of the network, and met no packet
	Aborted       string          // why the run was ended early, if it was
	Left          error           // what could not be put back

	// AlertsAside are the places, in the scenario's expect_alerts, of those that are not
	// about what was faulted.
	AlertsAside []int
}

// StepAccount is what was done to one component.
type StepAccount struct {
	Kind      string     `json:"kind"`
	Component string     `json:"component"`
	Ordered   *time.Time `json:"ordered,omitempty"`
	InForce   *time.Time `json:"in_force,omitempty"`
	TakenBack *time.Time `json:"taken_back,omitempty"` // as its for: declared
	Packets   *uint64    `json:"packets,omitempty"`    // that a network fault has met
	Found     string     `json:"found,omitempty"`      // what its own check found wrong
	Undone    bool       `json:"undone"`
}
