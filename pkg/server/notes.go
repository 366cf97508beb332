package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/notes"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/store"
)

// says is a form on the page of a job by which a person says something about its run.
func (s *Server) says(what func(*http.Request) run.Note) http.HandlerFunc {
	return s.act(func(ctx context.Context, r *http.Request) (string, error) {
		id, err := pathID(r)
		if err == nil {
			err = s.sayOfJob(ctx, id, what(r))
		}
		return fmt.Sprintf("/jobs/%d", id), err
	})
}

// sayOfJob writes a note into the run of a job.
func (s *Server) sayOfJob(ctx context.Context, id int64, n run.Note) error {
	j, err := s.Daemon.Store.Job(ctx, id)
	if err != nil {
		return err
	}
	of := s.Daemon.RunOf(j)
	switch {
	case of == "" && j.State == store.Running && j.Instance != s.Daemon.Instance:
		return fmt.Errorf("job %d runs on %s: write the note there: %w", id, j.Instance, store.ErrState)
	case of == "":
		return fmt.Errorf("job %d has no run that takes notes: %w", id, store.ErrState)
	}
	_, err = s.say(ctx, of, n)
	return err
}

// sayOfRun writes a note into a run: the current one, or one by its ID or a unique prefix of
// it.
func (s *Server) sayOfRun(ctx context.Context, reference string, n run.Note) (record.Event, error) {
	id, err := s.runOf(ctx, reference)
	if err != nil {
		return record.Event{}, err
	}
	return s.say(ctx, id, n)
}

// runOf is the ID of the run that a client means.
func (s *Server) runOf(ctx context.Context, reference string) (id string, err error) {
	if reference == run.Current {
		dir, err := run.CurrentDir(s.Runs)
		if err != nil {
			return "", fmt.Errorf("%w: %w", err, store.ErrState)
		}
		return filepath.Base(dir), nil
	}
	if s.hasRun(reference) {
		return reference, nil
	}
	err = fmt.Errorf("run %q: %w", plaintext.OneLine(reference, maxName), history.ErrNoRun)
	openErr := s.history(ctx, func(h *history.History) error {
		var e history.Entry
		e, err = h.Find(ctx, reference)
		id = e.ID
		return nil
	})
	return id, cmp.Or(openErr, err)
}

// hasRun reports whether a name is that of a run's folder.
func (s *Server) hasRun(id string) bool {
	if id == "." || strings.ContainsAny(id, "/\\") || !fs.ValidPath(id) {
		return false
	}
	info, err := fs.Stat(s.files, id+"/"+record.EventsFile)
	return err == nil && info.Mode().IsRegular()
}

// say writes a note. It names the person of the request, and who says it, if another one
// does.
func (s *Server) say(ctx context.Context, id string, n run.Note) (record.Event, error) {
	name := personOf(ctx).Name
	if n.By = strings.TrimSpace(n.By); n.By == "" || n.By == name {
		n.By = name
	} else {
		n.By += " (" + name + ")"
	}
	note(ctx, "%s", id)
	if !s.hasRun(id) {
		return record.Event{}, fmt.Errorf("run %q is not on this instance: %w", plaintext.OneLine(id, maxName), history.ErrNoRun)
	}
	e, err := s.Note(filepath.Join(s.Runs, id), n)
	switch {
	case errors.Is(err, run.ErrNote):
		return e, invalid("%v", err)
	case errors.Is(err, notes.ErrFull):
		return e, fmt.Errorf("%w: %w", err, store.ErrState)
	case err == nil:
		note(ctx, "%s: %s", id, e.What)
	}
	return e, err
}
