// Package register is the register of single points of failure that somebody
// has decided about: spofs.yaml, beside gameday.yaml.
//
// A decision accepts a SPOF for a while, or promises to fix it. An acceptance
// without an owner, an RTO or a review date, or past its review date, is none.
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

// Register is what was decided.
type Register struct {
	Version int        `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"The version of this format: 1."`
	SPOFs   []Decision `yaml:"spofs" jsonschema:"required" jsonschema_description:"One decision about each."`
}

// Decision is what was decided about one single point of failure.
type Decision struct {
	Component   string        `yaml:"component" jsonschema:"required" jsonschema_description:"The component, by its service; or a person, a credential, a certificate, a DNS name."`
	Environment string        `yaml:"environment" jsonschema:"required" jsonschema_description:"Where: a name of gameday.yaml, or lab/NAME."`
	Decision    Verb          `yaml:"decision" jsonschema:"required,enum=accept,enum=fix" jsonschema_description:"accept: it stays as it is until the review; fix: it is to be removed."`
	Owner       string        `yaml:"owner,omitempty" jsonschema_description:"Who answers for it."`
	RTO         time.Duration `yaml:"rto,omitempty" jsonschema_description:"How long an outage by it may last, as was accepted."`
	Reason      string        `yaml:"reason,omitempty" jsonschema_description:"Why."`
	Plan        string        `yaml:"plan,omitempty" jsonschema_description:"What will be done about it."`
	Review      Date          `yaml:"review,omitempty" jsonschema_description:"When it is looked at again: 2027-03-01. An acceptance ends then."`
	Cost        *Cost         `yaml:"cost,omitempty" jsonschema_description:"What it costs to live with, and without."`

	Where string `yaml:"-"` // file:line:column
}

// Verb is what was decided.
type Verb string

// The decisions.
const (
	Accept Verb = "accept"
	Fix    Verb = "fix"
)

// Cost is what a single point of failure costs, in one currency.
type Cost struct {
	HourDown   float64 `yaml:"hour_down" jsonschema:"required" jsonschema_description:"An hour of outage."`
	Failures   float64 `yaml:"failures_a_year" jsonschema:"required" jsonschema_description:"How often it fails, in a year."`
	Redundancy float64 `yaml:"redundancy_a_month" jsonschema:"required" jsonschema_description:"A month of having another one."`
	Currency   string  `yaml:"currency,omitempty" jsonschema_description:"For people: EUR."`
}

// Date is a day, in UTC.
type Date struct{ time.Time }

const dateFormat = "2006-01-02"

// ErrDate says what a date looks like.
var ErrDate = errors.New("expected a date such as 2027-03-01")

// UnmarshalText reads a date.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(dateFormat, string(text))
	if err != nil {
		return ErrDate
	}
	d.Time = t
	return nil
}

// MarshalText writes a date.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.Format(dateFormat)), nil }

// String is the date as it is written.
func (d Date) String() string { return d.Format(dateFormat) }

// past tells whether the day is over.
func (d Date) past(now time.Time) bool { return !now.Before(d.AddDate(0, 0, 1)) }

// Load reads a register. All its mistakes are told at once.
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
		if seen[key] {
			doc.Problem(path, "%s: %s in %s stands here a second time", path, d.Component, d.Environment)
		}
		seen[key] = true
		if d.RTO < 0 {
			doc.Problem(path+".rto", "%s.rto: found %v, expected a duration above 0", path, d.RTO)
		}
		if d.Cost != nil && (d.Cost.HourDown < 0 || d.Cost.Failures < 0 || d.Cost.Redundancy < 0) {
			doc.Problem(path+".cost", "%s.cost: expected no negative figure", path)
		}
	}
	return r, doc.Problems.Err()
}

// Find returns the decision about a component of an environment.
func (r Register) Find(environment, component string) (Decision, bool) {
	for _, d := range r.SPOFs {
		if d.Environment == environment && d.Component == component {
			return d, true
		}
	}
	return Decision{}, false
}

// Lacks lists what keeps a decision from being one.
func (d Decision) Lacks(now time.Time) []string {
	var lacks []string
	if d.Owner == "" {
		lacks = append(lacks, "it has no owner")
	}
	if d.RTO == 0 {
		lacks = append(lacks, "it says no rto")
	}
	if d.Plan == "" {
		lacks = append(lacks, "it has no plan")
	}
	switch {
	case d.Review.IsZero():
		lacks = append(lacks, "it has no review date")
	case d.Review.past(now):
		lacks = append(lacks, "its review date, "+d.Review.String()+", is past")
	}
	return lacks
}

// Accepts tells whether the decision accepts an outage that was seen to last for
// so long, or at least so long; else why not. A plan is not asked for: it is
// for people to miss, and [Decision.Lacks] does.
func (d Decision) Accepts(lasted time.Duration, now time.Time) (ok bool, why string) {
	switch {
	case d.Decision != Accept:
		return false, "it is to be fixed, and not accepted"
	case d.Owner == "":
		return false, "its acceptance has no owner"
	case d.RTO == 0:
		return false, "its acceptance says no rto"
	case d.Review.IsZero():
		return false, "its acceptance has no review date"
	case d.Review.past(now):
		return false, "its acceptance ended on " + d.Review.String()
	case lasted > d.RTO:
		return false, fmt.Sprintf("an outage of %v was accepted, and this one lasted for at least %v", d.RTO, lasted.Round(time.Millisecond))
	}
	return true, ""
}

// Yearly is what living with it is expected to cost in a year, and what
// redundancy does: measured recovery × failures × cost of an hour, against
// twelve months. breakEven is the number of failures a year at which both cost the
// same; it is infinite where an outage costs nothing.
func (c Cost) Yearly(recovery time.Duration) (living, redundancy, breakEven float64) {
	outage := recovery.Hours() * c.HourDown
	redundancy = 12 * c.Redundancy
	return outage * c.Failures, redundancy, redundancy / outage
}
