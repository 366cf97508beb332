// Package advice says what is usually done about a single point of failure: for a kind of
// component, a group of faults, and how users were hit. All of it is one table,
// advice.yaml.
//
// It is advice: a run shows how users were hit, and not whether a cure works. Each row
// names a bundled scenario in which a cure can be seen at work, if there is one.
package advice

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

//go:embed advice.yaml
var table []byte

// Outcome is how users were hit.
type Outcome string

// The outcomes.
const (
	Down    Outcome = "down"    // all users, until the fault was reverted
	Late    Outcome = "late"    // service came back by itself, after the RTO
	Partial Outcome = "partial" // some of the users
	Writes  Outcome = "writes"  // acknowledged writes were lost
)

// Table is the whole of advice.yaml.
type Table struct {
	Components []Component         `yaml:"components" jsonschema:"required"`
	Faults     map[string][]string `yaml:"faults" jsonschema:"required"`
	Advice     []Row               `yaml:"advice" jsonschema:"required"`
}

// Component is a kind of component, and the words by which its name shows it.
type Component struct {
	Name  string   `yaml:"name" jsonschema:"required"`
	Words []string `yaml:"words" jsonschema:"required"`
}

// Row is one piece of advice.
type Row struct {
	Component string    `yaml:"component,omitempty"` // its kind; any if empty
	Fault     string    `yaml:"fault,omitempty"`     // its group; any if empty
	Outcomes  []Outcome `yaml:"outcomes" jsonschema:"required"`
	Do        string    `yaml:"do" jsonschema:"required"`
	Note      string    `yaml:"note,omitempty"`
	ShownBy   string    `yaml:"shown_by,omitempty"` // the arguments of gameday run
}

// Load reads the table.
func Load() (Table, error) {
	var t Table
	doc := strictyaml.Parse("advice.yaml", table)
	doc.Decode(&t)
	return t, doc.Problems.Err()
}

// Asked is what advice is asked for.
type Asked struct {
	// Names are what is known of the component, the most telling first: the suspect, the
	// target of the fault, names of containers. The first that tells a kind counts.
	Names   []string
	Faults  []string // the kinds of the faults
	Outcome Outcome
}

// For is the row that fits most closely, if any does; and the kind that the component is
// taken for, which is empty if no name tells.
func (t Table) For(a Asked) (component string, best Row, ok bool) {
	component = t.kindOf(a.Names)
	groups, fits := t.groupsOf(a.Faults), -1
	for _, row := range t.Advice {
		if score := row.fits(component, groups, a.Outcome); score > fits {
			best, fits = row, score
		}
	}
	return component, best, fits >= 0
}

// fits is how closely a row fits; -1 if it does not.
func (r Row) fits(component string, groups []string, outcome Outcome) (score int) {
	if !slices.Contains(r.Outcomes, outcome) || r.Component != "" && r.Component != component || r.Fault != "" && !slices.Contains(groups, r.Fault) {
		return -1
	}
	if r.Component != "" {
		score += 2
	}
	if r.Fault != "" {
		score++
	}
	return score
}

// kindOf is the kind of component that the first telling name shows.
func (t Table) kindOf(names []string) string {
	for _, name := range names {
		words := " " + wordsOf(name) + " "
		for _, c := range t.Components {
			if slices.ContainsFunc(c.Words, func(word string) bool { return strings.Contains(words, " "+wordsOf(word)+" ") }) {
				return c.Name
			}
		}
	}
	return ""
}

// wordsOf are the words of a name in lower case, with one space between them.
func wordsOf(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) }), " ")
}

func (t Table) groupsOf(faults []string) (groups []string) {
	for group, kinds := range t.Faults {
		if slices.ContainsFunc(faults, func(f string) bool { return slices.Contains(kinds, f) }) {
			groups = append(groups, group)
		}
	}
	return groups
}
