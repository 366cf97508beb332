package plan_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// shared is an environment whose components share their namespaces.
type shared struct {
	target.Environment

	with target.Sharers
	err  error
}

func (s shared) Open(ctx context.Context, id string) (target.Handle, error) {
	h, err := s.Environment.Open(ctx, id)
	return sharing{h, s}, err
}

type sharing struct {
	target.Handle

	of shared
}

func (s sharing) Shares(context.Context, target.Namespace) (target.Sharers, error) {
	return s.of.with, s.of.err
}

// reaching is a fault that works in a namespace.
type reaching struct {
	fault.Noop

	what target.Namespace
}

func (r *reaching) Reaches() target.Namespace { return r.what }

// What is done in a namespace is done to all that share it: they are named, they count, and
// whoever must not be touched keeps the fault from being planned.
func TestAPlanKnowsWhoSharesANamespace(t *testing.T) {
	t.Parallel()
	inside := func(protected bool, names ...string) (all []target.Component) {
		for _, name := range names {
			all = append(all, target.Component{Name: name, Protected: protected})
		}
		return all
	}
	for name, c := range map[string]struct {
		what target.Namespace
		with target.Sharers
		err  error
		also []string
		want string
	}{
		"nobody":                {target.NetworkNamespace, target.Sharers{}, nil, nil, ""},
		"others inside":         {target.NetworkNamespace, target.Sharers{Inside: inside(false, "mesh")}, nil, []string{"mesh"}, ""},
		"too many others":       {target.NetworkNamespace, target.Sharers{Inside: inside(false, "a", "b", "c")}, nil, nil, "4 components would be touched (app-1, a, b, c)"},
		"a protected one":       {target.NetworkNamespace, target.Sharers{Inside: inside(true, "vault")}, nil, nil, "it shares its network with vault, which is protected and is never touched"},
		"one outside":           {target.NetworkNamespace, target.Sharers{Outside: []string{"vpn"}}, nil, nil, "it shares its network with vpn outside the fence"},
		"the host":              {target.NetworkNamespace, target.Sharers{Host: true}, nil, nil, "it uses the network of its host"},
		"the host's processes":  {target.ProcessNamespace, target.Sharers{Host: true}, nil, nil, "it uses the processes of its host"},
		"another one's network": {target.NetworkNamespace, target.Sharers{Owner: "web", Inside: inside(false, "web")}, nil, []string{"web"}, ""},
		"another one's files":   {target.ProcessNamespace, target.Sharers{Owner: "web", Inside: inside(false, "web")}, nil, nil, "it lives among the processes of web"},
		"nothing is known":      {target.NetworkNamespace, target.Sharers{}, errors.New("engine is busy"), nil, "engine is busy"},
	} {
		env := shared{components(t), c.with, c.err}
		p, err := plan.Build(t.Context(), env, plan.Request{
			Scenario: scenario.Scenario{Faults: []scenario.Fault{
				{Kind: "drop", Spec: &reaching{what: c.what}, Target: target.Selector{Name: "app-1"}, Where: "x.yaml:9:5"},
			}},
			Environment: scenario.Environment{Name: "staging", MaxTargets: 3},
		})
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) || err == nil && !slices.Equal(p.Steps[0].Also, c.also) {
			t.Errorf("%s: %+v %v", name, p.Steps, err)
		}
	}
	// A kind that works in no namespace asks nobody.
	env := shared{components(t), target.Sharers{Host: true}, nil}
	env.err = errors.New("asked")
	if _, err := plan.Build(t.Context(), env, plan.Request{Scenario: scenario.Scenario{Faults: []scenario.Fault{
		{Kind: "noop", Spec: &fault.Noop{}, Target: target.Selector{Name: "app-1"}},
	}}}); err != nil {
		t.Error(err)
	}
}

// remarking is a fault that says what it does not meet.
type remarking struct {
	fault.Noop

	err error
}

func (r *remarking) Prepare(context.Context, target.Handle) (fault.State, error) {
	return fault.State(`"prepared"`), nil
}

func (r *remarking) Remarks(_ context.Context, _ target.Handle, was fault.State) ([]string, error) {
	return []string{"after " + string(was)}, r.err
}

// A plan has what a fault says about itself; a fault that cannot say it is not planned.
func TestAPlanHasRemarks(t *testing.T) {
	t.Parallel()
	for _, broken := range []error{nil, errors.New("engine is busy")} {
		p, err := plan.Build(t.Context(), components(t), plan.Request{Scenario: scenario.Scenario{Faults: []scenario.Fault{
			{Kind: "drop", Spec: &remarking{err: broken}, Target: target.Selector{Name: "app-1"}},
		}}})
		if !errors.Is(err, broken) || broken == nil && !slices.Equal(p.Steps[0].Remarks, []string{`after "prepared"`}) {
			t.Errorf("%+v, %v", p.Steps, err)
		}
	}
}
