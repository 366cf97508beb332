package steps_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/gameday-dev/gameday/pkg/probe"
)

func redisServer(t *testing.T) *miniredis.Miniredis {
	t.Helper()
	s := miniredis.NewMiniRedis()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestRedis(t *testing.T) {
	t.Parallel()
	s := redisServer(t)
	for key, value := range map[string]string{"text": "hello", "big": "9007199254740993", "empty": ""} {
		if err := s.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Push("list", "a", "b"); err != nil {
		t.Fatal(err)
	}
	status := func(words ...probe.Status) probe.Expect { return probe.Expect{Status: words} }
	json := func(path string, want any) probe.Expect { return probe.Expect{JSON: map[string]any{path: want}} }
	for name, c := range map[string]struct {
		command string
		expect  probe.Expect
		want    string
	}{
		"a text":            {"GET text", json("$", "hello"), ""},
		"another text":      {"GET text", json("$", "bye"), "s: $ is not the expected value"},
		"contains":          {"GET text", probe.Expect{Contains: probe.Texts{"ell"}}, ""},
		"a number as text":  {"GET big", json("$", "9007199254740993"), ""},
		"an empty text":     {"GET empty", json("$", ""), ""},
		"no key":            {"GET none", probe.Expect{}, "s: status NOT_FOUND"},
		"no key, expected":  {"GET none", status("NOT_FOUND"), ""},
		"either":            {"GET none", status("OK", "NOT_FOUND"), ""},
		"OK":                {"SET other v", json("$", "OK"), ""},
		"a number":          {"INCR n-{{.seq}}", json("$", 1), ""},
		"a list":            {"LRANGE list 0 -1", json("$", []any{"a", "b"}), ""},
		"an item":           {"LRANGE list 0 -1", json("$[1]", "b"), ""},
		"an empty list":     {"LRANGE none 0 -1", json("$", map[string]any{"length": 0}), ""},
		"nil in a list":     {"MGET text none", json("$", []any{"hello", nil}), ""},
		"a wrong type":      {"LPUSH text x", probe.Expect{}, "s: redis: WRONGTYPE"},
		"an unknown thing":  {"NOSUCH x", probe.Expect{}, "s: redis: ERR"},
		"an error and more": {"GET list", json("$", 1), "s: redis: WRONGTYPE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := first(t, load(patience, probe.Step{Name: "s", Redis: &probe.Redis{Address: s.Addr(), Command: strings.Fields(c.command)}, Expect: c.expect}))
			if v.Sample.Error != c.want || v.Sample.Void {
				t.Errorf("%q, expected %q", v.Sample.Error, c.want)
			}
		})
	}
}

// What a user writes can be looked up, and only a definite answer makes it lost.
func TestRedisAcknowledges(t *testing.T) {
	t.Parallel()
	s := redisServer(t)
	at := func(command ...string) probe.Step {
		return probe.Step{Name: command[0], Redis: &probe.Redis{Address: s.Addr(), Command: command}}
	}
	push := at("RPUSH", "orders-{{.seq}}", "x")
	push.Capture = map[string]probe.Capture{"n": {JSON: "$"}}
	push.Acknowledges = "$"
	set := at("SET", "order-{{.n}}", "y")
	v := first(t, load(patience, push, set))
	if v.Sample.Error != "" || v.Ack == nil || v.Ack.ID != "1" || !s.Exists("order-1") {
		t.Fatalf("%+v %+v", v.Sample, v.Ack)
	}
	right, wrong := at("GET", "order-{{.id}}"), at("GET", "order-{{.id}}")
	right.Expect.JSON, wrong.Expect.JSON = map[string]any{"$": "y"}, map[string]any{"$": "z"}
	for name, c := range map[string]struct {
		id   string
		step probe.Step
		want string
	}{
		"there":           {"1", right, probe.Present},
		"not there":       {"2", right, probe.Absent},
		"another content": {"1", wrong, probe.Absent},
		"an error":        {"1", at("LPUSH", "order-{{.id}}", "z"), probe.Unconfirmed},
	} {
		if found := presence(t, c.id, c.step); found != c.want {
			t.Errorf("%s: %s, expected %s", name, found, c.want)
		}
	}
	s.Close()
	if found := presence(t, "1", right); found != probe.Unconfirmed {
		t.Errorf("without a server: %s", found)
	}
}

func TestRedisPassword(t *testing.T) {
	t.Parallel()
	s := redisServer(t)
	s.RequireAuth("p@ss word/?")
	s.DB(3).Set("k", "v") //nolint:errcheck // in memory
	for _, c := range []struct{ password, want string }{{"p@ss word/?", ""}, {"wrong", "s: redis: WRONGPASS"}, {"", "s: redis: NOAUTH"}} {
		step := redisAt(s.Addr())
		step.Redis.Database = 3
		l := load(patience, step)
		if c.password != "" {
			step.Redis.Password = `{{env "REDIS_PASSWORD"}}`
			l.Way.Environ = map[string]string{"REDIS_PASSWORD": c.password}
		}
		if v := first(t, l); v.Sample.Error != c.want {
			t.Errorf("%q: %q, expected %q", c.password, v.Sample.Error, c.want)
		}
	}
}

// Users share connections unless they are fresh, and no connection that has ended meanwhile
// is given to a user.
func TestConnectionsOfUsers(t *testing.T) {
	t.Parallel()
	for connections, fresh := range map[string]bool{"reuse": false, "fresh": true} {
		s := redisServer(t)
		if err := s.Set("k", "v"); err != nil {
			t.Fatal(err)
		}
		l := load(patience, redisAt(s.Addr()))
		l.Journey.Connections = connections
		l.Rate.Users = 20
		const users = 10
		for _, v := range several(t, l, users) {
			if v.Sample.Error != "" {
				t.Errorf("%s: %s", connections, v.Sample.Error)
			}
		}
		if n := s.TotalConnectionCount(); fresh != (n >= users) {
			t.Errorf("%s: %d connections of %d users", connections, n, users)
		}
	}
}

// After the server was restarted, the first user is served: the connections that it ended
// are known to have ended.
func TestConnectionsThatHaveEnded(t *testing.T) {
	t.Parallel()
	s := redisServer(t)
	l := load(patience, redisAt(s.Addr()))
	l.Rate.Users = 50
	restarted, bad := false, 0
	var after []string
	if err := s.Set("k", "v"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := l.Run(ctx, func(v probe.Visit) {
		switch {
		case !restarted:
			s.Close()
			if err := s.Restart(); err != nil {
				t.Error(err)
			}
			restarted = true
		default:
			if after = append(after, v.Sample.Error); v.Sample.Error != "" {
				bad++
			}
			if len(after) == 5 {
				cancel()
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if bad > 1 { // a user may have been under way when the server stopped
		t.Error(fmt.Sprint(after))
	}
}
