package steps_test

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/mysqltest"
	"github.com/gameday-dev/gameday/internal/pgtest"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/probe/steps"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// sqlCase is a statement and what it is expected to return.
type sqlCase struct {
	statement  string
	parameters []any
	expect     probe.Expect
	want       string // "" if it holds
}

// row expects the columns of the first row.
func row(columns map[string]any) probe.Expect {
	return probe.Expect{JSON: map[string]any{"$[0]": columns}}
}

func runSQL(t *testing.T, at string, cases map[string]sqlCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := load(3*patience, probe.Step{Name: "s", SQL: &probe.SQL{URL: at, Statement: c.statement, Parameters: c.parameters}, Expect: c.expect})
			l.Rate.Users = 1 // the server takes a hundred connections, of all cases
			v := first(t, l)
			if v.Sample.Error != c.want || v.Sample.Void {
				t.Errorf("%q, expected %q", v.Sample.Error, c.want)
			}
		})
	}
}

// setup runs statements.
func setup(t *testing.T, at string, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		l := load(patience, probe.Step{Name: "s", SQL: &probe.SQL{URL: at, Statement: statement}})
		l.Journey.Users = alone()
		if v := first(t, l); v.Sample.Error != "" {
			t.Fatalf("%s: %s", statement, v.Sample.Error)
		}
	}
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	at := server.Database("steps")
	setup(t, at, "CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, item text UNIQUE, amount int NOT NULL, at timestamptz DEFAULT now())")
	runSQL(t, at, map[string]sqlCase{
		"numbers": {
			"SELECT 3 AS n, 9007199254740993::bigint AS big, 1.10::numeric AS exact, 0.5::float8 AS half, -7::smallint AS small", nil,
			probe.Expect{JSON: map[string]any{"$[0].n": 3, "$[0].big": uint64(9007199254740993), "$[0].exact": map[string]any{"matches": `^1\.10$`}, "$[0].half": 0.5, "$[0].small": -7}},
			"",
		},
		"what is no number":  {"SELECT 'NaN'::float8 AS nan, 'infinity'::timestamptz AS never", nil, row(map[string]any{"nan": "NaN", "never": "infinity"}), ""},
		"texts":              {"SELECT 'ä' AS t, NULL::text AS nothing, true AS yes, false AS no, 'x'::char(3) AS c", nil, row(map[string]any{"t": "ä", "nothing": nil, "yes": true, "no": false, "c": "x  "}), ""},
		"times":              {"SELECT '2026-01-02 03:04:05.25+02'::timestamptz AS a, '2026-01-02 03:04:05'::timestamp AS b, '2026-01-02'::date AS c", nil, row(map[string]any{"a": "2026-01-02T01:04:05.25Z", "b": "2026-01-02T03:04:05", "c": "2026-01-02"}), ""},
		"others":             {`SELECT '\xdead'::bytea AS b, '0a7c1e6e-0000-4000-8000-000000000001'::uuid AS u, '{"a": [1, 12345678901234567890]}'::jsonb AS j, '{1,2}'::int[] AS l`, nil, row(map[string]any{"b": "dead", "u": "0a7c1e6e-0000-4000-8000-000000000001", "j": map[string]any{"a": []any{1, uint64(12345678901234567890)}}, "l": "{1,2}"}), ""},
		"several rows":       {"SELECT n FROM generate_series(1, 3) AS n", nil, probe.Expect{JSON: map[string]any{"$": map[string]any{"length": 3}, "$[2].n": 3}}, ""},
		"parameters":         {"SELECT $1::int + $2 AS n, $3::text AS t, $4::bool AS b, $5::int AS nothing", []any{uint64(2), "{{.seq}}", "it's {{.seq}}", true, nil}, probe.Expect{JSON: map[string]any{"$[0].n": map[string]any{"gte": 2}, "$[0].t": map[string]any{"matches": "^it's [0-9]+$"}, "$[0].b": true, "$[0].nothing": nil}}, ""},
		"no statement in it": {"SELECT $1::text AS t", []any{"'; DROP TABLE orders; --"}, row(map[string]any{"t": "'; DROP TABLE orders; --"}), ""},
		"another value":      {"SELECT 3 AS n", nil, probe.Expect{JSON: map[string]any{"$[0].n": 4}}, "s: $[0].n is not the expected value"},
		"no row":             {"SELECT 1 WHERE false", nil, probe.Expect{}, "s: status NOT_FOUND"},
		"no row, expected":   {"SELECT 1 WHERE false", nil, probe.Expect{Status: probe.Statuses{"NOT_FOUND"}}, ""},
		"affected":           {"UPDATE orders SET amount = 1 WHERE false", nil, probe.Expect{JSON: map[string]any{"$.affected": 0}}, ""},
		"inserted":           {"INSERT INTO orders (item, amount) VALUES ($1, 1)", []any{"in-{{.seq}}"}, probe.Expect{JSON: map[string]any{"$.affected": 1}}, ""},
		"two statements":     {"SELECT 1; SELECT 2", nil, probe.Expect{}, "s: sql: 42601 syntax_error"},
		"no such table":      {"SELECT * FROM nothing", nil, probe.Expect{}, "s: sql: 42P01 undefined_table"},
		"not null":           {"INSERT INTO orders (item) VALUES ('x')", nil, probe.Expect{}, "s: sql: 23502 not_null_violation"},
		"read only":          {"SET TRANSACTION READ WRITE", nil, probe.Expect{}, ""},
		"by its class":       {"SELECT 1/0", nil, probe.Expect{}, "s: sql: 22012 data_exception"},
		"a missing value":    {"SELECT $1::int", nil, probe.Expect{}, "s: sql: 08P01 protocol_violation"},
		"a large row":        {"SELECT repeat('x', 5000000) AS t", nil, probe.Expect{}, ""},
		"and looked at":      {"SELECT repeat('x', 5000000) AS t", nil, probe.Expect{JSON: map[string]any{"$[0].t": "x"}}, "s: the response is larger than the 4 MiB that expect, capture and acknowledges can check"},
		"too much":           {"SELECT repeat('x', 1000000) AS t FROM generate_series(1, 70)", nil, probe.Expect{}, "s: the response is larger than 64 MiB"},
	})
	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		v := first(t, load(300*time.Millisecond, probe.Step{Name: "s", SQL: &probe.SQL{URL: at, Statement: "SELECT pg_sleep(60)"}}))
		if v.Sample.Error != "s: timeout" || v.Sample.Latency > 2*time.Second {
			t.Errorf("%+v", v.Sample)
		}
	})
	t.Run("acknowledged writes", func(t *testing.T) {
		t.Parallel()
		acknowledged(t, at, "INSERT INTO orders (item, amount) VALUES ($1, 3) RETURNING id", "$[0].id", "SELECT item FROM orders WHERE id = $1")
	})
	t.Run("a role", func(t *testing.T) {
		t.Parallel()
		for standby, want := range map[bool]string{false: "", true: "$[0].standby is not the expected value (found false)"} {
			role := scenario.Role{SQL: &scenario.RoleSQL{
				SQL:    probe.SQL{URL: at, Statement: "SELECT pg_is_in_recovery() AS standby"},
				Expect: probe.Expect{JSON: map[string]any{"$[0].standby": standby}},
			}}
			found := ""
			if err := role.Target(steps.All(), nil).Ask(t.Context(), netip.MustParseAddr("127.0.0.1")); err != nil {
				found = err.Error()
			}
			if found != want {
				t.Errorf("%q, expected %q", found, want)
			}
		}
	})
	t.Run("no such database", func(t *testing.T) {
		t.Parallel()
		v := first(t, load(patience, probe.Step{Name: "s", SQL: &probe.SQL{URL: strings.Replace(at, "/steps", "/other", 1), Statement: "SELECT 1"}}))
		if v.Sample.Error != "s: sql: 3D000 invalid_catalog_name" {
			t.Errorf("%+v", v.Sample)
		}
	})
}

