package scenario

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Schedule is a game day that comes again and again.
type Schedule struct {
	Name        string        `yaml:"name" jsonschema:"required" jsonschema_description:"The name: lowercase letters, digits and hyphens."`
	Cron        string        `yaml:"cron" jsonschema:"required" jsonschema_description:"The cron expression: minute, hour, day of the month, month, day of the week; or a macro such as @daily; or @every 90m (5s or more)."`
	TimeZone    string        `yaml:"time_zone,omitempty" jsonschema_description:"Time zone of cron, windows and blackout: Europe/Berlin (default: UTC)."`
	Scenario    string        `yaml:"scenario,omitempty" jsonschema_description:"The scenario, as gameday run takes it."`
	Sweep       *Sweep        `yaml:"sweep,omitempty" jsonschema_description:"A sweep of the environment, instead of a scenario."`
	Environment string        `yaml:"environment,omitempty" jsonschema_description:"The environment (default: the scenario's own). Required for a sweep."`
	Jitter      time.Duration `yaml:"jitter,omitempty" jsonschema_description:"The maximum random delay after the cron time. The delay of a run is the same on every instance."`
	Windows     []Window      `yaml:"windows,omitempty" jsonschema_description:"The windows in which a run may start (default: any time)."`
	Blackout    []Blackout    `yaml:"blackout,omitempty" jsonschema_description:"Days on which no run starts."`
	Lasts       time.Duration `yaml:"lasts,omitempty" jsonschema_description:"The minimum time that must remain in the window when a run starts (default: 0s)."`
	Within      time.Duration `yaml:"start_within,omitempty" jsonschema_description:"How long a run may wait for another run in the environment (default: 5m). A run that waits longer is missed."`
	OnlyIf      []Condition   `yaml:"only_if,omitempty" jsonschema_description:"The conditions for a start. All of them must be met."`
	Approval    *Approval     `yaml:"approval,omitempty" jsonschema_description:"Require that a person approves each run."`
	Notify      []Notice      `yaml:"notify,omitempty" jsonschema_description:"Who receives messages, in addition to those that the environment names."`
}

// Sweep is what of an environment is swept; see gameday sweep.
type Sweep struct {
	Only   []string      `json:"only,omitempty" yaml:"only,omitempty" jsonschema_description:"Only these components."`
	Except []string      `json:"except,omitempty" yaml:"except,omitempty" jsonschema_description:"Skip these components."`
	Rate   string        `json:"rate,omitempty" yaml:"rate,omitempty" jsonschema_description:"How many users arrive: 50/s."`
	RTO    time.Duration `json:"rto,omitempty" yaml:"rto,omitempty" jsonschema_description:"The recovery time objective (default: 10s)."`
	Zones  bool          `json:"zones,omitempty" yaml:"zones,omitempty" jsonschema_description:"Also fault every zone."`
}

// Zone is the name of its time zone.
func (s Schedule) Zone() string { return cmp.Or(s.TimeZone, "UTC") }

// Named is the schedule of a name; the zero one if there is none.
func Named(all []Schedule, name string) Schedule {
	for _, s := range all {
		if s.Name == name {
			return s
		}
	}
	return Schedule{}
}

// SweepWord stands for a sweep where else the name of a scenario does.
const SweepWord = "sweep"

// Command is what a person would type for what a schedule runs: a scenario, or sweep.
func Command(what, environment string, args []string) []string {
	command := []string{"gameday", "run", what}
	if what == SweepWord {
		command = []string{"gameday", "sweep"}
	}
	if environment != "" {
		command = append(command, "--env", environment)
	}
	return append(command, args...)
}

// Args are the flags of gameday sweep; none if there is no sweep.
func (s *Sweep) Args() []string {
	if s == nil {
		return nil
	}
	args := []string{}
	for _, name := range s.Only {
		args = append(args, "--only", name)
	}
	for _, name := range s.Except {
		args = append(args, "--except", name)
	}
	if s.Rate != "" {
		args = append(args, "--rate", s.Rate)
	}
	if s.RTO > 0 {
		args = append(args, "--rto", s.RTO.String())
	}
	if s.Zones {
		args = append(args, "--zones")
	}
	return args
}

// Condition is what must hold when a scheduled run begins: one of these.
type Condition struct {
	HTTP       *gate.HTTP       `yaml:"http,omitempty" jsonschema_description:"A check that must answer as expected."`
	Prometheus *gate.Prometheus `yaml:"prometheus,omitempty" jsonschema_description:"A query that must give at least one series, and none that is 0."`
	Steady     time.Duration    `yaml:"steady,omitempty" jsonschema_description:"How long the objective must hold for the scenario's journeys before the run starts."`
}

// Approval is how a person approves of a run.
type Approval struct {
	Within time.Duration `yaml:"within,omitempty" jsonschema_description:"How long a run waits for approval (default: 30m). A run without approval by then is missed."`
}

// Defaults of a [Schedule].
const (
	DefaultStartWithin    = 5 * time.Minute
	DefaultApprovalWithin = 30 * time.Minute
)

// StartWithin is how long after its moment a run may still begin.
func (s Schedule) StartWithin() time.Duration { return cmp.Or(s.Within, DefaultStartWithin) }

// ApprovalWithin is how long a run waits for approval, 0 where it needs
// none.
func (s Schedule) ApprovalWithin() time.Duration {
	if s.Approval == nil {
		return 0
	}
	return cmp.Or(s.Approval.Within, DefaultApprovalWithin)
}

