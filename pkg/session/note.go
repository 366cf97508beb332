package session

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
)

// Note writes a person's note into the folder of a run, without the secrets of all
// environments. The reports of a run that has ended are written again.
func (s Session) Note(dir string, n run.Note) (record.Event, error) {
	n.Text, n.By = s.redacted(n.Text), s.redacted(n.By)
	e, err := n.Say(dir, time.Now())
	if err != nil || !run.Finished(dir) {
		return e, err // the run will write its reports
	}
	if err := rewrite(dir); err != nil {
		return e, fmt.Errorf("the note is written, but the reports are not: %w", err)
	}
	return e, nil
}

// redacted takes the secrets of all environments out of a text, because a run that
// goes on does not name its own yet. If gameday.yaml cannot be read, common secrets are
// taken out: an incident does not wait until it is mended.
func (s Session) redacted(text string) string {
	all, err := s.Library.Environments()
	if err != nil {
		s.Warn(fmt.Errorf("only common secrets are taken out of the note: %w", err))
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		env := all[name]
		if connected, err := s.Library.Connected(name); err == nil {
			env = connected // with its keys
		}
		env.ReadVariables()
		secrets, err := env.Secrets()
		if err != nil {
			s.Warn(fmt.Errorf("the secrets of environment %s are not taken out of the note: %w", name, err))
			continue
		}
		text = secrets.Text(text)
	}
	return redact.Common().Text(text)
}

// maxRewrites is how often the reports of a run are written because a note has come
// meanwhile. Who writes the last note writes them too.
const maxRewrites = 5

// rewrite writes the reports of a run that has ended again, until no note has come
// meanwhile: several processes may write notes and reports, and the reports that are written
// last have all notes.
func rewrite(dir string) error {
	for range maxRewrites {
		before := said(dir)
		r, err := report.Build(dir)
		if err != nil {
			return err
		}
		if err := WriteReports(dir, report.Files(), r); err != nil || said(dir) == before {
			return err
		}
	}
	return nil
}

// said is how much there is in the events of a run, in bytes.
func said(dir string) int64 {
	info, err := os.Stat(filepath.Join(dir, record.EventsFile))
	if err != nil {
		return -1
	}
	return info.Size()
}
