package server

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"github.com/gameday-dev/gameday/pkg/history"
)

// shelf keeps the history of runs open, so that pages and scrapes decode a run once.
type shelf struct {
	dir string

	mu sync.RWMutex // held for reading while the history is used
	h  *history.History
}

// history uses the runs, as they are now; it does nothing if there are none yet.
func (s *Server) history(ctx context.Context, use func(*history.History) error) error {
	err := s.shelf.use(ctx, use)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if errors.Is(err, history.ErrNoRun) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// The index may be broken, or removed: it is rebuilt.
	s.complain("reopen the history of runs", err)
	if closeErr := s.shelf.close(); closeErr != nil {
		return errors.Join(err, closeErr)
	}
	return s.shelf.use(ctx, use)
}

// use opens the history if it is not, and brings it up to date.
func (s *shelf) use(ctx context.Context, use func(*history.History) error) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.h == nil {
		return history.ErrNoRun // it was closed just now
	}
	if err := s.h.Refresh(ctx); err != nil {
		return err
	}
	return use(s.h)
}

func (s *shelf) open(ctx context.Context) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.h == nil {
		s.h, err = history.Open(ctx, s.dir)
	}
	return err
}

// close closes the history once no request uses it. It may be used again.
func (s *shelf) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.h == nil {
		return nil
	}
	h := s.h
	s.h = nil
	return h.Close()
}
