package shop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
)

// sessions stores the sessions of logged-in users.
type sessions interface {
	open(ctx context.Context, token, user string) error
	// has reports whether a token's session is open. It returns an error if the store
	// cannot be reached.
	has(ctx context.Context, token string) (bool, error)
}

// signed needs no store: every signed token is valid.
type signed struct{}

func (signed) open(context.Context, string, string) error { return nil }
func (signed) has(context.Context, string) (bool, error)  { return true, nil }

// stored stores sessions in Redis.
type stored struct{ pool *redis.Pool }

// sessionLife is the lifetime of a session.
const sessionLife = 10 * time.Minute

// redisPatience is the timeout of a connection attempt and of a request to Redis.
const redisPatience = 300 * time.Millisecond

// newSessions opens the store of sessions: "" for none, redis://HOST:PORT for one Redis,
// or sentinel:NAME@HOST:PORT,HOST:PORT for a Redis that Sentinels watch.
func newSessions(where string) (sessions, error) {
	if where == "" {
		return signed{}, nil
	}
	dial := func(ctx context.Context) (redis.Conn, error) {
		return redis.DialURLContext(ctx, where, patient()...)
	}
	if text, ok := strings.CutPrefix(where, "sentinel:"); ok {
		name, addresses, ok := strings.Cut(text, "@")
		if !ok {
			return nil, fmt.Errorf("parse the address of the session store: found %q, expected sentinel:NAME@HOST:PORT,HOST:PORT", where)
		}
		dial = func(ctx context.Context) (redis.Conn, error) {
			return primary(ctx, name, strings.Split(addresses, ","))
		}
	} else if !strings.HasPrefix(where, "redis://") {
		return nil, fmt.Errorf("parse the address of the session store: found %q, expected redis://HOST:PORT", where)
	}
	return stored{&redis.Pool{DialContext: dial, MaxIdle: poolSize, MaxActive: poolSize, Wait: true}}, nil
}

func patient() []redis.DialOption {
	return []redis.DialOption{
		redis.DialConnectTimeout(redisPatience), redis.DialReadTimeout(redisPatience), redis.DialWriteTimeout(redisPatience),
	}
}

// primary connects to the Redis that Sentinels name as the primary. The first answer
// counts; a Redis that has just been demoted, or not yet promoted, is refused. See
// https://redis.io/docs/latest/develop/reference/sentinel-clients/.
func primary(ctx context.Context, name string, sentinels []string) (redis.Conn, error) {
	var errs []error
	for _, address := range sentinels {
		at, err := ask(ctx, address, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("sentinel %s: %w", address, err))
			continue
		}
		conn, err := redis.DialContext(ctx, "tcp", at, patient()...)
		if err != nil {
			return nil, err
		}
		role, err := redis.Values(redis.DoContext(conn, ctx, "ROLE"))
		if err == nil && (len(role) == 0 || fmt.Sprintf("%s", role[0]) != "master") {
			err = fmt.Errorf("%s is not the primary", at)
		}
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return conn, nil
	}
	return nil, errors.Join(errs...)
}

// ask asks a Sentinel for the address of the primary.
func ask(ctx context.Context, sentinel, name string) (string, error) {
	conn, err := redis.DialContext(ctx, "tcp", sentinel, patient()...)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	at, err := redis.Strings(redis.DoContext(conn, ctx, "SENTINEL", "get-master-addr-by-name", name))
	if err != nil {
		return "", err
	}
	if len(at) != 2 {
		return "", fmt.Errorf("found the address %q, expected a host and a port", at)
	}
	return net.JoinHostPort(at[0], at[1]), nil
}

func (s stored) open(ctx context.Context, token, user string) error {
	_, err := s.do(ctx, "SET", "session:"+token, user, "EX", int(sessionLife.Seconds()))
	return err
}

func (s stored) has(ctx context.Context, token string) (bool, error) {
	_, err := redis.String(s.do(ctx, "GET", "session:"+token))
	if errors.Is(err, redis.ErrNil) {
		return false, nil
	}
	return err == nil, err
}

// do sends a command, and once more on another connection if it failed: the first one may
// be a connection to a Redis that is gone.
func (s stored) do(ctx context.Context, command string, args ...any) (reply any, err error) {
	for range 2 {
		if reply, err = s.once(ctx, command, args...); err == nil || ctx.Err() != nil {
			return reply, err
		}
	}
	return nil, err
}

func (s stored) once(ctx context.Context, command string, args ...any) (reply any, err error) {
	conn, err := s.pool.GetContext(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close() // into the pool, or for good if it is broken
	return redis.DoContext(conn, ctx, command, args...)
}
