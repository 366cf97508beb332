package steps

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// mySQL opens sessions with a MySQL or MariaDB server.
func mySQL(u *url.URL, o probe.Opening) (func(ctx context.Context, d *dialing) (database, error), error) {
	c := mysql.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.Net, c.DBName = "tcp", strings.TrimPrefix(u.Path, "/")
	c.Addr = u.Host
	if u.Port() == "" {
		c.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	c.Logger = &mysql.NopLogger{}
	c.Timeout = 0 // ctx bounds it
	c.InterpolateParams = true
	c.Params = map[string]string{"time_zone": "'+00:00'"} // of what TIMESTAMP columns are read in
	for key, values := range u.Query() {
		if key != "tls" {
			return nil, fmt.Errorf("sql.url: found %s=, expected only tls=", key)
		}
		if err := mySQLTLS(c, values[0], u.Hostname(), o); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, d *dialing) (database, error) {
		own := c.Clone()
		own.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			return d.do(ctx, network, address)
		}
		connector, err := mysql.NewConnector(own)
		if err != nil {
			return nil, err
		}
		session, err := connector.Connect(ctx)
		if err != nil {
			return nil, mySQLError(err)
		}
		return mySQLSession{session}, nil
	}, nil
}

// mySQLTLS sets how TLS is used.
func mySQLTLS(c *mysql.Config, how, host string, o probe.Opening) error {
	config, err := o.TLS(host)
	if err != nil {
		return err
	}
	switch how {
	case "false":
		return nil
	case "true":
	case "preferred":
		c.AllowFallbackToPlaintext, config.InsecureSkipVerify = true, true
	case "skip-verify":
		config.InsecureSkipVerify = true
	default:
		return fmt.Errorf("sql.url: found tls=%s, expected false, true, preferred or skip-verify", how)
	}
	c.TLS = config
	return nil
}

// mySQLSession is a session with a MySQL server.
type mySQLSession struct{ driver.Conn }

var _ database = mySQLSession{}

// usable implements [session].
func (s mySQLSession) usable() bool {
	v, ok := s.Conn.(driver.Validator)
	return !ok || v.IsValid()
}

// returns matches statements that return rows.
var returns = regexp.MustCompile(`(?is)^[\s(]*(select|show|with|values|table|explain|desc|describe|call|check|analyze)\b|\breturning\b`)

// run implements [database]. Parameters become part of the statement, which the driver
// escapes: that is one round trip. A statement with more question marks than parameters
// (in a text) is prepared.
func (s mySQLSession) run(ctx context.Context, statement string, parameters []any) (found result, err error) {
	c := mySQLCall{statement, make([]driver.NamedValue, len(parameters)), returns.MatchString(statement)}
	for i, p := range parameters {
		c.args[i] = driver.NamedValue{Ordinal: i + 1, Value: mySQLParameter(p)}
	}
	found, err = c.perform(ctx, s.Conn)
	if errors.Is(err, driver.ErrSkip) {
		found, err = c.prepared(ctx, s.Conn)
	}
	return found, mySQLError(err)
}

// mySQLParameter is a parameter of a type that the driver knows.
func mySQLParameter(p any) driver.Value {
	switch p.(type) {
	case nil, string, bool, float64:
		return p
	}
	if n, err := strconv.ParseInt(written(p), 10, 64); err == nil {
		return n
	}
	return written(p)
}

// mySQLCall is a statement with its parameters.
type mySQLCall struct {
	statement string
	args      []driver.NamedValue
	rows      bool // it returns some
}

// perform runs a statement without preparing it.
func (c mySQLCall) perform(ctx context.Context, on driver.Conn) (found result, err error) {
	if c.rows {
		queryer, ok := on.(driver.QueryerContext)
		if !ok {
			return found, driver.ErrSkip
		}
		return mySQLQueried(queryer.QueryContext(ctx, c.statement, c.args))
	}
	execer, ok := on.(driver.ExecerContext)
	if !ok {
		return found, driver.ErrSkip
	}
	return mySQLExecuted(execer.ExecContext(ctx, c.statement, c.args))
}

