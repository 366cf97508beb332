package probe_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// problemsOf are the problems of a journey with one step.
func problemsOf(s probe.Step) string {
	var all []string
	probe.Journey{Steps: []probe.Step{s}}.Check(func(_, format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) })
	return strings.Join(all, "\n")
}

func TestRequestsThatAreNotHTTP(t *testing.T) {
	t.Parallel()
	sql := func(change func(q *probe.SQL)) probe.Step {
		q := &probe.SQL{URL: "postgres://shop@db/shop", Statement: "SELECT 1"}
		change(q)
		return probe.Step{SQL: q}
	}
	redis := func(change func(r *probe.Redis)) probe.Step {
		r := &probe.Redis{Address: "cache", Command: []string{"GET", "k-{{.seq}}"}}
		change(r)
		return probe.Step{Redis: r}
	}
	for name, c := range map[string]struct {
		step probe.Step
		want string // "" if it is good
	}{
		"sql":                       {sql(func(*probe.SQL) {}), ""},
		"a password of a variable":  {sql(func(q *probe.SQL) { q.URL = `mysql://shop:{{env "DB_PASSWORD"}}@db:3307/shop?tls=true` }), ""},
		"a URL of a user":           {sql(func(q *probe.SQL) { q.URL = "postgres://shop@db-{{.seq}}/shop" }), "{{.seq}}, but this is the same for all users"},
		"a password of a user":      {sql(func(q *probe.SQL) { q.Password = "{{.seq}}" }), "sql.password: found {{.seq}}"},
		"two passwords":             {sql(func(q *probe.SQL) { q.URL, q.Password = "postgres://shop:a@db/shop", "b" }), "remove one"},
		"another scheme":            {sql(func(q *probe.SQL) { q.URL = "oracle://shop@db/shop" }), `found the scheme "oracle"`},
		"no user":                   {sql(func(q *probe.SQL) { q.URL = "postgres://db/shop" }), "found no user, expected postgres://USER@HOST:5432/DATABASE"},
		"no database":               {sql(func(q *probe.SQL) { q.URL = "mysql://shop@db" }), "found no database"},
		"no host":                   {sql(func(q *probe.SQL) { q.URL = "mysql://shop@/shop" }), "found no host"},
		"no URL":                    {sql(func(q *probe.SQL) { q.URL = "postgres://shop:%zz@db/shop" }), "expected a URL such as"},
		"no statement":              {sql(func(q *probe.SQL) { q.Statement = " " }), "sql.statement: found none"},
		"a statement of a template": {sql(func(q *probe.SQL) { q.Statement = "SELECT '{{.seq}}'" }), "put the value into parameters:"},
		"a list for a parameter":    {sql(func(q *probe.SQL) { q.Parameters = []any{[]any{1}} }), "sql.parameters[0]: found a list"},
		"an unknown value":          {sql(func(q *probe.SQL) { q.Parameters = []any{"{{.order}}"} }), "{{.order}} is unknown"},
		"redis":                     {redis(func(*probe.Redis) {}), ""},
		"an address of a user":      {redis(func(r *probe.Redis) { r.Address = "cache-{{.seq}}" }), "redis.address: found {{.seq}}"},
		"no address":                {redis(func(r *probe.Redis) { r.Address = "redis://cache" }), "expected HOST:PORT"},
		"no command":                {redis(func(r *probe.Redis) { r.Command = nil }), "redis.command: found none"},
		"a subscription":            {redis(func(r *probe.Redis) { r.Command = []string{"subscribe", "x"} }), "found SUBSCRIBE"},
		"a user alone":              {redis(func(r *probe.Redis) { r.User = "u" }), "add password:"},
		"dns":                       {probe.Step{DNS: &probe.DNS{Name: "shop.example", Server: "192.0.2.53"}}, ""},
		"no name":                   {probe.Step{DNS: &probe.DNS{Name: "shop..example", Server: "192.0.2.53"}}, "dns.name: found"},
		"no server":                 {probe.Step{DNS: &probe.DNS{Name: "shop.example"}}, "dns.server: found"},
		"exec":                      {probe.Step{Exec: &probe.Exec{Command: []string{"true", "{{.seq}}"}}}, ""},
		"no program":                {probe.Step{Exec: &probe.Exec{}}, "exec.command: found none"},
		"a program of a user":       {probe.Step{Exec: &probe.Exec{Command: []string{"p-{{.seq}}"}}}, "the program is the same for all users"},
		"a variable with a space":   {probe.Step{Exec: &probe.Exec{Command: []string{"true"}, Environment: map[string]string{"A B": ""}}}, `"A B"`},
		"two requests":              {probe.Step{Get: "/", DNS: &probe.DNS{Name: "shop.example", Server: "192.0.2.53"}}, "found 2 requests"},
		"headers of HTTP":           {probe.Step{Exec: &probe.Exec{Command: []string{"true"}}, Headers: map[string]string{"a": "b"}}, "only a request of HTTP has it"},
	} {
		if found := problemsOf(c.step); (found == "") != (c.want == "") || !strings.Contains(found, c.want) {
			t.Errorf("%s: %q, expected %q", name, found, c.want)
		}
	}
}

// The examples of the documentation are steps.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, example := range []string{probe.SQL{}.Example(), probe.Redis{}.Example(), probe.DNS{}.Example(), probe.Exec{}.Example()} {
		doc := strictyaml.Parse("example.yaml", []byte(example))
		var s probe.Step
		doc.Decode(&s)
		if err := doc.Problems.Err(); err != nil || problemsOf(s) != "" || s.Title() != s.Name {
			t.Errorf("%s\n%v\n%s", example, err, problemsOf(s))
		}
	}
}

func TestTitles(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]probe.Step{
		"sql SELECT 1 FROM x":         {SQL: &probe.SQL{Statement: "SELECT 1\n  FROM x"}},
		"redis SET k-{{.seq}}":        {Redis: &probe.Redis{Command: []string{"SET", "k-{{.seq}}", "secret"}}},
		"dns A shop.example":          {DNS: &probe.DNS{Name: "shop.example"}},
		"exec kcat -P":                {Exec: &probe.Exec{Command: []string{"kcat", "-P"}}},
		"exec " + long(54, "x") + "…": {Exec: &probe.Exec{Command: []string{long(100, "x")}}},
	} {
		if s.Title() != want {
			t.Errorf("%q, expected %q", s.Title(), want)
		}
	}
}

func long(n int, text string) string { return strings.Repeat(text, n) }

// The same request for another server: that of a component.
func TestAtAnotherHost(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://u:p@/d?sslmode=disable": "postgres://u:p@10.0.0.1:5432/d?sslmode=disable",
		"mysql://u@db:3307/d":               "mysql://u@10.0.0.1:3307/d",
	} {
		if found := (probe.SQL{URL: url}).At("10.0.0.1", 0).URL; found != want {
			t.Errorf("%s, expected %s", found, want)
		}
	}
	if found := (probe.SQL{URL: "mysql://u@/d"}).At("::1", 99).URL; found != "mysql://u@[::1]:99/d" {
		t.Error(found)
	}
	if found := (probe.Redis{}).At("::1", 0).Address; found != "[::1]:6379" {
		t.Error(found)
	}
}
