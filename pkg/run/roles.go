package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/target"
)

// How often it is asked who holds a role. A command inside its components costs the
// environment more than a request. At most half of the time is spent asking.
const (
	roleEvery    = 250 * time.Millisecond
	commandEvery = time.Second
	roleWithin   = 3 * time.Second
)

// roles are followed during the fault and repair, so that the report can say when a role
// has moved.
type roles struct {
	all   []*followedRole
	begin chan struct{} // closed when the fault is about to be ordered
}

// followedRole is a role, and what the last look has seen.
type followedRole struct {
	name    string
	every   time.Duration
	holders string
	seen    time.Time // when the last look began that saw these holders
	failed  bool      // it could not be asked, and the record says so
}

// newRoles are the roles that a faulted component can hold.
func newRoles(p plan.Plan) *roles {
	r := &roles{begin: make(chan struct{})}
	for _, name := range slices.Sorted(maps.Keys(p.Environment.Roles)) {
		role := p.Environment.Roles[name]
		if !faults(p, role.Among) {
			continue
		}
		every := roleEvery
		if len(role.Command) > 0 {
			every = commandEvery
		}
		r.all = append(r.all, &followedRole{name: name, every: every})
	}
	return r
}

// warmRoles asks once, as the first answer may take longer than all others.
func (r *conduct) warmRoles(ctx context.Context) {
	for _, f := range r.roles.all {
		asking, cancel := context.WithTimeout(ctx, roleWithin)
		_, _ = r.Env.Find(asking, target.Selector{Role: f.name}) // reported when it counts
		cancel()
	}
}

// firstRoles looks who holds the roles just before the fault, and lets them be followed.
func (r *conduct) firstRoles(ctx context.Context) {
	var looking sync.WaitGroup
	for _, f := range r.roles.all {
		looking.Go(func() { r.lookAtRole(ctx, f) })
	}
	looking.Wait()
	close(r.roles.begin)
}

// followRoles looks who holds the roles from the fault on, until ctx ends.
func (r *conduct) followRoles(ctx context.Context) {
	select {
	case <-r.roles.begin:
	case <-ctx.Done():
		return
	}
	var following sync.WaitGroup
	for _, f := range r.roles.all {
		following.Go(func() {
			for wait := f.every; sleep(ctx, wait); {
				began := time.Now()
				r.lookAtRole(ctx, f)
				wait = max(f.every, time.Since(began))
			}
		})
	}
	following.Wait()
}

// lookAtRole looks once, and records what has changed.
func (r *conduct) lookAtRole(ctx context.Context, f *followedRole) {
	began := r.Clock.Now()
	asking, cancel := context.WithTimeout(ctx, roleWithin)
	defer cancel()
	found, err := r.Env.Find(asking, target.Selector{Role: f.name})
	ended := r.Clock.Now()
	switch {
	case ctx.Err() != nil:
		return
	case errors.Is(err, target.ErrNoRole):
		found = nil
	case err != nil:
		if !f.failed {
			f.failed = true
			r.note(fmt.Sprintf("who holds role %s could not be asked: %v", f.name, err))
		}
		return
	}
	var names []string
	for _, c := range found {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	holders := strings.Join(names, ", ")
	if !f.seen.IsZero() && holders == f.holders {
		f.seen = began
		return
	}
	e := record.Event{At: ended, Kind: record.KindRole, Role: f.name, Component: holders, What: "holds role " + f.name}
	if holders == "" {
		e.What = "no component holds role " + f.name
	}
	if !f.seen.IsZero() {
		e.Before = new(f.seen)
	}
	f.holders, f.seen = holders, began
	r.tell(e)
}