// What is what it runs, in one word: the scenario, or sweep.
func (s Schedule) What() string {
	if s.Sweep != nil {
		return SweepWord
	}
	return s.Scenario
}

// checkSchedules reports what the fields alone do not show to be wrong.
func (e Environments) checkSchedules(doc *strictyaml.Document, known []Receiver) {
	seen := map[string]bool{}
	for i, s := range e.Schedules {
		at := index("schedules", i)
		if !names.MatchString(s.Name) && s.Name != "" {
			doc.Problem(at+".name", "%s.name: found %q, expected lowercase letters, digits and hyphens", at, s.Name)
		}
		if seen[s.Name] && s.Name != "" {
			doc.Problem(at+".name", "%s.name: duplicate schedule %s", at, s.Name)
		}
		seen[s.Name] = true
		s.checkCron(doc, at)
		if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "Local" {
			doc.Problem(at+".time_zone", "%s.time_zone: found %q, expected one such as Europe/Berlin or UTC", at, s.TimeZone)
		}
		if _, known := e.Environments[s.Environment]; s.Environment != "" && !known && !strings.HasPrefix(s.Environment, target.LabPrefix) {
			doc.Problem(at+".environment", "%s.environment: this file has no environment %q: add it, or use a lab, such as lab/checkout", at, s.Environment)
		}
		s.checkTimes(doc, at)
		s.checkWhat(doc, at)
		checkNotices(doc, at, s.Notify, known)
		checkNoTracker(doc, at, s.Notify)
	}
}

// checkWhat holds what is run, and under which conditions, against what can be.
func (s Schedule) checkWhat(doc *strictyaml.Document, at string) {
	switch {
	case (s.Scenario == "") == (s.Sweep == nil):
		doc.Problem(at, "%s: expected one of scenario and sweep", at)
	case s.Sweep != nil && s.Environment == "":
		doc.Problem(at, "%s: a sweep needs an environment", at)
	}
	s.Sweep.check(doc, at+".sweep")
	for k, c := range s.OnlyIf {
		path := index(at+".only_if", k)
		if n := count(c.HTTP != nil, c.Prometheus != nil, c.Steady != 0); n != 1 {
			doc.Problem(path, "%s: found %d conditions, expected one of http, prometheus and steady", path, n)
		}
		if c.Steady < 0 {
			doc.Problem(path, "%s.steady: found %v, expected more than 0", path, c.Steady)
		}
		if c.Steady > 0 && s.Sweep != nil {
			doc.Problem(path, "%s.steady: a sweep checks the objective by itself: remove it", path)
		}
		checkGates(doc, path, c.HTTP, c.Prometheus)
	}
}

// check holds the settings of a sweep against what gameday sweep takes: what is wrong
// with them must not be found out when it begins.
func (s *Sweep) check(doc *strictyaml.Document, path string) {
	if s == nil {
		return
	}
	if err := new(probe.Rate).UnmarshalText([]byte(s.Rate)); err != nil && s.Rate != "" {
		doc.Problem(path+".rate", "%s.rate: found %q, %v", path, s.Rate, err)
	}
	if s.RTO < 0 {
		doc.Problem(path+".rto", "%s.rto: found %v, expected a duration above 0", path, s.RTO)
	}
}

// checkGates holds what is asked outside against what can be.
func checkGates(doc *strictyaml.Document, path string, h *gate.HTTP, p *gate.Prometheus) {
	if h != nil {
		at := path + ".http"
		if doc.Has(path + ".http_fails") { // a stop condition
			at = path + ".http_fails"
		}
		if err := h.Check(); err != nil {
			doc.Problem(at, "%s: %v", at, err)
		}
	}
	if p != nil {
		if err := p.Check(); err != nil {
			doc.Problem(path+".prometheus", "%s.prometheus: %v", path, err)
		}
	}
}

func count(all ...bool) (n int) {
	for _, one := range all {
		if one {
			n++
		}
	}
	return n
}

func (s Schedule) checkTimes(doc *strictyaml.Document, at string) {
	for k, w := range s.Windows {
		path := index(at+".windows", k)
		for _, d := range w.Days {
			if !slices.Contains(weekdays(), d) {
				doc.Problem(path+".days", "%s.days: found %q, expected mon, tue, wed, thu, fri, sat or sun", path, d)
			}
		}
		if w.From == w.To {
			doc.Problem(path, "%s: from and to are equal: set a later to", path)
		}
	}
	for k, b := range s.Blackout {
		path := index(at+".blackout", k)
		switch {
		case doc.Has(path+".from") == (b.ICal != "") || b.ICal != "" && doc.Has(path+".to"):
			doc.Problem(path, "%s: expected one of from and ical", path)
		case !b.To.IsZero() && b.To.Before(b.From.Time):
			doc.Problem(path, "%s: to is before from", path)
		}
	}
	for name, d := range map[string]time.Duration{"lasts": s.Lasts, "jitter": s.Jitter, "start_within": s.Within, "approval.within": s.ApprovalWithin()} {
		if d < 0 {
			doc.Problem(at+"."+name, "%s.%s: found %v, expected 0 or more", at, name, d)
		}
	}
}

// checkNoTracker refuses trackers of issues: a schedule tells that its jobs have ended, and
// the runs themselves bring their findings to the trackers of their environment.
func checkNoTracker(doc *strictyaml.Document, path string, all []Notice) {
	for i, n := range all {
		if at := index(path+".notify", i) + ".to"; n.Tracks() {
			doc.Problem(at, "%s: found %q: issues are about findings: move it to notify: of the environment", at, n.To)
		}
	}
}
