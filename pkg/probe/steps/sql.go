package steps

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// sqlProtocol performs steps of SQL.
type sqlProtocol struct{}

var _ probe.Protocol = sqlProtocol{}

// database is a session with a server of one kind.
type database interface {
	session
	// run runs one statement. Parameters are text, int64, uint64, float64, bool or nil.
	run(ctx context.Context, statement string, parameters []any) (result, error)
}

// result is what a statement returned.
type result struct {
	rows     []any // mappings by the name of the column
	affected map[string]any
	size     int64 // of the values, in bytes; rows are kept up to probe.MaxKept
}

// add adds a row.
func (r *result) add(row map[string]any, size int64) {
	if r.size += size; r.size <= probe.MaxKept {
		r.rows = append(r.rows, row)
	}
}

// Open implements [probe.Protocol].
func (sqlProtocol) Open(s probe.Step, o probe.Opening) (probe.Action, error) {
	text, err := o.Constant(s.SQL.URL)
	if err != nil {
		return nil, fmt.Errorf("sql.url: %w", err)
	}
	password, err := o.Constant(s.SQL.Password)
	if err != nil {
		return nil, fmt.Errorf("sql.password: %w", err)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, errURL // the error of net/url contains the URL, and with it a password
	}
	if password != "" {
		u.User = url.UserPassword(u.User.Username(), password)
	}
	a := &sqlAction{statement: s.SQL.Statement, pool: &pool[database]{kind: "sql", fresh: o.Fresh, dial: o.Dialer()}}
	for _, p := range s.SQL.Parameters {
		a.parameters = append(a.parameters, probe.NewBuilder(p, o.Templates))
	}
	if strings.HasPrefix(u.Scheme, "postgres") {
		a.pool.open, err = postgres(u, o)
	} else {
		a.pool.open, err = mySQL(u, o)
	}
	return a, err
}

// errURL is the error of a URL that only its variables make invalid.
var errURL = errors.New("sql.url: not a valid URL once its variables are filled in: move the password to the key password")

// sqlAction is a statement that is ready to be run.
type sqlAction struct {
	pool       *pool[database]
	statement  string
	parameters []probe.Builder
}

// Do implements [probe.Action].
func (a *sqlAction) Do(ctx context.Context, u *probe.User) (got probe.Answer, err error) {
	parameters := make([]any, len(a.parameters))
	sent := len(a.statement)
	for i, made := range a.parameters {
		if parameters[i], err = u.Build(made); err != nil {
			return got, err
		}
		sent += len(written(parameters[i]))
	}
	var found result
	err = a.pool.use(ctx, func(db database) (err error) {
		found, err = db.run(ctx, a.statement, parameters)
		return err
	})
	if err == nil {
		got, err = found.answer()
	}
	got.Sent = sent
	return got, err
}

// Close implements [probe.Action].
func (a *sqlAction) Close() error { return a.pool.Close() }

// answer is the answer of a statement.
func (r result) answer() (probe.Answer, error) {
	switch {
	case r.affected != nil:
		return valued(statusOK, r.affected)
	case r.size > probe.MaxKept:
		return cut(statusOK, r.size), nil
	case len(r.rows) == 0:
		got, err := valued(statusNotFound, []any{})
		got.Absent = true
		return got, err
	}
	return valued(statusOK, r.rows)
}
