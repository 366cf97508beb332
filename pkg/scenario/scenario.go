// Package scenario is what a person declares: scenarios, journeys and
// environments, from YAML files to checked values.
//
// Files are read strictly. All problems of a file are reported at once, with line
// and column, what was found and what was expected; see internal/strictyaml.
// The same structs give the JSON Schemas.
package scenario

import (
	"fmt"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Whether something is done: [Scenario.Calibrate].
const (
	On  = "on"
	Off = "off"
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
	Name        string        `yaml:"name" jsonschema:"required" jsonschema_description:"The name of the scenario: the file name without .yaml."`
	Title       string        `yaml:"title,omitempty" jsonschema_description:"One line for people."`
	Environment string        `yaml:"environment,omitempty" jsonschema_description:"A bundled lab (lab/checkout) or an environment of gameday.yaml. --env overrides it."`
	Suspect     Suspect       `yaml:"suspect,omitempty" jsonschema_description:"The single point of failure that is suspected, and why."`
	Objective   Objective     `yaml:"objective" jsonschema:"required" jsonschema_description:"What was promised to users."`
	Load        []JourneyLoad `yaml:"load" jsonschema:"required" jsonschema_description:"The journeys that users walk, and how often."`
	Faults      []Fault       `yaml:"faults" jsonschema:"required" jsonschema_description:"What is broken: one kind each."`
	Timing      Timing        `yaml:"timing,omitempty" jsonschema_description:"How long each phase lasts."`
	Seed        uint64        `yaml:"seed,omitempty" jsonschema_description:"The seed of all random choices; set it to repeat a run (default: random)."`
	Calibrate   string        `yaml:"calibrate,omitempty" jsonschema:"enum=on,enum=off" jsonschema_description:"on: before the fault, the load generator measures a known outage of one second at its own door, and no fault is injected if it measures something else; off: it does not, and the report says so (default: on)."`
	AbortWhen   []AbortRule   `yaml:"abort_when,omitempty" jsonschema_description:"Stop conditions: if one is met, gameday reverts the faults at once and aborts the run."`

	Undo    Undo    `yaml:"undo,omitempty" jsonschema_description:"by-hand: people recover service, and gameday leaves the faults in force until users are served again for the hold, the person on call says gameday recovered, or the limit is over (default: automatic, after the watch)."`
	People  *People `yaml:"people,omitempty" jsonschema_description:"Who takes part in the game day. Reports name them."`
	Runbook string  `yaml:"runbook,omitempty" jsonschema_description:"URL of the instructions for this failure. Reports link to them."`

	ExpectAlerts []ExpectedAlert `yaml:"expect_alerts,omitempty" jsonschema_description:"Alerts that must fire because of the fault, in addition to those of the environment. They have a verdict of their own, and change none about recovery."`
	Must         []Must          `yaml:"must,omitempty" jsonschema_description:"Conditions that must be met, in addition to those of the environment. One that is not met makes the verdict degraded at the least."`
	Observe      []Metric        `yaml:"observe,omitempty" jsonschema_description:"Metrics that reports draw beside the users, in addition to those of the environment, at most 8 in all. They change no verdict."`
	Alerts       string          `yaml:"alerts,omitempty" jsonschema:"enum=required" jsonschema_description:"required: a run whose alerts were late or missed has exit code 1, and 3 if that is unknown (default: alerts change no exit code)."`

	File           string `yaml:"-"` // its path
	WatchByDefault bool   `yaml:"-"` // it declares no timing.watch
}

// Suspect is the hypothesis of a scenario.
type Suspect struct {
	Component string `yaml:"component,omitempty" jsonschema_description:"The component that is suspected."`
	Because   string `yaml:"because,omitempty" jsonschema_description:"Why."`
}

// Objective is what was promised to users.
type Objective struct {
	RTO    time.Duration  `yaml:"rto" jsonschema:"required" jsonschema_description:"Recovery time objective: how long an interruption of service may last."`
	RPO    *time.Duration `yaml:"rpo,omitempty" jsonschema_description:"Recovery point objective: the maximum time span of acknowledged writes that may be lost; 0 allows no loss. Without an RPO, gameday does not look up writes."`
	Good   unit.Ratio     `yaml:"good,omitempty" jsonschema_description:"The share of requests that must be good, neither failed nor slow (default: 99%)."`
	Within time.Duration  `yaml:"within,omitempty" jsonschema_description:"A journey that takes longer counts as slow (default: 500ms)."`
	Window time.Duration  `yaml:"window,omitempty" jsonschema_description:"Length of the windows in which the objective is checked (default: 1s)."`
	Hold   time.Duration  `yaml:"hold,omitempty" jsonschema_description:"How long the objective must hold before the service counts as recovered (default: 5s)."`
}

// Verdict is the objective as pkg/verdict takes it.
func (o Objective) Verdict() verdict.Objective {
	return verdict.Objective{
		RTO: o.RTO, Good: float64(o.Good), Within: o.Within, Window: o.Window, Hold: o.Hold,
	}.WithDefaults()
}

// JourneyLoad is one journey that users walk, or in a file several that share a rate.
type JourneyLoad struct {
	Journey  string         `yaml:"journey,omitempty" jsonschema_description:"The journey's name: journeys/NAME.yaml beside gameday.yaml."`
	Mix      map[string]int `yaml:"mix,omitempty" jsonschema_description:"Several journeys that share the rate, by name, each with its weight: {checkout: 3, browse: 7}. Instead of journey."`
	Rate     probe.Rate     `yaml:"rate" jsonschema:"required" jsonschema_description:"How many users arrive: 50/s, 600/m."`
	Stages   []probe.Stage  `yaml:"stages,omitempty" jsonschema_description:"How the rate changes from the first fault on, one stage after the other: [{to: 200/s, over: 30s}, {hold: 2m}]. Until then, rate holds: a baseline must be steady. The last rate holds until the end."`
	Arrivals string         `yaml:"arrivals,omitempty" jsonschema:"enum=constant,enum=poisson" jsonschema_description:"constant: users arrive at even distances, with a little jitter; poisson: independently of each other, as people do (default: constant)."`
	Clients  []Client       `yaml:"clients,omitempty" jsonschema_description:"The kinds of client programs that users are, at the same time, each with a share of the rate, an own recovery and an own verdict: [browser, {kind: pooled, size: 50, share: 20%}]. The worst verdict counts (default: one kind, as connections: of the journey says)."`
	Critical bool           `yaml:"critical,omitempty" jsonschema_description:"Whether the verdict depends on this journey."`
	From     string         `yaml:"from,omitempty" jsonschema:"enum=outside,enum=inside" jsonschema_description:"Where users come from: outside (gameday's machine) or inside (a network of the environment). Default: inside if the environment has inside:, else outside."`
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

// When a watch ends: [Timing.Until].
const (
	UntilWatch   = "watch"   // after Timing.Watch
	UntilDecided = "decided" // as soon as the samples have what a verdict demands, at the latest after Timing.Watch
)

// Timing is how long each phase lasts.
type Timing struct {
	Baseline time.Duration `yaml:"baseline,omitempty" jsonschema_description:"How long users are watched before the fault (default: 10s)."`
	Watch    time.Duration `yaml:"watch,omitempty" jsonschema_description:"How long the fault lasts, at least the RTO (default: RTO + hold + 5s)."`
	Until    string        `yaml:"until,omitempty" jsonschema:"enum=watch,enum=decided" jsonschema_description:"watch: the fault lasts as long as watch says; decided: it is reverted as soon as the verdict is certain to be proven, or disproved with recovery seen and held, and after watch at the latest (default: watch; in sweeps: decided)."`
	Repair   time.Duration `yaml:"repair,omitempty" jsonschema_description:"The maximum time until service recovers after the revert (default: 60s)."`
}

// AbortRule is a stop condition. All that it sets must hold.
type AbortRule struct {
	GoodBelow  unit.Ratio       `yaml:"good_below,omitempty" jsonschema_description:"The share of good requests in the last seconds is below this …"`
	For        time.Duration    `yaml:"for,omitempty" jsonschema_description:"… for this duration. For http_fails and prometheus: how long the condition must hold."`
	Failed     int              `yaml:"failed,omitempty" jsonschema:"minimum=1" jsonschema_description:"The number of failed or slow users since the fault."`
	HTTPFails  *gate.HTTP       `yaml:"http_fails,omitempty" jsonschema_description:"This check does not answer as expected."`
	Prometheus *gate.Prometheus `yaml:"prometheus,omitempty" jsonschema_description:"This query returns at least one series, and no value of 0. The run also stops if the server cannot be queried."`
}

// Unlooked says that the writes which journeys acknowledge are not looked up, and what to do
// about it; it is empty if they are, or if there are none.
func (s Scenario) Unlooked(journeys []probe.Journey) string {
	i := slices.IndexFunc(journeys, probe.Journey.Acknowledges)
	if s.Objective.RPO != nil || i < 0 {
		return ""
	}
	return fmt.Sprintf("the writes that journey %s acknowledges are not looked up: add rpo: 0 to the objective to find lost ones", journeys[i].Name)
}
