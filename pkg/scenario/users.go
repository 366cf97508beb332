package scenario

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// JSONSchemaExtend implements the interface of the schema's generator: a load is about one
// journey, or about several.
func (JourneyLoad) JSONSchemaExtend(s *jsonschema.Schema) {
	s.OneOf = []*jsonschema.Schema{{Required: []string{"journey"}}, {Required: []string{"mix"}}}
	if mix, ok := s.Properties.Get("mix"); ok {
		mix.AdditionalProperties = &jsonschema.Schema{Type: "integer", Minimum: "1"}
	}
}

// each are the loads of single journeys.
func each(loads []JourneyLoad) (all []JourneyLoad) {
	for _, l := range loads {
		all = append(all, l.each()...)
	}
	return all
}

// each are the loads of the journeys of a mix, and of the kinds of clients, each with its part
// of the rate.
func (l JourneyLoad) each() (all []JourneyLoad) {
	for _, one := range l.ofMix() {
		all = append(all, one.ofClients()...)
	}
	return all
}

// ofMix are the loads of the journeys of a mix.
func (l JourneyLoad) ofMix() (all []JourneyLoad) {
	if len(l.Mix) == 0 {
		return []JourneyLoad{l}
	}
	sum := 0
	for _, weight := range l.Mix {
		sum += weight
	}
	for _, journey := range slices.Sorted(maps.Keys(l.Mix)) {
		weight := l.Mix[journey]
		if weight <= 0 || sum <= 0 {
			continue // it is a problem of the file
		}
		one := l.part(weight, sum)
		one.Journey, one.Mix = journey, nil
		all = append(all, one)
	}
	return all
}

// part is the load with a part of its rates.
func (l JourneyLoad) part(weight, of int) JourneyLoad {
	l.Rate = l.Rate.Part(weight, of)
	l.Stages = slices.Clone(l.Stages)
	for i, s := range l.Stages {
		if s.To.Users > 0 {
			l.Stages[i].To = s.To.Part(weight, of)
		}
	}
	return l
}

// String is the load in a line.
func (l JourneyLoad) String() string { return probe.Describe(l.Rate, l.Stages, l.Arrivals) }

// longest is how long a run may last.
func (t Timing) longest() time.Duration { return t.Baseline + t.Watch + t.Repair }

// users is how many users arrive in a run that lasts as long as it may, on average.
func (t Timing) users(l JourneyLoad) float64 {
	return l.Rate.PerSecond()*t.Baseline.Seconds() + probe.Curve(l.Rate, l.Stages).Users(t.Watch+t.Repair)
}

// mostWeight is the largest weight of a journey in a mix.
const mostWeight = 1000

// steadyPoisson is how many users the baseline needs on average if their number is a matter
// of chance: then there are fewer than [verdict.MinSamples] in 1 of 200 baselines.
const steadyPoisson = 2 * verdict.MinSamples

func (s *Scenario) checkLoad(doc *strictyaml.Document) {
	if doc.Has("load") && !slices.ContainsFunc(s.Load, func(l JourneyLoad) bool { return l.Critical }) {
		doc.Problem("load", "load: no journey is critical, so there is nothing to judge: set critical: true on at least one journey")
	}
	users := 0.0
	seen := map[string]int{} // where
	for i, l := range s.Load {
		at := index("load", i)
		l.check(doc, at)
		if l.Rate.Users == 0 {
			continue // it is missing, or was reported
		}
		if users += s.Timing.users(l); users > verdict.MaxSamples {
			doc.Problem(at+".rate", "%s.rate: found %s, which is %.0f users in a run of up to %v, expected at most %d: use a lower rate, or a shorter watch",
				at, l, users, s.Timing.longest(), verdict.MaxSamples)
		}
		for _, one := range l.each() {
			if where, ok := seen[one.Name()]; ok && where != i {
				doc.Problem(at, "%s: duplicate journey %s", at, one.Name())
			}
			seen[one.Name()] = i
			s.checkRates(doc, at, one)
		}
	}
}

// check checks what a load is made of.
func (l JourneyLoad) check(doc *strictyaml.Document, at string) {
	switch {
	case l.Journey == "" && len(l.Mix) == 0:
		doc.Problem(at, "%s: missing required key %q or %q", at, "journey", "mix")
	case l.Journey != "" && len(l.Mix) > 0:
		doc.Problem(at+".mix", "%s: found both journey and mix, expected one of them", at)
	}
	for _, journey := range slices.Sorted(maps.Keys(l.Mix)) {
		if w := l.Mix[journey]; w < 1 || w > mostWeight {
			doc.Problem(at+".mix."+journey, "%s.mix.%s: found the weight %d, expected 1 to %d", at, journey, w, mostWeight)
		}
	}
	l.checkClients(doc, at)
	unread := len(doc.Problems) > 0 // a stage may be empty because of them
	for k, stage := range l.Stages {
		if err := stage.Check(); err != nil && (!unread || stage != probe.Stage{}) {
			doc.Problem(index(at+".stages", k), "%s: %v", index(at+".stages", k), err)
		}
	}
}

// checkRates checks that a journey has enough users to be judged, at each of its rates: in
// the baseline, and in a time as long as the baseline at any rate after it.
func (s *Scenario) checkRates(doc *strictyaml.Document, at string, l JourneyLoad) {
	need, name := float64(verdict.MinSamples), ""
	if l.Arrivals == probe.Poisson {
		need = steadyPoisson
	}
	if doc.Has(at+".mix") || doc.Has(at+".clients") {
		name = " for journey " + l.Name()
	}
	if n := l.Rate.PerSecond() * s.Timing.Baseline.Seconds(); math.Round(n) < need {
		doc.Problem(at+".rate", "%s.rate: found %s%s, which is %.0f users in a baseline of %v, expected %.0f or more: use a longer baseline, or a higher rate",
			at, l.Rate, name, n, s.Timing.Baseline, need)
		return
	}
	for k, stage := range l.Stages {
		if n := stage.To.PerSecond() * s.Timing.Baseline.Seconds(); stage.To.Users > 0 && math.Round(n) < need {
			doc.Problem(index(at+".stages", k), "%s: found %s%s, which is %.0f users in %v, as long as the baseline, expected %.0f or more: use a longer baseline, or a higher rate",
				index(at+".stages", k), stage.To, name, n, s.Timing.Baseline, need)
		}
	}
}

// CheckUsers checks that the users of a file last as long as the run, if each row is of one
// user. journeys are as in s.Load.
func (s Scenario) CheckUsers(journeys []probe.Journey) error {
	var errs []error
	for i, l := range s.Load {
		u := journeys[i].Users
		if u == nil || u.Order != "once" {
			continue
		}
		need := s.Timing.users(l)
		if l.Arrivals == probe.Poisson {
			need += 4 * math.Sqrt(need) // no more come in all but 1 of 30,000 runs
		}
		if rows := len(u.Rows); float64(rows) < need {
			errs = append(errs, fmt.Errorf("journey %s: %s has %d rows for one user each (order: once), but %.0f users arrive in a run of up to %v at %s: the load would end before the run: add rows, or use order: cycle",
				l.Name(), u.File, rows, math.Ceil(need), s.Timing.longest().Round(time.Second), l))
		}
	}
	return errors.Join(errs...)
}
