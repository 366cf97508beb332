package run

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/target"
)

// LogsDir is the folder of a run's folder that holds what components said: a file
// each, NAME.log.
const LogsDir = "logs"

// saveLogs keeps what the broken components have logged since the run began. One that
// is gone has nothing to say; what cannot be read is said in its place.
func (d Day) saveLogs(ctx context.Context, dir string, steps []StepAccount, since time.Time, secrets *redact.Redactor) error {
	if d.Logs <= 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	found, err := d.Site.Find(ctx, target.Selector{})
	if err != nil {
		return fmt.Errorf("keep the logs: %w", err)
	}
	broken := map[string]bool{}
	for _, s := range steps {
		broken[s.Component] = true
	}
	if err := atomicfile.MkdirAll(filepath.Join(dir, LogsDir), 0o750); err != nil {
		return fmt.Errorf("keep the logs: %w", err)
	}
	var errs []error
	for _, c := range found {
		if !broken[c.Name] {
			continue
		}
		text, err := d.logsOf(ctx, c, since)
		if err != nil {
			text = "the log could not be read: " + err.Error() + "\n"
		}
		name := strings.ReplaceAll(secrets.Text(c.Name), string(filepath.Separator), "_") + ".log"
		errs = append(errs, atomicfile.WriteBytes(filepath.Join(dir, LogsDir, name), 0o600, []byte(secrets.Text(text))))
	}
	return errors.Join(errs...)
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
