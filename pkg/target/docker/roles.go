package docker

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gameday-dev/gameday/internal/direct"
	"github.com/gameday-dev/gameday/pkg/target"
)

// roleTimeout bounds asking one component for its role: a hung one does not
// hold it.
const roleTimeout = 2 * time.Second

// maxAsked is how many components are asked for a role at a time.
const maxAsked = 32

// holders are the components among all that have a role right now, in the order
// of all. If none has it, that is an error.
func (e *Environment) holders(ctx context.Context, name string, all []target.Component) ([]target.Component, error) {
	role, ok := e.options.Roles[name]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(e.options.Roles)), ", ")
		return nil, fmt.Errorf("role %q is not declared for this environment; declared are: %s", name, cmp.Or(known, "none"))
	}
	asked := slices.DeleteFunc(slices.Clone(all), func(c target.Component) bool { return !role.Among.Match(c) })
	holds := make([]bool, len(asked))
	var asking errgroup.Group
	asking.SetLimit(maxAsked)
	for i, c := range asked {
		asking.Go(func() error {
			holds[i] = e.holds(ctx, role, c)
			return nil
		})
	}
	_ = asking.Wait() // never fails
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("ask for role %s: %w", name, err)
	}
	var holders []target.Component
	for i, c := range asked {
		if holds[i] {
			holders = append(holders, c)
		}
	}
	if len(holders) == 0 {
		return nil, fmt.Errorf("role %s: %w: asked %d of %d components (%s); is the environment up?",
			name, target.ErrNoRole, len(asked), len(all), e.config.Fence())
	}
	return holders, nil
}

// holds asks one component. Every check that is declared must hold.
func (e *Environment) holds(ctx context.Context, role target.Role, c target.Component) bool {
	ctx, cancel := context.WithTimeout(ctx, roleTimeout)
	defer cancel()
	if role.Label != "" && !(target.Selector{Label: role.Label}).Match(c) {
		return false
	}
	if role.HTTP == nil && len(role.Command) == 0 {
		return true
	}
	if c.State != target.Running {
		return false
	}
	if role.HTTP != nil && !answers(ctx, *role.HTTP, c) {
		return false
	}
	if len(role.Command) > 0 {
		h := &handle{env: e, id: c.ID}
		result, err := h.Exec(ctx, role.Command)
		return err == nil && result.ExitCode == 0
	}
	return true
}

// answers asks the component over HTTP at all of its addresses, side by side: a
// network on which packets are lost does not use up the time of another.
func answers(ctx context.Context, check target.RoleHTTP, c target.Component) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client := direct.Client()
	var answered atomic.Bool
	var asking sync.WaitGroup
	for _, n := range c.Networks {
		if !n.Address.IsValid() {
			continue
		}
		url := "http://" + net.JoinHostPort(n.Address.String(), strconv.Itoa(check.Port)) + check.Path
		asking.Go(func() {
			if status(ctx, client, url) == cmp.Or(check.Status, http.StatusOK) {
				answered.Store(true)
				cancel()
			}
		})
	}
	asking.Wait()
	return answered.Load()
}

// status is the status of the answer, or 0 if there is none.
func status(ctx context.Context, client *http.Client, url string) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}
