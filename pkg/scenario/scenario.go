// Package scenario is what a person declares: scenarios, journeys and
// environments, from YAML files to checked values.
//
// Files are read strictly. Every problem of a file is told at once, with line
// and column, what was found and what was expected; see internal/strictyaml.
// The same structs give the JSON Schemas.
package scenario

import (
	"time"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Version is the version of all files that this code reads.
const Version = 1

// Defaults of a [Timing].
const (
	DefaultBaseline = 10 * time.Second
	DefaultRepair   = 60 * time.Second
)

// Scenario is one experiment: what is suspected, what was promised, what is
// broken while users do what.
type Scenario struct {
	Version     int           `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"The version of this format: 1."`
	Name        string        `yaml:"name" jsonschema:"required" jsonschema_description:"Its name; that of the file, without .yaml."`
	Title       string        `yaml:"title,omitempty" jsonschema_description:"One line for people."`
	Environment string        `yaml:"environment,omitempty" jsonschema_description:"A bundled lab (lab/checkout) or an environment of gameday.yaml. --env overrides it."`
	Suspect     Suspect       `yaml:"suspect,omitempty" jsonschema_description:"The single point of failure that is suspected, and why."`
	Objective   Objective     `yaml:"objective" jsonschema:"required" jsonschema_description:"What was promised to users."`
	Load        []JourneyLoad `yaml:"load" jsonschema:"required" jsonschema_description:"The journeys that users walk, and how often."`
	Faults      []Fault       `yaml:"faults" jsonschema:"required" jsonschema_description:"What is broken: one kind each."`
	Timing      Timing        `yaml:"timing,omitempty" jsonschema_description:"How long each phase lasts."`
	Seed        uint64        `yaml:"seed,omitempty" jsonschema_description:"Of all that is chosen at random, so that a run can be repeated; another one each time where it is not set."`
	AbortWhen   []AbortRule   `yaml:"abort_when,omitempty" jsonschema_description:"Stop conditions: when one holds, the fault is undone at once and the run is aborted."`

	File string `yaml:"-"` // where it was read from
}

// Suspect is the hypothesis of a scenario.
type Suspect struct {
	Component string `yaml:"component,omitempty" jsonschema_description:"The component that is suspected."`
	Because   string `yaml:"because,omitempty" jsonschema_description:"Why."`
}

// Objective is what was promised to users.
type Objective struct {
	RTO    time.Duration  `yaml:"rto" jsonschema:"required" jsonschema_description:"Recovery time objective: how long an interruption of service may last."`
	RPO    *time.Duration `yaml:"rpo,omitempty" jsonschema_description:"Recovery point objective: of what span acknowledged writes may be lost; 0 for none. Without it nothing is looked up."`
	Good   unit.Ratio     `yaml:"good,omitempty" jsonschema_description:"The share of users who must be served well; 99% where it is not set."`
	Within time.Duration  `yaml:"within,omitempty" jsonschema_description:"A slower journey is a bad one; 500ms where it is not set."`
	Window time.Duration  `yaml:"window,omitempty" jsonschema_description:"Breaches are looked for in windows of this length; 1s where it is not set."`
	Hold   time.Duration  `yaml:"hold,omitempty" jsonschema_description:"Service is back when it holds for so long; 5s where it is not set."`
}

// Verdict is the objective as pkg/verdict takes it.
func (o Objective) Verdict() verdict.Objective {
	return verdict.Objective{
		RTO: o.RTO, Good: float64(o.Good), Within: o.Within, Window: o.Window, Hold: o.Hold,
	}.WithDefaults()
}

// JourneyLoad is one journey that users walk.
type JourneyLoad struct {
	Journey  string     `yaml:"journey" jsonschema:"required" jsonschema_description:"The journey's name: journeys/NAME.yaml beside gameday.yaml."`
	Rate     probe.Rate `yaml:"rate" jsonschema:"required" jsonschema_description:"How many users set out: 50/s, 600/m."`
	Critical bool       `yaml:"critical,omitempty" jsonschema_description:"Whether the verdict rests on it."`
	From     string     `yaml:"from,omitempty" jsonschema:"enum=outside,enum=inside" jsonschema_description:"Where users set out: outside (gameday's machine) or inside (a network of the environment). Where it is not set: inside where the environment says how."`
}

// Fault is one fault of a scenario: its kind's name, what it is done to, and
// its spec, of the type that the kind made.
type Fault struct {
	Kind   string
	Target target.Selector
	At     time.Duration // since the first fault
	For    time.Duration // until it is taken back; to the end of the watch where 0
	Spec   any
	Where  string // file:line:column, for refusals
}

// Timing is how long each phase lasts.
type Timing struct {
	Baseline time.Duration `yaml:"baseline,omitempty" jsonschema_description:"Users are watched for so long before the fault; 10s where it is not set."`
	Watch    time.Duration `yaml:"watch,omitempty" jsonschema_description:"The fault lasts for so long, at least the RTO; RTO, hold and 5s where it is not set."`
	Repair   time.Duration `yaml:"repair,omitempty" jsonschema_description:"Users may take so long to be served again after the undoing, at most; 60s where it is not set."`
}

// AbortRule is a stop condition. All that it sets must hold.
type AbortRule struct {
	GoodBelow  unit.Ratio       `yaml:"good_below,omitempty" jsonschema_description:"The share of users who are served well, of the last seconds, is below this …"`
	For        time.Duration    `yaml:"for,omitempty" jsonschema_description:"… for so long; or what is asked outside says so for so long."`
	Failed     int              `yaml:"failed,omitempty" jsonschema:"minimum=1" jsonschema_description:"So many users have failed since the fault."`
	HTTPFails  *gate.HTTP       `yaml:"http_fails,omitempty" jsonschema_description:"This check does not answer as expected."`
	Prometheus *gate.Prometheus `yaml:"prometheus,omitempty" jsonschema_description:"This query holds: it gives at least one series, and none that is 0. A server that cannot be asked ends the run too."`
}
