package scenario

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// Beside reads a file by its path from the folder of a journey: journeys that it includes,
// users, files of forms.
type Beside func(path string) ([]byte, error)

// maxPartFile is the maximum size of a file of a form, in bytes: each user sends it.
const maxPartFile = 1 << 20

// maxIncludes is how many journeys one journey can include, directly or not.
const maxIncludes = 20

// errNothingBeside is the error of a journey that names a file, but is none itself.
var errNothingBeside = errors.New("no file can be read beside this journey")

// LoadJourney reads a journey, and the files that it names.
func LoadJourney(file string, data []byte, beside Beside) (probe.Journey, error) {
	if beside == nil {
		beside = func(string) ([]byte, error) { return nil, errNothingBeside }
	}
	doc := strictyaml.Parse(file, data)
	var j probe.Journey
	doc.Decode(&j)
	if newer(doc, j.Version) {
		return j, doc.Problems.Err()
	}
	checkName(doc, file, j.Name)
	for i, s := range j.Steps {
		checkLine(doc, index("steps", i)+".name", s.Name)
	}
	l := loading{doc: doc, beside: beside}
	steps, places := l.include(j.Steps, "steps", nil)
	j.Steps = steps
	l.readUsers(j.Users)
	for i := range j.Steps {
		l.readFiles(j.Steps[i], places[i])
	}
	if j.Confirm != nil {
		l.readFiles(*j.Confirm, "confirm")
	}
	if doc.Has("steps") {
		j.Check(func(path, format string, args ...any) { l.problem(places, path, format, args...) })
	}
	return j, doc.Problems.Err()
}

// loading is a journey that is being read.
type loading struct {
	doc      *strictyaml.Document
	beside   Beside
	included int
}

// problem reports a problem of a step where the file has the step, or what includes it.
func (l *loading) problem(places []string, path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for i, place := range slices.Backward(places) {
		if own := index("steps", i); path == own || strings.HasPrefix(path, own+".") {
			l.doc.Problem(place+strings.TrimPrefix(path, own), "%s", strings.Replace(text, own, place, 1))
			return
		}
	}
	l.doc.Problem(path, "%s", text)
}

// include replaces steps that name a journey by that journey's. With the steps come the
// paths at which the file has them.
func (l *loading) include(steps []probe.Step, path string, open []string) (all []probe.Step, places []string) {
	for i, s := range steps {
		place := index(path, i)
		if len(open) > 0 {
			place = path // the file has no step of an included journey
		}
		if s.Include == "" {
			all, places = append(all, s), append(places, place)
			continue
		}
		inner, err := l.stepsOf(s, open)
		if err != nil {
			l.doc.Problem(place, "%s.include: %v", place, err)
			continue
		}
		more, _ := l.include(inner, place, append(slices.Clip(open), s.Include))
		for _, step := range more {
			all, places = append(all, step), append(places, place)
		}
	}
	return all, places
}

// stepsOf reads the steps of a journey that another one includes.
func (l *loading) stepsOf(s probe.Step, open []string) ([]probe.Step, error) {
	if l.included++; l.included > maxIncludes || slices.Contains(open, s.Include) {
		return nil, fmt.Errorf("journeys include each other: %s", strings.Join(append(open, s.Include), " → "))
	}
	if !names.MatchString(s.Include) {
		return nil, fmt.Errorf("found %q, expected the name of a journey", s.Include)
	}
	alone := probe.Step{Include: s.Include}
	if s.Title() != alone.Title() || len(s.Capture) > 0 || s.Acknowledges != "" {
		return nil, errors.New("a step that includes others has no other key: remove them")
	}
	data, err := l.beside(s.Include + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("read journey %s: %w", s.Include, err)
	}
	doc := strictyaml.Parse(s.Include+".yaml", data)
	var j probe.Journey
	doc.Decode(&j)
	return j.Steps, doc.Problems.Err()
}

// readUsers reads the rows of a journey's users.
func (l *loading) readUsers(u *probe.Users) {
	if u == nil || u.File == "" {
		return
	}
	err := func() error {
		data, err := l.beside(u.File)
		if err != nil {
			return err
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), "\ufeff"))).ReadAll()
		switch {
		case err != nil:
			return err
		case len(rows) < 2:
			return errors.New("found no users, expected a line with the names of the columns, and a line for each user")
		}
		u.Columns, u.Rows = rows[0], rows[1:]
		for i, column := range u.Columns {
			u.Columns[i] = strings.TrimSpace(column)
			if !probe.IsName(u.Columns[i]) || slices.Contains([]string{"seq", "id"}, u.Columns[i]) {
				return fmt.Errorf("found the column %q, expected letters, digits and _, and neither seq nor id", column)
			}
		}
		return nil
	}()
	if err != nil {
		l.doc.Problem("users", "users: %s: %v", u.File, err)
	}
}

// readFiles reads the files that a step names.
func (l *loading) readFiles(s probe.Step, place string) {
	s.ReadFiles(l.beside, func(key, format string, args ...any) {
		at := place + "." + key
		l.doc.Problem(at, "%s: %s", at, fmt.Sprintf(format, args...))
	})
	for name, part := range s.Multipart {
		if part.File == "" {
			continue
		}
		content, err := l.beside(part.File)
		if err == nil && len(content) > maxPartFile {
			err = fmt.Errorf("%s has %d bytes, expected at most %d", part.File, len(content), maxPartFile)
		}
		if err != nil {
			at := place + ".multipart." + name
			l.doc.Problem(at, "%s: %v", at, err)
		}
		part.Content = content
		s.Multipart[name] = part
	}
}
