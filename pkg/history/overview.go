package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// brief is a run as [History.Overview] keeps it.
type brief struct {
	Entry

	stamp string // of the folder that it was decoded from
}

// Overview is [History.Runs] for lists, trends and metrics, which ask again and again:
// the reports are without events, faults, versions and the figures of the load. While a
// history is open, a run is decoded once, and again only after its folder has changed.
func (h *History) Overview(ctx context.Context, f Filter) ([]Entry, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []brief
	err := h.search(ctx, "stamp, started, problem", f, func(scan scanner) error {
		var b brief
		var started int64
		err := scan(&b.ID, &b.stamp, &started, &b.Problem)
		b.Dir, b.Started = filepath.Join(h.dir, b.ID), time.Unix(0, started).UTC()
		found = append(found, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	all := make([]Entry, 0, len(found))
	for _, b := range found {
		kept, ok := h.kept[b.ID]
		if !ok || kept.stamp != b.stamp {
			if kept, err = h.decoded(ctx, b); err != nil {
				return nil, err
			}
			h.kept[b.ID] = kept
		}
		all = append(all, kept.Entry)
	}
	return all, nil
}

// decoded is a run with its report, as far as [History.Overview] keeps it.
func (h *History) decoded(ctx context.Context, b brief) (brief, error) {
	var document string
	err := h.db.QueryRowContext(ctx, "SELECT document FROM runs WHERE id = ?", b.ID).Scan(&document)
	if errors.Is(err, sql.ErrNoRows) {
		b.stamp, b.Problem = "", "it was removed just now"
		return b, nil
	}
	if err == nil {
		err = b.decode(document)
	}
	if err != nil {
		return b, fmt.Errorf("search runs: %w", err)
	}
	h.decodes++
	b.Report.Events, b.Report.Faults, b.Report.Load, b.Report.Versions = nil, nil, nil, nil
	return b, nil
}
