package journeyfrom_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/browsertest"
	"github.com/gameday-dev/gameday/pkg/journeyfrom"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// What Chromium records in a shop is a journey that passes against the same shop, as it
// was written: with the tokens of the new user, the shop's redirects and the order's ID.
func TestRecordingOfABrowserPasses(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	for name, buy := range map[string]func(t *testing.T, b *browsertest.Browser){
		"api": func(t *testing.T, b *browsertest.Browser) {
			t.Helper()
			b.Click(t, "#buy")
			b.Await(t, "the order over the API", `Number(document.body.dataset.bought || 0)`)
		},
		"form": func(t *testing.T, b *browsertest.Browser) {
			t.Helper()
			b.Click(t, "#checkout")
			b.Await(t, "the order's page", `document.querySelectorAll('#done').length`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			b := browsertest.New(t)
			recording := b.Record(t)
			b.Open(t, s.URL+"/")
			b.Type(t, "input[name=email]", "ann@shop.example")
			b.Type(t, "input[name=password]", password)
			recording.Settle(t)
			b.Click(t, "#go")
			b.Await(t, "the cart", `document.querySelectorAll('#buy').length`)
			recording.Settle(t)
			buy(t, b)
			har := recording.HAR(t)

			r, err := journeyfrom.Import(bytes.NewReader(har), journeyfrom.Options{Name: "shop"})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s\n%q\n%q", r.Journey, r.LeftOut, r.Notes)
			for _, secret := range s.secrets() {
				if strings.Contains(string(r.Journey), secret) {
					t.Errorf("the journey contains %s", secret)
				}
			}
			passes(t, s, r)
		})
	}
}

// passes walks an imported journey with one user, and looks up what the user wrote.
func passes(t *testing.T, s *shop, r journeyfrom.Result) {
	t.Helper()
	j, err := scenario.LoadJourney("shop.yaml", r.Journey, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Variables) != 1 {
		t.Fatalf("found the variables %q, expected one for the password", r.Variables)
	}
	load := probe.Load{
		Journey: j, Rate: probe.Rate{Users: 1, Per: time.Second},
		Way: probe.Way{Entry: s.URL, Environ: map[string]string{r.Variables[0]: password}},
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var acks []record.Ack
	users := 0
	err = load.Run(ctx, func(v probe.Visit) {
		stop()
		if users++; v.Sample.Error != "" || len(v.Steps) != len(j.Steps) {
			t.Errorf("the user failed: %s (%d of %d steps)", v.Sample.Error, len(v.Steps), len(j.Steps))
		}
		if v.Ack != nil {
			acks = append(acks, *v.Ack)
		}
	})
	if err != nil && !errors.Is(err, context.Canceled) || users == 0 {
		t.Fatalf("%d users: %v", users, err)
	}
	if len(acks) == 0 {
		t.Fatal("no order is acknowledged")
	}
	if err := load.Confirm(t.Context(), record.AckedOf(acks), nil); err != nil {
		t.Fatal(err)
	}
	for _, a := range acks {
		if a.Presence != probe.Present {
			t.Errorf("order %s is %s", a.ID, a.Presence)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refused) > 0 {
		t.Errorf("the shop refused %q", s.refused)
	}
}
