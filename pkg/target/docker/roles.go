package docker

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// roleTimeout bounds asking one component for its role: a hung one does not
// hold it.
const roleTimeout = 2 * time.Second

// holders are those among all who hold a role right now. Nobody is an error:
// whoever asks for a role means somebody.
func (e *Environment) holders(ctx context.Context, name string, all []target.Component) ([]target.Component, error) {
	role, ok := e.options.Roles[name]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(e.options.Roles)), ", ")
		return nil, fmt.Errorf("role %q is not declared for this environment; declared are: %s", name, cmp.Or(known, "none"))
	}
	var holders, asked []target.Component
	for _, c := range all {
		if !role.Among.Match(c) {
			continue
		}
		asked = append(asked, c)
		if e.holds(ctx, role, c) {
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

// answers asks every address of the component over HTTP.
func answers(ctx context.Context, check target.RoleHTTP, c target.Component) bool {
	for _, n := range c.Networks {
		if !n.Address.IsValid() {
			continue
		}
		url := "http://" + net.JoinHostPort(n.Address.String(), strconv.Itoa(check.Port)) + check.Path
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxOutput))
		_ = response.Body.Close()
		if response.StatusCode == cmp.Or(check.Status, http.StatusOK) {
			return true
		}
	}
	return false
}
