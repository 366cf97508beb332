package shop

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gomodule/redigo/redis"
)

// fakeRedis answers commands, such as "GET session:a", until the test ends. An answer is as
// Redis writes it; without one, the connection is closed.
func fakeRedis(t *testing.T, answer func(command string) string) (address string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for in := redis.NewConn(conn, 0, 0); ; {
					words, err := redis.Strings(in.Receive())
					said := answer(strings.Join(words, " "))
					if err != nil || said == "" {
						return
					}
					fmt.Fprint(conn, said)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

const ok = "+OK\r\n"

func TestSessionsInRedis(t *testing.T) {
	t.Parallel()
	var commands, broken atomic.Int32
	address := fakeRedis(t, func(command string) string {
		commands.Add(1)
		switch {
		case broken.Add(-1) >= 0:
			return "" // a connection to a Redis that is gone
		case command == "SET session:a Ada EX 600":
			return ok
		case command == "GET session:a":
			return "$3\r\nAda\r\n"
		}
		return "$-1\r\n"
	})
	s, err := newSessions("redis://" + address)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.open(t.Context(), "a", "Ada"); err != nil {
		t.Error(err)
	}
	broken.Store(1)
	for token, want := range map[string]bool{"a": true, "b": false} {
		if has, err := s.has(t.Context(), token); err != nil || has != want {
			t.Errorf("%s: %t %v", token, has, err)
		}
	}
	if n := commands.Load(); n != 4 {
		t.Errorf("%d commands, expected three and one repeated", n)
	}
	broken.Store(2)
	if _, err := s.has(t.Context(), "a"); err == nil {
		t.Error("a store that is gone has sessions")
	}
}

func TestSessionsBehindSentinels(t *testing.T) {
	t.Parallel()
	role := "master"
	primary := fakeRedis(t, func(command string) string {
		if command == "ROLE" {
			return fmt.Sprintf("*1\r\n$%d\r\n%s\r\n", len(role), role)
		}
		return ok
	})
	host, port, err := net.SplitHostPort(primary)
	if err != nil {
		t.Fatal(err)
	}
	sentinel := fakeRedis(t, func(command string) string {
		if command != "SENTINEL get-master-addr-by-name shop" {
			return "*-1\r\n"
		}
		return fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(host), host, len(port), port)
	})
	dead := fakeRedis(t, func(string) string { return "" })
	for where, works := range map[string]bool{
		"sentinel:shop@" + dead + "," + sentinel: true,
		"sentinel:shop@" + dead:                  false,
		"sentinel:other@" + sentinel:             false,
	} {
		s, err := newSessions(where)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.open(t.Context(), "a", "Ada"); (err == nil) != works {
			t.Errorf("%s: %v", where, err)
		}
	}
	role = "slave"
	s, err := newSessions("sentinel:shop@" + sentinel)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.open(t.Context(), "a", "Ada"); err == nil || !strings.Contains(err.Error(), "is not the primary") {
		t.Errorf("a replica: %v", err)
	}
}

func TestAddressesOfSessions(t *testing.T) {
	t.Parallel()
	for where, works := range map[string]bool{"": true, "redis://cache:6379": true, "sentinel:shop@a:1,b:1": true, "sentinel:shop": false, "memcached://cache": false} {
		if _, err := newSessions(where); (err == nil) != works {
			t.Errorf("%q: %v", where, err)
		}
	}
}
