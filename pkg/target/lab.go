package target

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Lab names a bundled environment and the weaknesses that are switched on in it.
type Lab struct {
	Name string
	With []string // sorted, each once
}

// LabPrefix begins the names of environments that are bundled labs.
const LabPrefix = "lab/"

// ParseLab reads NAME+WEAKNESS+….
func ParseLab(text string) Lab {
	name, with, found := strings.Cut(text, "+")
	if !found {
		return Lab{Name: name}
	}
	all := strings.Split(with, "+")
	slices.Sort(all)
	return Lab{Name: name, With: slices.Compact(all)}
}

// LabOf is the lab that an environment's name means: lab/NAME+WEAKNESS.
func LabOf(environment string) (Lab, bool) {
	text, ok := strings.CutPrefix(environment, LabPrefix)
	if !ok {
		return Lab{}, false
	}
	return ParseLab(text), true
}

// String is the lab as [ParseLab] reads it.
func (l Lab) String() string { return strings.Join(append([]string{l.Name}, l.With...), "+") }

// IsZero reports whether no lab is meant.
func (l Lab) IsZero() bool { return l.Name == "" }

// LabState is what there is of a lab.
type LabState struct {
	Exists bool     // something of it is there
	Serves bool     // users can come in
	With   []string // the weaknesses that it was brought up with
	Text   string   // for people: down, up, partly up: 3 of 5 containers run
}

// Refusal is an error if another variant of the lab is up: what was made at the
// first start, such as a cluster, would stay as it was.
func (s LabState) Refusal(wanted Lab) error {
	if !s.Exists || slices.Equal(s.With, wanted.With) {
		return nil
	}
	is := Lab{wanted.Name, s.With}
	return fmt.Errorf("lab %s is up, not %s: run gameday lab down %s first", is, wanted, wanted.Name)
}

// Provisioner brings the labs of a driver up and down.
type Provisioner interface {
	// State looks at a lab, without touching it.
	State(ctx context.Context, lab Lab) (LabState, error)
	// Check reports at once what this machine lacks to bring a lab up, before anything
	// that takes its time is begun.
	Check(ctx context.Context, lab Lab) error
	// Up makes what a lab lacks, and waits until it serves.
	Up(ctx context.Context, lab Lab) error
	// Down removes all that there is of a lab but its images.
	Down(ctx context.Context, lab Lab) error
}

// LabInfo describes a lab for people.
type LabInfo struct {
	Name, Title string
	Weaknesses  []string // that it can be brought up with
}

// Progress receives what takes longer than a moment.
type Progress struct {
	Step   func(text string) // a step has begun
	Detail func(text string) // a line of what goes on in it
}

// Serial is the same progress, for steps that go on side by side.
func (p Progress) Serial() Progress {
	var mu sync.Mutex
	serial := func(show func(string)) func(string) {
		return func(text string) {
			mu.Lock()
			defer mu.Unlock()
			show(text)
		}
	}
	return Progress{Step: serial(p.Step), Detail: serial(p.Detail)}
}

// Labs are the bundled environments of a driver.
type Labs interface {
	// List describes the labs.
	List() ([]LabInfo, error)
	// On is the provisioner of the labs on an opened environment.
	On(site Site, progress Progress) (Provisioner, error)
}
