package scenario

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// Client is a kind of client program, with its share of a load.
type Client struct {
	probe.Client `yaml:",inline"`

	Share unit.Ratio `yaml:"share,omitempty" jsonschema_description:"The share of the rate: 20%. All shares add up to 100%; clients without one share the rest evenly."`
}

// Name is the name of the load in records and reports: that of its journey, and of its client
// if it has one.
func (l JourneyLoad) Name() string {
	if c := l.Client(); c.Kind != "" {
		return l.Journey + " (" + c.Label() + ")"
	}
	return l.Journey
}

// Client is the client program of the load's users; the zero Client does what the journey
// says.
func (l JourneyLoad) Client() probe.Client {
	if len(l.Clients) != 1 {
		return probe.Client{}
	}
	return l.Clients[0].Client
}

// ofClients are the loads of the kinds of clients, each with its share of the rate.
func (l JourneyLoad) ofClients() (all []JourneyLoad) {
	if len(l.Clients) == 0 {
		return []JourneyLoad{l}
	}
	weights, of := shares(l.Clients)
	for i, c := range l.Clients {
		if weights[i] <= 0 {
			continue // it is a problem of the file
		}
		one := l.part(weights[i], of)
		c.Share = 0
		one.Clients = []Client{c}
		all = append(all, one)
	}
	return all
}

// wholeShare is 100%, in the unit of shares: a millionth.
const wholeShare = 1_000_000

// shares are the shares of clients as weights, and their sum. Those without one share the
// rest evenly.
func shares(clients []Client) (weights []int, of int) {
	rest, open := wholeShare, 0
	for _, c := range clients {
		weights = append(weights, int(math.Round(float64(c.Share)*wholeShare)))
		rest -= weights[len(weights)-1]
		if c.Share == 0 {
			open++
		}
	}
	for i, c := range clients {
		weights[i] *= max(open, 1)
		if c.Share == 0 {
			weights[i] = rest
		}
	}
	return weights, wholeShare * max(open, 1)
}

// checkClients checks the kinds of clients of a load.
func (l JourneyLoad) checkClients(doc *strictyaml.Document, at string) {
	at += ".clients"
	if doc.Has(at) && len(l.Clients) == 0 {
		doc.Problem(at, "%s: found none, expected at least one of %s", at, strings.Join(probe.ClientKinds(), ", "))
	}
	seen := map[string]bool{}
	for i, c := range l.Clients {
		place := index(at, i)
		c.check(doc, place)
		if seen[c.Label()] && c.Kind != "" {
			doc.Problem(place, "%s: duplicate client %s: set a different name:", place, c.Label())
		}
		seen[c.Label()] = true
	}
	if len(l.Clients) > 0 && len(doc.Problems) == 0 { // a share may be missing because of them
		checkShares(doc, at, l.Clients)
	}
}

// check checks one kind of client.
func (c Client) check(doc *strictyaml.Document, at string) {
	if !slices.Contains(probe.ClientKinds(), c.Kind) {
		if c.Kind != "" && !doc.Has(at+".kind") { // of the short form
			doc.Problem(at, "%s: unknown kind of client %q: %s", at, c.Kind, strictyaml.Suggest(c.Kind, probe.ClientKinds()))
		}
		return
	}
	c.Check(func(key, format string, args ...any) {
		doc.Problem(at+"."+key, "%s.%s: %s", at, key, fmt.Sprintf(format, args...))
	})
	if c.Name != "" && !names.MatchString(c.Name) {
		doc.Problem(at+".name", "%s.name: found %q, expected lowercase letters, digits and hyphens", at, c.Name)
	}
}

// checkShares checks that the shares of clients add up.
func checkShares(doc *strictyaml.Document, at string, clients []Client) {
	sum, open := 0.0, 0
	for i, c := range clients {
		if sum += float64(c.Share); c.Share == 0 {
			open++
		} else if math.Round(float64(c.Share)*wholeShare) == 0 {
			place := index(at, i) + ".share"
			doc.Problem(place, "%s: found a share of less than 0.00005%%, which is no user: use 0.0001%% or more", place)
		}
	}
	switch total := math.Round(sum * wholeShare); {
	case open == 0 && total != wholeShare:
		doc.Problem(at, "%s: found shares of %s in all, expected 100%%: correct them, or leave one out, which then is the rest", at, percent(sum))
	case open > 0 && total > wholeShare-float64(open):
		doc.Problem(at, "%s: found shares of %s in all, which leaves nothing for those without a share: use smaller shares", at, percent(sum))
	}
}

// percent is a sum of shares, which may be above 1.
func percent(sum float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.4f", sum*100), "0"), ".") + "%"
}

// Walked is the journey of the i-th load as its users walk it: by the name of the load. If
// each row of its users is for one user, the loads of one journey share the rows, each as many
// as its part of the rate.
func (s Scenario) Walked(i int, j probe.Journey) probe.Journey {
	j.Name = s.Load[i].Name()
	if j.Users == nil || j.Users.Order != "once" {
		return j
	}
	before, own, all := 0.0, s.Load[i].Rate.PerSecond(), 0.0
	for k, l := range s.Load {
		if l.Journey != s.Load[i].Journey {
			continue
		}
		if k < i {
			before += l.Rate.PerSecond()
		}
		all += l.Rate.PerSecond()
	}
	if all == own {
		return j
	}
	rows := float64(len(j.Users.Rows))
	from, to := int(math.Round(rows*before/all)), int(math.Round(rows*(before+own)/all))
	users := *j.Users
	users.Rows = users.Rows[from:to]
	j.Users = &users
	return j
}

// PlaceOf is the place of the i-th load among those that walk its journey.
func PlaceOf(loads []JourneyLoad, i int) (p probe.Place) {
	for k, l := range loads {
		if l.Journey != loads[i].Journey {
			continue
		}
		if k < i {
			p.N++
		}
		p.Of++
	}
	return p
}

// CheckClients checks that the kinds of clients of the loads can walk their journeys in an
// environment, and differ there. journeys are as in s.Load.
func (s Scenario) CheckClients(env Environment, journeys []probe.Journey) error {
	var errs []error
	for i, l := range s.Load {
		c := l.Client()
		if c.Kind == "" {
			continue
		}
		way := env.Way(l)
		err := c.Walks(journeys[i])
		switch {
		case err != nil:
		case c.Kind == probe.DNSForever && way.Proxy != "":
			err = errors.New("users connect through a proxy, which looks names up, so that a dns-forever client would be no other than browser: use from: inside, or remove the client")
		case c.Kind == probe.Pooled && way.HTTP2:
			err = errors.New("users speak HTTP/2 (connect.http2), by which all of them share one connection: use browser")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("load of journey %s: client %s: %w", l.Journey, c.Label(), err))
		}
	}
	return errors.Join(errs...)
}

// unresolved says that clients of a load look no name up, or "".
func unresolved(l JourneyLoad, way probe.Way) string {
	if l.Client().Kind != probe.DNSForever {
		return ""
	}
	entry, err := url.Parse(way.Entry)
	if err != nil {
		return ""
	}
	host := entry.Hostname()
	if _, pinned := way.Resolve[host]; !pinned && net.ParseIP(host) == nil && host != "localhost" {
		return ""
	}
	return fmt.Sprintf("the address of %s is fixed, so that %s clients meet there what browser clients meet", host, l.Client().Label())
}