// prepared prepares a statement and runs it.
func (c mySQLCall) prepared(ctx context.Context, on driver.Conn) (found result, err error) {
	preparer, ok := on.(driver.ConnPrepareContext)
	if !ok {
		return found, driver.ErrSkip
	}
	stmt, err := preparer.PrepareContext(ctx, c.statement)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	if n := stmt.NumInput(); n != len(c.args) {
		return found, refusal{fmt.Sprintf("the statement has %d parameters, and parameters: has %d", n, len(c.args)), ""}
	}
	if c.rows {
		queryer, ok := stmt.(driver.StmtQueryContext)
		if !ok {
			return found, driver.ErrSkip
		}
		return mySQLQueried(queryer.QueryContext(ctx, c.args))
	}
	execer, ok := stmt.(driver.StmtExecContext)
	if !ok {
		return found, driver.ErrSkip
	}
	return mySQLExecuted(execer.ExecContext(ctx, c.args))
}

// mySQLExecuted is the result of a statement without rows.
func mySQLExecuted(done driver.Result, err error) (found result, _ error) {
	if err != nil {
		return found, err
	}
	n, err := done.RowsAffected()
	if err != nil {
		return found, err
	}
	found.affected = map[string]any{"affected": n}
	if id, err := done.LastInsertId(); err == nil && id != 0 {
		found.affected["last_insert_id"] = uint64(id) //nolint:gosec // G115: the driver's int64 is the server's uint64
	}
	return found, nil
}

// mySQLQueried is the result of a statement with rows: all of them.
func mySQLQueried(all driver.Rows, failed error) (found result, err error) {
	if failed != nil {
		return found, failed
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	names := all.Columns()
	kinds := make([]column, len(names))
	if typed, ok := all.(driver.RowsColumnTypeDatabaseTypeName); ok {
		for i := range names {
			kinds[i] = mySQLColumn(typed.ColumnTypeDatabaseTypeName(i))
		}
	}
	values := make([]driver.Value, len(names))
	for {
		if err := all.Next(values); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return found, err
		}
		row, size := make(map[string]any, len(names)), int64(0)
		for i, v := range values {
			text := written(v)
			size += int64(len(text) + len(names[i]))
			row[names[i]] = nil
			if v != nil {
				row[names[i]] = kinds[i].value([]byte(text))
			}
		}
		found.add(row, size)
	}
}

// mySQLColumn is how a column of a type is read.
func mySQLColumn(name string) column {
	name = strings.TrimPrefix(name, "UNSIGNED ")
	switch {
	case slices.Contains([]string{"TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "YEAR"}, name):
		return asNumber
	case name == "JSON":
		return asJSON
	case name == "TIMESTAMP":
		return asTime
	case name == "DATETIME":
		return asLocalTime
	case strings.HasSuffix(name, "BLOB"), strings.HasSuffix(name, "BINARY"), name == "BIT", name == "GEOMETRY":
		return asBytes
	}
	return asText
}

// mySQLError is an error of the server by its number; any other stays as it is.
func mySQLError(err error) error {
	if err == nil {
		return nil
	}
	if server, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return refusal{mySQLNumber(server.Number), server.Message}
	}
	for own, class := range map[error]string{
		mysql.ErrOldPassword: "the server's way of authentication is not supported", mysql.ErrUnknownPlugin: "the server's way of authentication is not supported",
		mysql.ErrNativePassword: "the server's way of authentication is not supported", mysql.ErrCleartextPassword: "the server asks for the password as plain text",
		mysql.ErrPktTooLarge: "the statement is larger than 64 MiB",
	} {
		if errors.Is(err, own) {
			return refusal{class, ""}
		}
	}
	return err
}

// mySQLNumber is the class of an error number.
func mySQLNumber(n uint16) string {
	if name := mySQLNames()[n]; name != "" {
		return fmt.Sprintf("%d %s", n, name)
	}
	return fmt.Sprintf("error %d", n)
}
