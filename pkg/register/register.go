// Package register reads spofs.yaml, the register of decisions on single points of
// failure. The file is next to gameday.yaml.
//
// A decision accepts a SPOF until a review date, or says that it will be fixed. An
// acceptance needs an owner, an RTO and a review date that has not passed.
package register

import (
	"errors"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

// Version is the version of spofs.yaml that this code reads.
const Version = 1

// File is the usual name of the file.
const File = "spofs.yaml"

// Register is the content of the file.
type Register struct {
	Version int        `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"The version of this format: 1."`
	SPOFs   []Decision `yaml:"spofs" jsonschema:"required" jsonschema_description:"The decisions, one for each SPOF."`
}

// Decision is the decision on one single point of failure.
type Decision struct {
	Component   string        `yaml:"component" jsonschema:"required" jsonschema_description:"The service name of the component; or a person, credential, certificate or DNS name."`
	Environment string        `yaml:"environment" jsonschema:"required" jsonschema_description:"The environment: a name in gameday.yaml, or lab/NAME."`
	Decision    Verb          `yaml:"decision" jsonschema:"required,enum=accept,enum=fix" jsonschema_description:"accept: keep the SPOF until the review date; fix: remove the SPOF."`
	Owner       string        `yaml:"owner,omitempty" jsonschema_description:"The person or team that is responsible for the decision."`
	RTO         time.Duration `yaml:"rto,omitempty" jsonschema_description:"The longest outage that is accepted."`
	Reason      string        `yaml:"reason,omitempty" jsonschema_description:"The reason for the decision."`
	Plan        string        `yaml:"plan,omitempty" jsonschema_description:"The plan to remove the SPOF or to live with it."`
	Review      Date          `yaml:"review,omitempty" jsonschema_description:"The review date, such as 2027-03-01. An acceptance is valid up to and including this day."`
	Cost        *Cost         `yaml:"cost,omitempty" jsonschema_description:"The cost of the SPOF and of redundancy."`

	Where string `yaml:"-"` // file:line:column
}

// Verb is the kind of a decision.
type Verb string

// The decisions.
const (
	Accept Verb = "accept"
	Fix    Verb = "fix"
)

// Cost is the cost of a single point of failure, in one currency.
type Cost struct {
	HourDown   float64 `yaml:"hour_down" jsonschema:"required" jsonschema_description:"The cost of one hour of outage."`
	Failures   float64 `yaml:"failures_a_year" jsonschema:"required" jsonschema_description:"The expected number of failures per year."`
	Redundancy float64 `yaml:"redundancy_a_month" jsonschema:"required" jsonschema_description:"The cost of redundancy per month."`
	Currency   string  `yaml:"currency,omitempty" jsonschema_description:"The currency of the amounts, such as EUR. Only shown."`
}

// Date is a day, in UTC.
type Date struct{ time.Time }

const dateFormat = "2006-01-02"

// ErrDate is the error for an invalid date.
var ErrDate = errors.New("expected a date such as 2027-03-01")

// UnmarshalText parses a date.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(dateFormat, string(text))
	if err != nil {
		return ErrDate
	}
	d.Time = t
	return nil
}

// MarshalText formats a date.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.Format(dateFormat)), nil }

// String formats the date.
func (d Date) String() string { return d.Format(dateFormat) }

// past reports whether the day is over.
func (d Date) past(now time.Time) bool { return !now.Before(d.AddDate(0, 0, 1)) }

// Load parses a register. The error contains all problems of the file.
func Load(file string, data []byte) (Register, error) {
	doc := strictyaml.Parse(file, data)
	var r Register
	doc.Decode(&r)
	if r.Version > Version {
		doc.Problems = strictyaml.FileErrors{{File: file, Position: doc.At("version"), Text: fmt.Sprintf(
			"version: found %d, this gameday reads up to %d: use a newer gameday", r.Version, Version)}}
		return r, doc.Problems.Err()
	}
	seen := map[[2]string]bool{}
	for i := range r.SPOFs {
		path := fmt.Sprintf("spofs[%d]", i)
		d := &r.SPOFs[i]
		at := doc.At(path)
		d.Where = fmt.Sprintf("%s:%d:%d", file, at.Line, at.Column)
		key := [2]string{d.Environment, d.Component}
		if seen[key] && d.Component != "" {
			doc.Problem(path, "%s: duplicate decision on %s in %s", path, d.Component, d.Environment)
		}
		seen[key] = true
		if d.RTO < 0 {
			doc.Problem(path+".rto", "%s.rto: found %v, expected a duration above 0", path, d.RTO)
		}
		if d.Cost != nil && (d.Cost.HourDown < 0 || d.Cost.Failures < 0 || d.Cost.Redundancy < 0) {
			doc.Problem(path+".cost", "%s.cost: found a negative number, expected 0 or more", path)
		}
	}
	return r, doc.Problems.Err()
}

// Find returns the decision on a component of an environment.
func (r Register) Find(environment, component string) (Decision, bool) {
	for _, d := range r.SPOFs {
		if d.Environment == environment && d.Component == component {
			return d, true
		}
	}
	return Decision{}, false
}

// Lacks lists what is missing from a decision.
func (d Decision) Lacks(now time.Time) []string {
	var lacks []string
	if d.Owner == "" {
		lacks = append(lacks, "no owner")
	}
	if d.RTO == 0 {
		lacks = append(lacks, "no rto")
	}
	if d.Plan == "" {
		lacks = append(lacks, "no plan")
	}
	switch {
	case d.Review.IsZero():
		lacks = append(lacks, "no review date")
	case d.Review.past(now):
		lacks = append(lacks, "the review date "+d.Review.String()+" has passed")
	}
	return lacks
}

// Accepts reports whether the decision accepts an outage that lasted at least the given
// time; if not, why explains it. It does not require a plan: only [Decision.Lacks] does.
func (d Decision) Accepts(lasted time.Duration, now time.Time) (ok bool, why string) {
	switch {
	case d.Decision != Accept:
		return false, "the decision is to fix it, not to accept it"
	case d.Owner == "":
		return false, "the acceptance has no owner"
	case d.RTO == 0:
		return false, "the acceptance has no rto"
	case d.Review.IsZero():
		return false, "the acceptance has no review date"
	case d.Review.past(now):
		return false, "the acceptance expired on " + d.Review.String()
	case lasted > d.RTO:
		return false, fmt.Sprintf("outages of up to %v are accepted, but this one lasted at least %v", d.RTO, lasted.Round(time.Millisecond))
	}
	return true, ""
}

// Yearly is the expected cost per year of the SPOF (measured recovery × failures × cost
// of an hour) and of redundancy (twelve months). breakEven is the number of failures per
// year at which both cost the same; it is infinite if an outage costs nothing.
func (c Cost) Yearly(recovery time.Duration) (living, redundancy, breakEven float64) {
	outage := recovery.Hours() * c.HourDown
	redundancy = 12 * c.Redundancy
	return outage * c.Failures, redundancy, redundancy / outage
}
