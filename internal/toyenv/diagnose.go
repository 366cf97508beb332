package toyenv

import (
	"context"
	"fmt"

	"github.com/gameday-dev/gameday/internal/disk"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

var _ target.Diagnoser = (*Env)(nil)

// Diagnose implements [target.Diagnoser].
func (e *Env) Diagnose(context.Context) (target.Diagnosis, error) {
	room := target.Room{Path: e.Dir}
	room.Free, room.Why = disk.Free(e.Dir)
	return target.Diagnosis{
		Engine: "a folder", System: "this machine", Address: e.Dir, Room: room, Ahead: target.Bounds{Known: true}, Handle: &handle{env: e},
	}, nil
}

// Abilities implements [target.Diagnoser]: there are no helpers.
func (e *Env) Abilities(context.Context, []helper.Features, []helper.Power) (target.Abilities, error) {
	return target.Abilities{}, fmt.Errorf("helpers %w by %s", target.ErrUnsupported, e)
}
