package steps

import (
	"context"
	"encoding/hex"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// postgres opens sessions with a PostgreSQL server. It uses pgconn, the lower layer of pgx:
// a statement is one round trip without a name on the server, so that poolers such as
// PgBouncer can be asked, too, and values stay as the server writes them.
func postgres(u *url.URL, o probe.Opening) (func(ctx context.Context, d *dialing) (database, error), error) {
	query := u.Query()
	if !query.Has("sslmode") {
		query.Set("sslmode", "prefer") // else PGSSLMODE of gameday's machine would count
	}
	named := *u
	named.RawQuery = query.Encode()
	base, err := pgconn.ParseConfig(named.String())
	if err != nil {
		return nil, errors.New("sql.url: not a URL that PostgreSQL's clients understand: compare it with postgres://USER@HOST:5432/DATABASE?sslmode=prefer")
	}
	base.Password, _ = u.User.Password() // else PGPASSWORD and .pgpass would count
	base.RuntimeParams["application_name"] = "gameday"
	base.RuntimeParams["timezone"], base.RuntimeParams["datestyle"] = "UTC", "ISO"
	base.MaxProtocolMessageBodyLen = maxAnswer
	base.OnNotice = nil
	base.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil } // by the dialer
	trusted, err := o.TLS(u.Hostname())
	if err != nil {
		return nil, err
	}
	if base.TLSConfig != nil && base.TLSConfig.RootCAs == nil {
		base.TLSConfig.RootCAs = trusted.RootCAs
	}
	for _, other := range base.Fallbacks {
		if other.TLSConfig != nil && other.TLSConfig.RootCAs == nil {
			other.TLSConfig.RootCAs = trusted.RootCAs
		}
	}
	return func(ctx context.Context, d *dialing) (database, error) {
		c := base.Copy()
		c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			return d.do(ctx, network, address)
		}
		session, err := pgconn.ConnectConfig(ctx, c)
		if err != nil {
			return nil, postgresError(err)
		}
		return postgresSession{session}, nil
	}, nil
}

// postgresSession is a session with a PostgreSQL server.
type postgresSession struct{ *pgconn.PgConn }

var _ database = postgresSession{}

// Close implements [session].
func (s postgresSession) Close() error {
	// The connection is closed, so that neither blocks.
	err := s.PgConn.Close(context.Background()) //nolint:forbidigo // see above
	<-s.CleanupDone()
	return err
}

// usable implements [session]. A transaction that is left open is of its user only.
func (s postgresSession) usable() bool { return !s.IsClosed() && s.TxStatus() == 'I' }

// run implements [database].
func (s postgresSession) run(ctx context.Context, statement string, parameters []any) (found result, err error) {
	values := make([][]byte, len(parameters))
	for i, p := range parameters {
		if p != nil {
			values[i] = []byte(written(p))
		}
	}
	reader := s.ExecParams(ctx, statement, values, nil, nil, nil)
	fields := reader.FieldDescriptions() // known from ExecParams on
	var uneven error
	for reader.NextRow() {
		values := reader.Values()
		if len(values) != len(fields) {
			uneven = errors.New("a row does not have the announced columns")
			continue // read to the end, so that the session stays usable
		}
		row, size := make(map[string]any, len(fields)), int64(0)
		for i, text := range values {
			size += int64(len(text) + len(fields[i].Name))
			row[fields[i].Name] = postgresValue(fields[i].DataTypeOID, text)
		}
		found.add(row, size)
	}
	tag, err := reader.Close()
	if err != nil {
		return found, postgresError(err)
	}
	if uneven != nil {
		return found, uneven
	}
	if len(fields) == 0 {
		found.affected = map[string]any{"affected": tag.RowsAffected()}
	}
	return found, nil
}

// postgresValue is a value in the text format.
func postgresValue(oid uint32, text []byte) any {
	if text == nil {
		return nil
	}
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.NumericOID, pgtype.Float4OID, pgtype.Float8OID:
		return asNumber.value(text)
	case pgtype.BoolOID:
		return asBool.value(text)
	case pgtype.JSONOID, pgtype.JSONBOID:
		return asJSON.value(text)
	case pgtype.TimestamptzOID:
		return asTime.value(text)
	case pgtype.TimestampOID:
		return asLocalTime.value(text)
	case pgtype.ByteaOID:
		if data, err := hex.DecodeString(strings.TrimPrefix(string(text), `\x`)); err == nil {
			return asBytes.value(data)
		}
	}
	return asText.value(text)
}

// postgresError is an error of the server by its SQLSTATE; any other stays as it is.
func postgresError(err error) error {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refusal{sqlState(server.Code), server.Message}
	}
	return err
}
