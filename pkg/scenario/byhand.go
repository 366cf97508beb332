package scenario

import (
	"time"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

// Who recovers service: [Undo.Mode].
const (
	UndoAutomatic = "automatic" // the system, or gameday by reverting the faults after the watch
	UndoByHand    = "by-hand"   // people, while the faults stay
)

// The limits of a run in which people recover service. A limit always exists: nothing stays
// broken because people have gone.
const (
	DefaultByHand = 15 * time.Minute
	MaxByHand     = 2 * time.Hour
)

// Undo is who recovers service, and for how long people may try.
type Undo struct {
	Mode  string        `yaml:"mode,omitempty" jsonschema:"enum=automatic,enum=by-hand" jsonschema_description:"Who recovers service (default: automatic)."`
	Limit time.Duration `yaml:"limit,omitempty" jsonschema_description:"by-hand: gameday reverts the faults after this time at the latest, up to 2h (default: 15m)."`
}

// Short implements [strictyaml.Short]: undo: by-hand.
func (u *Undo) Short(text string) { u.Mode = text }

// ByHand reports whether people recover service.
func (u Undo) ByHand() bool { return u.Mode == UndoByHand }

// setByHand sets the defaults of a run in which people recover service: the watch lasts until
// the limit.
func (s *Scenario) setByHand() {
	if !s.Undo.ByHand() {
		return
	}
	if s.Undo.Limit == 0 {
		s.Undo.Limit = DefaultByHand
	}
	if s.Timing.Watch == 0 && s.allowedLimit() {
		s.Timing.Watch = s.Undo.Limit
	}
}

// allowedLimit reports whether people have long enough for a verdict, and not too long.
func (s *Scenario) allowedLimit() bool {
	o := s.Objective.Verdict()
	return s.Undo.Limit >= o.RTO+o.Hold && s.Undo.Limit <= MaxByHand
}

// checkUndo checks who recovers service.
func (s *Scenario) checkUndo(doc *strictyaml.Document) {
	u, o := s.Undo, s.Objective.Verdict()
	if !doc.Has("undo") {
		return
	}
	if u.Mode != UndoByHand {
		if u.Mode != UndoAutomatic {
			doc.Problem("undo", "undo: found mode %q, expected %s or %s", u.Mode, UndoAutomatic, UndoByHand)
		} else if u.Limit != 0 {
			doc.Problem("undo.limit", "undo.limit: found a limit, expected it with %s only: timing.watch is how long a fault lasts", UndoByHand)
		}
		return
	}
	if !s.allowedLimit() {
		doc.Problem("undo", "undo: found a limit of %v, expected one from %v, which is the RTO and the hold, to %v", u.Limit, o.RTO+o.Hold, MaxByHand)
	}
	if doc.Has("timing.watch") && s.Timing.Watch != u.Limit {
		doc.Problem("timing.watch", "timing.watch: found %v, expected none with undo: %s: its limit is how long the fault lasts at most", s.Timing.Watch, UndoByHand)
	}
	if s.Timing.Until == UntilDecided {
		doc.Problem("timing.until", "timing.until: found %s, expected none with undo: %s: the watch ends when service has recovered", UntilDecided, UndoByHand)
	}
	for i, f := range s.Faults {
		if f.For > 0 {
			doc.Problem(index("faults", i), "%s: for: found %v, expected none with undo: %s: people end the outage, and not gameday", index("faults", i), f.For, UndoByHand)
		}
	}
}
