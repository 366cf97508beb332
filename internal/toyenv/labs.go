package toyenv

import (
	"context"
	"fmt"
	"slices"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Labs is the one lab of toy environments: toy, with the components that are given.
type Labs []target.Component

var _ target.Labs = Labs{}

// List implements [target.Labs].
func (Labs) List() ([]target.LabInfo, error) {
	return []target.LabInfo{{Name: Kind, Title: "A lab for tests.", Weaknesses: []string{"weak"}}}, nil
}

// On implements [target.Labs].
func (l Labs) On(site target.Site, progress target.Progress) (target.Provisioner, error) {
	env, ok := site.(*Env)
	if !ok {
		return nil, fmt.Errorf("%T is not a toy environment", site)
	}
	return provisioner{l, env, progress}, nil
}

// provisioner makes the components of a lab, and removes them.
type provisioner struct {
	labs     Labs
	env      *Env
	progress target.Progress
}

// Check implements [target.Provisioner].
func (p provisioner) Check(context.Context, target.Lab) error { return nil }

// State implements [target.Provisioner].
func (p provisioner) State(_ context.Context, lab target.Lab) (target.LabState, error) {
	all, err := p.env.All()
	if err != nil {
		return target.LabState{}, err
	}
	state := target.LabState{Exists: len(all) > 0, With: lab.With, Text: fmt.Sprintf("%d components", len(all))}
	state.Serves = len(all) >= len(p.labs) && !slices.ContainsFunc(all, func(c target.Component) bool { return !c.Up() })
	return state, nil
}

// Up implements [target.Provisioner].
func (p provisioner) Up(_ context.Context, lab target.Lab) error {
	p.progress.Step("starting lab " + lab.String())
	for _, c := range p.labs {
		if err := p.env.Put(c); err != nil {
			return err
		}
	}
	return nil
}

// Down implements [target.Provisioner].
func (p provisioner) Down(context.Context, target.Lab) error {
	all, err := p.env.All()
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := p.env.Remove(c.Name); err != nil {
			return err
		}
	}
	return nil
}
