package shop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
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
type stored struct{ redis *redis.Client }

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
	if text, ok := strings.CutPrefix(where, "sentinel:"); ok {
		name, addresses, _ := strings.Cut(text, "@")
		return stored{redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: name, SentinelAddrs: strings.Split(addresses, ","),
			DialTimeout: redisPatience, ReadTimeout: redisPatience, WriteTimeout: redisPatience,
			MaxRetries: 1, PoolSize: poolSize, MinIdleConns: 1,
		})}, nil
	}
	options, err := redis.ParseURL(where)
	if err != nil {
		return nil, fmt.Errorf("parse the address of the session store: %w", err)
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = redisPatience, redisPatience, redisPatience
	options.MaxRetries, options.PoolSize = 1, poolSize
	return stored{redis.NewClient(options)}, nil
}

func (s stored) open(ctx context.Context, token, user string) error {
	return s.redis.Set(ctx, "session:"+token, user, sessionLife).Err()
}

func (s stored) has(ctx context.Context, token string) (bool, error) {
	err := s.redis.Get(ctx, "session:"+token).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, err
}
