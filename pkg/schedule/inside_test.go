package schedule

import (
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// Blocked are the spans in which a calendar blocks, between two times, as RFC 3339 texts:
// the start, a slash, the end.
func Blocked(calendar string, from, to time.Time, zone *time.Location) (all []string, err error) {
	spans, err := spansOf(scenario.Blackout{Calendar: []byte(calendar)}, from, to, zone)
	for _, s := range apart(spans) {
		all = append(all, s.from.In(zone).Format(time.RFC3339)+"/"+s.to.In(zone).Format(time.RFC3339))
	}
	return all, err
}