// acknowledged lets a user write an order, and looks it up.
func acknowledged(t *testing.T, at, insert, id, look string) {
	t.Helper()
	write := probe.Step{Name: "write", SQL: &probe.SQL{URL: at, Statement: insert, Parameters: []any{"order-{{uuid}}"}}, Acknowledges: id, Capture: map[string]probe.Capture{"id": {JSON: id}}}
	confirm := probe.Step{Name: "look", SQL: &probe.SQL{URL: at, Statement: look, Parameters: []any{"{{.id}}"}}}
	v := several(t, load(patience, write, confirm), 1)[0]
	if v.Sample.Error != "" || v.Ack == nil {
		t.Fatalf("%+v %+v", v.Sample, v.Ack)
	}
	if found := presence(t, v.Ack.ID, confirm); found != probe.Present {
		t.Errorf("%s: %s", v.Ack.ID, found)
	}
	if found := presence(t, "987654321", confirm); found != probe.Absent {
		t.Errorf("another: %s", found)
	}
	confirm.Expect.JSON = map[string]any{"$[0].item": "other"}
	if found := presence(t, v.Ack.ID, confirm); found != probe.Absent {
		t.Errorf("another content: %s", found)
	}
	confirm.SQL.Statement = "SELECT nothing FROM nowhere"
	confirm.SQL.Parameters = nil
	if found := presence(t, v.Ack.ID, confirm); found != probe.Unconfirmed {
		t.Errorf("an error: %s", found)
	}
}

