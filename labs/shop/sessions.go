package shop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// sessions keeps who is logged in.
type sessions interface {
	open(ctx context.Context, token, user string) error
	// has tells whether a token's session is open. It is an error only where that
	// cannot be told.
	has(ctx context.Context, token string) (bool, error)
}

// signed needs no store: a token that is signed is good.
type signed struct{}

func (signed) open(context.Context, string, string) error { return nil }
func (signed) has(context.Context, string) (bool, error)  { return true, nil }

// stored keeps sessions in Redis.
type stored struct{ redis *redis.Client }

// sessionLife is how long a session lasts.
const sessionLife = 10 * time.Minute

// redisPatience bounds connecting to Redis, and each answer of it.
const redisPatience = 300 * time.Millisecond

// newSessions reads where sessions are kept: nowhere, in the one Redis of
// redis://HOST:PORT, or in that of a name that Sentinels know: sentinel:NAME@HOST:PORT,HOST:PORT.
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
		return nil, fmt.Errorf("read where sessions are kept: %w", err)
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
