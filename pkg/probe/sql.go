package probe

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// SQL is one statement for a PostgreSQL, MySQL or MariaDB server.
type SQL struct {
	URL        string `yaml:"url" jsonschema:"required" jsonschema_description:"The database: postgres://USER@HOST:5432/DATABASE or mysql://USER@HOST:3306/DATABASE (MariaDB, too). It is the same for all users, but may contain {{env \"NAME\"}}. PostgreSQL takes sslmode= as in libpq (default: prefer), MySQL takes tls=false, true, preferred or skip-verify (default: false)."`
	Password   string `yaml:"password,omitempty" jsonschema_description:"The password, if it is not in the URL, where it would have to be escaped: {{env \"DB_PASSWORD\"}}. It is the same for all users."`
	Statement  string `yaml:"statement" jsonschema:"required" jsonschema_description:"One statement, with $1, $2 (PostgreSQL) or ? (MySQL) for the parameters. It is no template. The response is a list of rows as JSON ($[0].id); of a statement without rows, it is a mapping: $.affected, and for MySQL $.last_insert_id. No row is the status NOT_FOUND, which is a failure unless expect.status contains it."`
	Parameters []any  `yaml:"parameters,omitempty" jsonschema_description:"The values of the parameters, in order. Texts are templates."`
}

var _ Request = (*SQL)(nil)

// sqlPorts are the schemes of URLs, with their usual ports.
func sqlPorts() map[string]int {
	return map[string]int{"postgres": 5432, "postgresql": 5432, "mysql": 3306, "mariadb": 3306}
}

// Title implements [Request].
func (q *SQL) Title() string { return short("sql " + q.Statement) }

// Check implements [Request].
func (q *SQL) Check(problem func(key, format string, args ...any)) {
	if err := q.checkURL(); err != nil {
		problem("url", "%v", err)
	}
	for key, text := range map[string]string{"url": q.URL, "password": q.Password} {
		if err := checkConstant(text); err != nil {
			problem(key, "%v", err)
		}
	}
	switch {
	case strings.TrimSpace(q.Statement) == "":
		problem("statement", "found none, expected a statement such as SELECT 1")
	case isTemplate(q.Statement):
		problem("statement", "found {{…}}, which would become part of the statement: write $1 (PostgreSQL) or ? (MySQL), and put the value into parameters:")
	}
	for i, p := range q.Parameters {
		switch p.(type) {
		case []any, map[string]any:
			problem(fmt.Sprintf("parameters[%d]", i), "found a list or a mapping, expected a text, a number, true, false or null")
		}
	}
}

func (q *SQL) checkURL() error {
	u, err := url.Parse(withoutTemplates(q.URL))
	if err != nil {
		return errors.New("expected a URL such as postgres://shop@db:5432/shop, with %25 for % and so on; move a password with such characters to the key password")
	}
	switch port := sqlPorts()[u.Scheme]; {
	case port == 0:
		return fmt.Errorf("found the scheme %q, expected postgres or mysql", u.Scheme)
	case u.User.Username() == "":
		return fmt.Errorf("found no user, expected %s://USER@HOST:%d/DATABASE", u.Scheme, port)
	case u.Hostname() == "":
		return fmt.Errorf("found no host, expected %s://USER@HOST:%d/DATABASE", u.Scheme, port)
	case !strings.HasPrefix(u.Path, "/") || len(u.Path) < 2:
		return fmt.Errorf("found no database, expected %s://USER@HOST:%d/DATABASE", u.Scheme, port)
	case q.Password != "" && hasPassword(u):
		return errors.New("found a password in the URL, and password: remove one")
	}
	return nil
}

// HasHost reports whether the URL names a host.
func (q *SQL) HasHost() bool {
	u, err := url.Parse(withoutTemplates(q.URL))
	return err == nil && u.Hostname() != ""
}

func hasPassword(u *url.URL) bool {
	_, has := u.User.Password()
	return has
}

// At is the same statement for the server at another host; 0 is the port of the URL, or
// the usual one.
func (q SQL) At(host string, port int) SQL {
	u, err := url.Parse(q.URL)
	if err != nil {
		return q // reported by Check
	}
	if n, err := strconv.Atoi(u.Port()); port == 0 && err == nil {
		port = n
	}
	if port == 0 {
		port = sqlPorts()[u.Scheme]
	}
	u.Host = net.JoinHostPort(host, strconv.Itoa(port))
	q.URL = u.String()
	return q
}

// Texts implements [Request].
func (q *SQL) Texts() map[string]string {
	texts := map[string]string{"url": q.URL, "password": q.Password}
	eachText(slices.Clone(q.Parameters), "parameters", func(key, text string) { texts[key] = text })
	return texts
}

// Example is a step of this kind.
func (SQL) Example() string {
	return `name: order
sql:
  url: postgres://shop@db:5432/shop
  password: '{{env "DB_PASSWORD"}}'
  statement: INSERT INTO orders (item, amount) VALUES ($1, $2) RETURNING id
  parameters: ["item-{{.seq}}", 3]
expect: {json: {"$[0].id": exists}}
acknowledges: $[0].id
`
}
