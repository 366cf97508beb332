package store_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/store"
)

// A role covers itself and the lesser ones; a word that is no role covers nothing and
// is covered by none.
func TestRoles(t *testing.T) {
	t.Parallel()
	order := []store.Role{store.Anyone, store.View, store.Operate}
	for i, has := range order {
		for j, needs := range order {
			if got := has.Covers(needs); got != (i >= j) {
				t.Errorf("%s covers %s: %v", has, needs, got)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		other := store.Role(rapid.StringMatching(`[a-zA-Z ]{0,8}`).Filter(func(s string) bool {
			return s != string(store.Anyone) && s != string(store.View) && s != string(store.Operate)
		}).Draw(t, "role"))
		for _, role := range append(order, other) {
			if other.Covers(role) || role.Covers(other) {
				t.Errorf("%q and %q", other, role)
			}
		}
	})
}

// open is a new store in a file.
func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "serve.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	s, ctx := open(t), t.Context()
	_, job := s.Job(ctx, 17)
	_, document := s.Document(ctx, 17)
	_, token := s.Token(ctx, "gd_none", time.Now(), store.Named)
	_, _, loginErr := s.LogIn(ctx, "gd_none", time.Now(), time.Hour)
	for name, err := range map[string]error{
		"job": job, "document": document, "token": token, "revoke": s.Revoke(ctx, "none"), "login": loginErr, "release": s.Release(ctx, "staging"),
	} {
		if !errors.Is(err, store.ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{"drop": s.Drop(ctx, 17, store.Missed, "x"), "approve": s.Approve(ctx, 17, "ada", time.Now())} {
		if !errors.Is(err, store.ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.Pool() != nil || s.DB() == nil {
		t.Errorf("a file has the pool %v", s.Pool())
	}
}

// Tokens are forgotten when their time is over, and not before; those without an end
// never are.
func TestTokensAreSwept(t *testing.T) {
	t.Parallel()
	s, ctx := open(t), t.Context()
	now := time.Now().Truncate(time.Second)
	texts := map[string]string{}
	for name, expires := range map[string]time.Time{"over": now.Add(-time.Second), "lasts": now.Add(time.Hour), "for ever": {}} {
		text, err := s.NewToken(ctx, store.Token{Name: name, Kind: store.Named, Role: store.View, Created: now, Expires: expires})
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = text
	}
	if err := s.Sweep(ctx, now); err != nil {
		t.Fatal(err)
	}
	long := now.Add(-time.Hour) // at which all of them were good
	for name, want := range map[string]bool{"over": false, "lasts": true, "for ever": true} {
		if _, err := s.Token(ctx, texts[name], long, store.Named); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Token(ctx, texts["lasts"], now.Add(2*time.Hour), store.Named); !errors.Is(err, store.ErrNone) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := s.Token(ctx, texts["lasts"], now, store.Session, store.Once); !errors.Is(err, store.ErrNone) {
		t.Errorf("of another kind: %v", err)
	}
	if _, err := s.NewToken(ctx, store.Token{Name: "lasts", Kind: store.Named, Role: store.View}); err == nil {
		t.Error("two tokens of one name")
	}
}

// A filter gives what each of its parts lets through.
func TestFilters(t *testing.T) {
	t.Parallel()
	s, ctx := open(t), t.Context()
	for _, environment := range []string{"a", "b", "a"} {
		if _, err := s.Add(ctx, queued(environment)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Drop(ctx, 3, store.Missed, "x"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		filter store.Filter
		want   int
	}{
		"all":                {store.Filter{}, 3},
		"an id":              {store.Filter{ID: 2}, 1},
		"an environment":     {store.Filter{Environment: "a"}, 2},
		"a state":            {store.Filter{States: []store.State{store.Missed}}, 1},
		"all states":         {store.Filter{States: store.States()}, 3},
		"both":               {store.Filter{Environment: "a", States: []store.State{store.Queued}}, 1},
		"a limit":            {store.Filter{Limit: 2}, 2},
		"a schedule of none": {store.Filter{Schedule: "none"}, 0},
	} {
		all, err := s.Jobs(ctx, c.filter)
		if err != nil || len(all) != c.want {
			t.Errorf("%s: %d jobs (%v), expected %d", name, len(all), err, c.want)
		}
		for i := 1; i < len(all); i++ {
			if all[i].ID >= all[i-1].ID {
				t.Errorf("%s: %d comes after %d", name, all[i].ID, all[i-1].ID)
			}
		}
	}
	counts, err := s.Counts(ctx)
	if err != nil || counts[store.Queued] != 2 || counts[store.Missed] != 1 || counts[store.Done] != 0 {
		t.Errorf("%v %v", counts, err)
	}
}

// A token's name is short and printable, and is not taken for a name that the audit log
// uses itself (L15).
func TestTokenNames(t *testing.T) {
	t.Parallel()
	s, ctx := open(t), t.Context()
	for _, name := range []string{
		"", " ", "  ci", "ci ", "a  b", "a\nb", "\x1b[2J", "a\x00", "\xff", "a\u202eb", "\u200b", "---", strings.Repeat("a", 65), strings.Repeat("a", 5000),
		"gameday", "Gameday", "anonymous", "local user", "LOCAL-USER", "unknown token", "login link", "login_link", "schedule later", "schedule", "somebody on this machine", "unknown clients",
	} {
		if _, err := s.NewToken(ctx, store.Token{Name: name, Kind: store.Named, Role: store.View}); err == nil || strings.ContainsFunc(err.Error(), unicode.IsControl) || len(err.Error()) > 500 {
			t.Errorf("%.80q as a token's name: %.200v", name, err)
		}
	}
	for _, name := range []string{"ci", "ann@example.com", "Grafana (prod)", "ci-1", "Zoë", strings.Repeat("é", 64), "gameday-ci", "scheduler"} {
		if _, err := s.NewToken(ctx, store.Token{Name: name, Kind: store.Named, Role: store.View}); err != nil {
			t.Error(err)
		}
	}
}

// The lines of the audit log are bounded, those of an older gameday when they are read (M7).
func TestLinesOfTheAuditLogAreBounded(t *testing.T) {
	t.Parallel()
	s, ctx := open(t), t.Context()
	long := strings.Repeat("é\x00\xff\n", 20_000)
	if err := s.Audit(ctx, store.Entry{Who: long, From: long, What: long, Outcome: long}); err != nil {
		t.Fatal(err)
	}
	var kept int
	if err := s.DB().QueryRowContext(ctx, "SELECT LENGTH(CAST(who || origin || what || outcome AS BLOB)) FROM gameday_audit").Scan(&kept); err != nil || kept > 3000 {
		t.Errorf("%d bytes are kept: %v", kept, err)
	}
	if _, err := s.DB().ExecContext(ctx, "INSERT INTO gameday_audit (at, who, origin, what, outcome) VALUES (1, 'old', '', '"+strings.Repeat("x", 60_000)+"', '')"); err != nil {
		t.Fatal(err)
	}
	all, err := s.AuditLog(ctx, 2)
	if err != nil || len(all) != 2 || all[0].Who != "old" {
		t.Fatalf("%+.200v %v", all, err)
	}
	for _, e := range all {
		if whole := e.Who + e.From + e.What + e.Outcome; len(whole) > 3000 || strings.ContainsFunc(whole, unicode.IsControl) {
			t.Errorf("%d bytes: %.100q", len(whole), whole)
		}
	}
}
