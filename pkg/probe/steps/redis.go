package steps

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gomodule/redigo/redis"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// redisProtocol performs commands of Redis.
type redisProtocol struct{}

var _ probe.Protocol = redisProtocol{}

// Open implements [probe.Protocol].
func (redisProtocol) Open(s probe.Step, o probe.Opening) (probe.Action, error) {
	var constants [3]string
	for i, text := range []string{s.Redis.Address, s.Redis.User, s.Redis.Password} {
		var err error
		if constants[i], err = o.Constant(text); err != nil {
			return nil, fmt.Errorf("redis: %w", err)
		}
	}
	address := addressOf(constants[0], probe.RedisPort)
	options := []redis.DialOption{redis.DialUsername(constants[1]), redis.DialPassword(constants[2]), redis.DialDatabase(s.Redis.Database)}
	var secure *tls.Config
	if s.Redis.TLS {
		host, _, _ := net.SplitHostPort(address) // addressOf makes no other
		config, err := o.TLS(host)
		if err != nil {
			return nil, err
		}
		secure = config
	}
	a := &redisAction{pool: &pool[redisSession]{kind: "redis", fresh: o.Fresh, dial: o.Dialer()}}
	a.pool.open = func(ctx context.Context, d *dialing) (redisSession, error) {
		return openRedis(ctx, d, redisServer{address, secure, options})
	}
	for _, text := range s.Redis.Command {
		a.command = append(a.command, o.Templates.Parse(text))
	}
	return a, nil
}

// redisServer is how a session with a server is opened.
type redisServer struct {
	address string
	secure  *tls.Config // nil is without TLS
	options []redis.DialOption
}

// openRedis opens a session. The library authenticates without a context.
func openRedis(ctx context.Context, d *dialing, to redisServer) (redisSession, error) {
	var stop func() bool
	all := append(slices.Clip(to.options), redis.DialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
		inner, err := d.do(ctx, network, address)
		if err != nil {
			return nil, err
		}
		stop = context.AfterFunc(ctx, func() { _ = inner.Close() })
		if to.secure == nil {
			return &guarded{Conn: inner, failed: inner.failed}, nil
		}
		secure := tls.Client(inner, to.secure)
		return &guarded{Conn: secure, failed: inner.failed}, secure.HandshakeContext(ctx)
	}))
	session, err := redis.DialContext(ctx, "tcp", to.address, all...)
	if stop != nil {
		stop()
	}
	return redisSession{session}, redisError(err)
}

// redisSession is a session with a Redis server.
type redisSession struct{ redis.Conn }

var _ session = redisSession{}

// usable implements [session].
func (s redisSession) usable() bool { return s.Err() == nil }

// redisAction is a command that is ready to be sent.
type redisAction struct {
	pool    *pool[redisSession]
	command []*probe.Template
}

// Do implements [probe.Action].
func (a *redisAction) Do(ctx context.Context, u *probe.User) (got probe.Answer, err error) {
	words, sent := make([]any, len(a.command)), 0
	name := ""
	for i, t := range a.command {
		text, err := u.Render(t)
		if err != nil {
			return got, err
		}
		if i == 0 {
			name = text
		}
		words[i] = text
		sent += len(text)
	}
	var reply any
	err = a.pool.use(ctx, func(s redisSession) (err error) {
		reply, err = s.Do(name, words[1:]...)
		return redisError(err)
	})
	if err != nil {
		return probe.Answer{Sent: sent}, err
	}
	value, size, err := redisValue(reply)
	switch {
	case err != nil:
		err = probe.Failure("redis: "+redisClass(err.Error()), err.Error())
	case size > probe.MaxKept:
		got = cut(statusOK, size)
	case value == nil:
		got, err = valued(statusNotFound, nil)
		got.Absent = true
	default:
		got, err = valued(statusOK, value)
	}
	got.Sent = sent
	return got, err
}

// Close implements [probe.Action].
func (a *redisAction) Close() error { return a.pool.Close() }

// redisValue is a reply as JSON has it, with its size in bytes. An error in a list, as a
// script or a transaction returns it, is the error of the step.
func redisValue(reply any) (value any, size int64, err error) {
	switch r := reply.(type) {
	case nil:
		return nil, 0, nil
	case redis.Error:
		return nil, 0, r
	case int64:
		return json.Number(strconv.FormatInt(r, 10)), 8, nil
	case []byte:
		return asText.value(r), int64(len(r)), nil
	case []any:
		list := make([]any, len(r))
		for i, item := range r {
			v, n, err := redisValue(item)
			if err != nil {
				return nil, 0, err
			}
			list[i], size = v, size+n+1
		}
		return list, size, nil
	}
	text := fmt.Sprint(reply)
	return text, int64(len(text)), nil
}

// redisError is an error of the server by its first word; any other stays as it is.
func redisError(err error) error {
	if server, ok := errors.AsType[redis.Error](err); ok {
		return refusal{redisClass(server.Error()), server.Error()}
	}
	return err
}

// classForm is the form of the first word of an error.
var classForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,30}$`)

// redisClass is the first word of an error: MOVED, READONLY.
func redisClass(text string) string {
	if word, _, _ := strings.Cut(text, " "); classForm.MatchString(word) {
		return word
	}
	return "an error without a class"
}
