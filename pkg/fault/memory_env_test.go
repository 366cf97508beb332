package fault_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// elsewhere is the environment as another process sees it: it opens the component
// anew, and knows no helper that is there.
type elsewhere struct {
	*world

	t *testing.T
}

var _ target.Environment = elsewhere{}

// Open implements [target.Environment].
func (e elsewhere) Open(_ context.Context, id string) (target.Handle, error) {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.gone || id != e.c.ID {
		return nil, target.ErrGone
	}
	return e.open(e.t), nil
}

var errNoHelper = errors.New("no helper can be started")

// noHelper is a component beside which no helper can be put.
type noHelper struct{ *memory }

// Attach fails.
func (noHelper) Attach(context.Context, helper.Power) (*helper.Session, error) {
	return nil, errNoHelper
}