// stops lets users ask while a server is killed and started again: they are bad while it is
// down, of known classes, and good after it, without one that is void.
func stops(t *testing.T, step probe.Step, stop, start func(), known ...string) {
	t.Helper()
	l := load(time.Second, step)
	l.Rate.Users = 20
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	visits := make(chan probe.Visit, 10_000)
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx, func(v probe.Visit) { visits <- v }) }()
	waitFor := func(good bool) {
		for n := 0; n < 5; {
			v := <-visits
			if n++; v.Sample.Failed() == good {
				n = 0
			}
			cause, _ := strings.CutPrefix(v.Sample.Error, "s: ")
			if v.Sample.Void || v.Sample.Failed() && !slices.Contains(known, cause) {
				t.Fatalf("%+v", v.Sample)
			}
		}
	}
	waitFor(true)
	stop()
	waitFor(false)
	start()
	waitFor(true)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestPostgreSQLIsKilled(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	step := probe.Step{Name: "s", SQL: &probe.SQL{URL: server.URL, Statement: "SELECT 1 AS n"}}
	stops(t, step, server.Stop, server.Start, "dial: connection refused", "connection closed", "read: connection reset by peer", "write: broken pipe", "timeout", "sql: 57P03 cannot_connect_now")
}

func TestMySQL(t *testing.T) {
	t.Parallel()
	server := mysqltest.New(t)
	at := server.URL
	setup(t, at, "CREATE TABLE IF NOT EXISTS orders (id bigint AUTO_INCREMENT PRIMARY KEY, item varchar(100) UNIQUE, amount int NOT NULL, at timestamp DEFAULT now())")
	runSQL(t, at, map[string]sqlCase{
		"numbers": {
			"SELECT 3 AS n, 9007199254740993 AS big, 1.10 AS exact, 0.5e0 AS half, 18446744073709551615 AS most", nil,
			probe.Expect{JSON: map[string]any{"$[0].n": 3, "$[0].big": uint64(9007199254740993), "$[0].exact": map[string]any{"matches": `^1\.10$`}, "$[0].half": 0.5, "$[0].most": map[string]any{"matches": "^18446744073709551615$"}}},
			"",
		},
		"texts":                 {"SELECT 'ä' AS t, NULL AS nothing, 'x' AS c", nil, row(map[string]any{"t": "ä", "nothing": nil, "c": "x"}), ""},
		"times":                 {"SELECT FROM_UNIXTIME(0) AS a, TIMESTAMP '2026-01-02 03:04:05' AS b, DATE '2026-01-02' AS c", nil, row(map[string]any{"a": "1970-01-01T00:00:00", "b": "2026-01-02T03:04:05", "c": "2026-01-02"}), ""},
		"bytes":                 {"SELECT X'DEAD' AS b", nil, row(map[string]any{"b": "dead"}), ""},
		"parameters":            {"SELECT ? + 1 AS n, ? AS t, ? AS nothing", []any{uint64(2), "it's {{.seq}}", nil}, probe.Expect{JSON: map[string]any{"$[0].n": 3, "$[0].t": map[string]any{"matches": "^it's [0-9]+$"}, "$[0].nothing": nil}}, ""},
		"a question":            {"SELECT 'why?' AS q, ? AS n", []any{uint64(7)}, row(map[string]any{"q": "why?", "n": 7}), ""},
		"no statement in it":    {"SELECT ? AS t", []any{"'; DROP TABLE orders; --"}, row(map[string]any{"t": "'; DROP TABLE orders; --"}), ""},
		"no row":                {"SELECT 1 FROM orders WHERE false", nil, probe.Expect{}, "s: status NOT_FOUND"},
		"affected":              {"UPDATE orders SET amount = 1 WHERE false", nil, probe.Expect{JSON: map[string]any{"$.affected": 0}}, ""},
		"inserted":              {"INSERT INTO orders (item, amount) VALUES (?, 1)", []any{"in-{{.seq}}"}, probe.Expect{JSON: map[string]any{"$.affected": 1, "$.last_insert_id": map[string]any{"gte": 1}}}, ""},
		"two statements":        {"SELECT 1; SELECT 2", nil, probe.Expect{}, "s: sql: 1064 ER_PARSE_ERROR"},
		"no such table":         {"SELECT * FROM nothing", nil, probe.Expect{}, "s: sql: 1146 ER_NO_SUCH_TABLE"},
		"too few":               {"SELECT ?, ?", []any{uint64(1)}, probe.Expect{}, "s: sql: the statement has 2 parameters, and parameters: has 1"},
		"a large row":           {"SELECT repeat('x', 5000000) AS t", nil, probe.Expect{}, ""},
		"an exact id, prepared": {"SELECT '?' AS q, CAST(9007199254740993 AS SIGNED) AS id WHERE ? = 1", []any{uint64(1)}, probe.Expect{JSON: map[string]any{"$[0].id": map[string]any{"matches": "^9007199254740993$"}}}, ""},
	})
	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		v := first(t, load(300*time.Millisecond, probe.Step{Name: "s", SQL: &probe.SQL{URL: at, Statement: "SELECT SLEEP(60)"}}))
		if v.Sample.Error != "s: timeout" || v.Sample.Latency > 2*time.Second {
			t.Errorf("%+v", v.Sample)
		}
	})
	t.Run("acknowledged writes", func(t *testing.T) {
		t.Parallel()
		acknowledged(t, at, "INSERT INTO orders (item, amount) VALUES (?, 3) RETURNING id", "$[0].id", "SELECT item FROM orders WHERE id = ?")
	})
	t.Run("acknowledged by the last id", func(t *testing.T) {
		t.Parallel()
		acknowledged(t, at, "INSERT INTO orders (item, amount) VALUES (?, 3)", "$.last_insert_id", "SELECT item FROM orders WHERE id = ?")
	})
	t.Run("a wrong password", func(t *testing.T) {
		t.Parallel()
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.User(u.User.Username())
		v := first(t, load(patience, probe.Step{Name: "s", SQL: &probe.SQL{URL: u.String(), Password: "wrong", Statement: "SELECT 1"}}))
		if v.Sample.Error != "s: sql: 1045 ER_ACCESS_DENIED_ERROR" {
			t.Errorf("%+v", v.Sample)
		}
	})
}

func TestMySQLIsKilled(t *testing.T) {
	t.Parallel()
	server := mysqltest.New(t)
	step := probe.Step{Name: "s", SQL: &probe.SQL{URL: server.URL, Statement: "SELECT 1 AS n"}}
	stops(t, step, func() { server.Stop(t) }, server.Start, "dial: connection refused", "connection closed", "read: connection reset by peer", "write: broken pipe", "timeout")
}
