package run

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/target"
)

// LogsDir is the folder of a run's folder that holds what components said: a file
// each, NAME.log.
const LogsDir = "logs"

// mostLogs is how many components' logs are kept, and atOnce how many are read at a time.
const (
	mostLogs = 40
	atOnce   = 4
)

// saveLogs keeps what components have logged since the run began: the faulted ones first,
// and then others, which say why users were hit. A component that is gone has nothing to
// say; what cannot be read is said in its place.
func (d Day) saveLogs(ctx context.Context, dir string, steps []StepAccount, since time.Time, secrets *redact.Redactor) error {
	if d.Logs <= 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	found, err := d.Site.Find(ctx, target.Selector{})
	if err != nil {
		return fmt.Errorf("keep the logs: %w", err)
	}
	if err := atomicfile.MkdirAll(filepath.Join(dir, LogsDir), 0o750); err != nil {
		return fmt.Errorf("keep the logs: %w", err)
	}
	broken := func(c target.Component) bool {
		return slices.ContainsFunc(steps, func(s StepAccount) bool { return s.Component == c.Name })
	}
	found = slices.DeleteFunc(found, func(c target.Component) bool { return c.Protected && !broken(c) })
	slices.SortStableFunc(found, func(a, b target.Component) int { return cmp.Compare(rank(broken(a)), rank(broken(b))) })
	var saving errgroup.Group
	saving.SetLimit(atOnce)
	for _, c := range found[:min(len(found), mostLogs)] {
		saving.Go(func() error {
			text, err := d.logsOf(ctx, c, since)
			if err != nil {
				text = "the log could not be read: " + err.Error() + "\n"
			}
			name := strings.ReplaceAll(secrets.Text(c.Name), string(filepath.Separator), "_") + ".log"
			return atomicfile.WriteBytes(filepath.Join(dir, LogsDir, name), 0o600, []byte(secrets.Text(text)))
		})
	}
	return saving.Wait()
}

// rank puts what is first before the rest.
//
//nolint:revive // flag-parameter: it is what is ranked, not a switch
func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

func (d Day) logsOf(ctx context.Context, c target.Component, since time.Time) (string, error) {
	h, err := d.Site.Open(ctx, c.ID)
	if err != nil {
		return "", err
	}
	logger, err := target.As[target.Logger](h)
	if err != nil {
		return "", err
	}
	return logger.Logs(ctx, since, d.Logs)
}
