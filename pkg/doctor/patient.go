package doctor

import (
	"context"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Patient is an environment, and the machine that gameday runs on.
type Patient struct {
	// Open reaches the environment. [Patient.Close] closes it.
	Open func(ctx context.Context) (target.Site, error)
	// Labs is the provisioner of the environment's labs; nil if it has none.
	Labs   func(site target.Site) (target.Provisioner, error)
	Lab    target.Lab // the zero Lab if the environment is none
	Demand Demand
	Out    string // the folder of the runs' folders
	Machine

	site  func() (target.Site, error)
	facts func() (target.Diagnosis, error)
	stock func() (target.Stock, error)
}

// Demand is what the scenarios of an environment ask for.
type Demand struct {
	Specs  map[string][]any // of faults, by kind
	Rate   float64          // of the scenario with most users from this machine, per second
	Hold   time.Duration    // how long one of its users may take
	Source string           // which scenario that is, or that the rate is assumed
}

// The demand of an environment without scenarios.
const (
	assumedRate = 50 // users a second, as in the bundled scenarios
	assumedHold = probe.DefaultTimeout
)

// DemandOf is what the scenarios of a library ask of an environment. A scenario counts if
// it names the environment, or the same lab with or without weaknesses. Those that cannot be
// read are left out: gameday validate reports them.
func DemandOf(l scenario.Library, env scenario.Environment) (Demand, error) {
	d := Demand{Specs: map[string][]any{}}
	all, err := l.List()
	if err != nil {
		return d, err
	}
	for _, listed := range all {
		if listed.Problem != "" || !same(listed.Environment, env.Name) {
			continue
		}
		s, err := l.Scenario(listed.Name)
		if err != nil {
			continue
		}
		for _, f := range s.Faults {
			d.Specs[f.Kind] = append(d.Specs[f.Kind], f.Spec)
		}
		rate, hold := outside(l, env, s)
		if rate > d.Rate {
			d.Rate, d.Hold, d.Source = rate, hold, "scenario "+listed.Name
		}
	}
	if d.Rate == 0 {
		d.Rate, d.Hold, d.Source = assumedRate, assumedHold, "assumed, as no scenario sends users from this machine"
	}
	return d, nil
}

func same(of, name string) bool {
	a, isLab := target.LabOf(of)
	b, _ := target.LabOf(name)
	return of == name || isLab && a.Name == b.Name
}

// outside is how many users of a scenario arrive a second at most from this machine, and how long
// the slowest of them may take.
func outside(l scenario.Library, env scenario.Environment, s scenario.Scenario) (rate float64, hold time.Duration) {
	for _, load := range s.Load {
		if env.Comes(load) != scenario.FromOutside {
			continue
		}
		most := load.Rate.PerSecond()
		for _, stage := range probe.Ramp(load.Rate, load.Stages) {
			most = max(most, stage.To)
		}
		rate += most
		one := probe.DefaultTimeout
		if j, err := l.Journey(env.Name, load.Journey); err == nil && j.Timeout > 0 {
			one = j.Timeout
		}
		hold = max(hold, load.Client().Longest(one))
	}
	return rate, hold
}

// needs reports whether a scenario has a fault that needs what is given.
func (d Demand) needs(is func(fault.Need) bool) bool {
	for _, specs := range d.Specs {
		for _, spec := range specs {
			if is(fault.NeedOf(spec)) {
				return true
			}
		}
	}
	return false
}

// Checks are all checks, in the order in which they are shown. They share one connection to
// the environment.
func (p *Patient) Checks(ctx context.Context) []Check {
	p.site = sync.OnceValues(func() (target.Site, error) {
		ctx, cancel := context.WithTimeout(ctx, asking)
		defer cancel()
		return p.Open(ctx)
	})
	p.facts = sync.OnceValues(func() (target.Diagnosis, error) {
		diagnoser, err := p.diagnoser()
		if err != nil {
			return target.Diagnosis{}, err
		}
		ctx, cancel := context.WithTimeout(ctx, asking)
		defer cancel()
		return diagnoser.Diagnose(ctx)
	})
	p.stock = sync.OnceValues(func() (target.Stock, error) {
		ctx, cancel := context.WithTimeout(ctx, asking)
		defer cancel()
		return p.stocked(ctx)
	})
	checks := []Check{engine{p}, kinds{p}}
	if !p.Lab.IsZero() {
		checks = append(checks, labImages{p})
	}
	return append(checks, room{p}, sockets{p}, clock{p}, browser{p})
}

// Close closes the environment, if it was reached.
func (p *Patient) Close() error {
	if p.site == nil {
		return nil
	}
	site, err := p.site()
	if err != nil {
		return nil //nolint:nilerr // it is not open, and the engine's finding says so
	}
	return site.Close()
}

func (p *Patient) diagnoser() (target.Diagnoser, error) {
	site, err := p.site()
	if err != nil {
		return nil, err
	}
	return target.As[target.Diagnoser](site)
}

// reached reports whether the environment answers: if it does not, that is one finding, and
// not one of each check.
func (p *Patient) reached() bool {
	_, err := p.facts()
	return err == nil
}

// How long checks may take.
const (
	asking  = 10 * time.Second // a question to the engine, a command, or a file system
	trying  = 3 * time.Minute  // helpers, whose program may have to be built first
	leaving = 45 * time.Second // until helpers are gone, and what was brought for them
)
