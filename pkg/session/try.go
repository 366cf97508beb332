package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// TryRequest asks for a few users to walk a journey, outside a game day.
type TryRequest struct {
	Journey     string // a name, or the path of a file
	Environment string
	Users       int
	From        string // inside or outside; "" is the environment's default
	// Say receives what is prepared before users walk.
	Say func(text string)
}

// tryRate is the arrival rate of users who try a journey.
func tryRate() probe.Rate { return probe.Rate{Users: 10, Per: time.Second} }

// Try lets a few users walk a journey, and calls on for each one. Nothing is broken. What
// it tells is without the secrets of the environment.
func (s Session) Try(ctx context.Context, r TryRequest, on func(probe.Tried)) (err error) {
	in := Input{Scenario: scenario.Scenario{Environment: r.Environment, Load: []scenario.JourneyLoad{{Journey: r.Journey, Rate: tryRate(), From: r.From}}}}
	if in.Environment, err = s.Library.Connected(r.Environment); err != nil {
		return err
	}
	journey, err := s.journey(r)
	if err != nil {
		return err
	}
	in.Journeys = []probe.Journey{journey}
	if err := errors.Join(in.Scenario.CheckLoad(in.Environment), in.checkJourneys(), in.Environment.CheckEnviron(in.Journeys)); err != nil {
		return err
	}
	secrets, err := in.Environment.Secrets()
	if err != nil {
		return err
	}
	defer func() { err = secrets.Error(err) }()
	users := run.Users{Environment: in.Environment, Load: in.Scenario.Load, Journeys: in.Journeys, Protocols: s.Protocols}
	if in.Environment.Comes(in.Scenario.Load[0]) == scenario.FromInside {
		if users.Site, err = s.Open(ctx, in.Environment); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, users.Site.Close()) }()
	}
	if err := users.Prepare(ctx, r.Say); err != nil {
		return err
	}
	return users.Try(ctx, r.Users, func(t probe.Tried) { on(clean(t, secrets)) })
}

// journey finds the journey of a request: the file of a path, or an environment's journey
// of a name.
func (s Session) journey(r TryRequest) (probe.Journey, error) {
	if !strings.ContainsAny(r.Journey, `/\.`) {
		return s.Library.Journey(r.Environment, r.Journey)
	}
	file := r.Journey
	if !filepath.IsAbs(file) {
		file = filepath.Join(s.Library.Dir, file)
	}
	data, err := bounded.File(file, bounded.MaxFile)
	if err != nil {
		return probe.Journey{}, fmt.Errorf("read journey: %w", err)
	}
	return scenario.LoadJourney(r.Journey, data, s.Library.Beside(file))
}

// clean takes secrets out of what a user met.
func clean(t probe.Tried, secrets *redact.Redactor) probe.Tried {
	for i := range t.Steps {
		cleanStep(&t.Steps[i], secrets)
	}
	if t.Look != nil {
		cleanStep(t.Look, secrets)
	}
	return t
}

func cleanStep(s *probe.TriedStep, secrets *redact.Redactor) {
	if s.Asked != nil {
		s.Asked.Line = secrets.Text(s.Asked.Line)
		s.Asked.Header = cleanHeader(s.Asked.Header, secrets)
		s.Asked.Body = secrets.Text(s.Asked.Body)
	}
	for i := range s.Hops {
		hop := &s.Hops[i]
		hop.Location, hop.Line = cleanValue("Location", hop.Location, secrets), secrets.Text(hop.Line)
	}
	s.Header = cleanHeader(s.Header, secrets)
	s.Body = secrets.Text(s.Body)
	for name, value := range s.Captured {
		s.Captured[name] = cleanValue(name, value, secrets)
	}
	s.Found, s.Acknowledged = secrets.Text(s.Found), secrets.Text(s.Acknowledged)
}

func cleanHeader(h http.Header, secrets *redact.Redactor) http.Header {
	cleaned := make(http.Header, len(h))
	for name, values := range h {
		for _, v := range values {
			cleaned.Add(name, cleanValue(name, v, secrets))
		}
	}
	return cleaned
}

// cleanValue takes secrets out of a named value: the name alone can show that it is one.
func cleanValue(name, value string, secrets *redact.Redactor) string {
	whole, key := secrets.Text(name+": "+value), name+": "
	if rest, ok := strings.CutPrefix(whole, key); ok {
		return rest
	}
	return cmp.Or(whole, redact.Mark)
}
