package steps_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/probe/steps"
	"github.com/gameday-dev/gameday/pkg/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is the timeout of the journeys of tests in which something should come.
const patience = 10 * time.Second

// entry is the entry of journeys that never use it.
const entry = "http://127.0.0.1:1"

// load is a load of users who take steps.
func load(timeout time.Duration, all ...probe.Step) probe.Load {
	return probe.Load{
		Journey: probe.Journey{Name: "j", Timeout: timeout, Steps: all}, Way: probe.Way{Entry: entry},
		Rate: probe.Rate{Users: 200, Per: time.Second}, Seed: 1, Protocols: steps.All(),
	}
}

// alone is one user, and no other.
func alone() *probe.Users {
	return &probe.Users{Order: "once", Columns: []string{"n"}, Rows: [][]string{{"1"}}}
}

// first sends users until the first one is back.
func first(t *testing.T, l probe.Load) probe.Visit {
	t.Helper()
	return several(t, l, 1)[0]
}

// several sends users until a number of them are back, in the order in which they left.
func several(t *testing.T, l probe.Load, n int) []probe.Visit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	visits := map[uint64]probe.Visit{}
	if err := l.Run(ctx, func(v probe.Visit) {
		if visits[v.Sample.Seq] = v; len(visits) >= n {
			cancel()
		}
	}); err != nil {
		t.Fatal(err)
	}
	all := make([]probe.Visit, n)
	for i := range all {
		all[i] = visits[uint64(i)]
	}
	return all
}

// presence looks up one write.
func presence(t *testing.T, id string, confirm probe.Step) string {
	t.Helper()
	l := load(patience)
	l.Journey.Confirm = &confirm
	acks := []record.Ack{{ID: id}}
	if err := l.Confirm(t.Context(), record.AckedOf(acks), nil); err != nil {
		t.Fatal(err)
	}
	return acks[0].Presence
}

// serving is the address of a server that treats each connection in one way, and leaves it
// open until the test ends.
func serving(t *testing.T, treat func(c net.Conn)) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open []net.Conn
	var mu sync.Mutex
	var group sync.WaitGroup
	group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			group.Go(func() { treat(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		group.Wait()
	})
	return l.Addr().String()
}

// writing is a treatment: wait for a request, and answer it.
func writing(text string) func(c net.Conn) {
	return func(c net.Conn) {
		one := make([]byte, 1024)
		if _, err := c.Read(one); err == nil {
			_, _ = io.WriteString(c, text)
		}
	}
}

// closing is a treatment: write, and end the connection.
func closing(text string) func(c net.Conn) {
	return func(c net.Conn) {
		writing(text)(c)
		_ = c.Close()
	}
}

// greeting is a treatment: write without a request.
func greeting(text string) func(c net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, text) }
}

func silent(net.Conn) {}

// endless is a treatment: a head, and then the same bytes for ever.
func endless(head, again string) func(c net.Conn) {
	return func(c net.Conn) {
		writing(head)(c)
		block := []byte(strings.Repeat(again, 1+65536/len(again)))
		for {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}
}

func postgresAt(address string) probe.Step {
	return probe.Step{Name: "s", SQL: &probe.SQL{URL: "postgres://shop@" + address + "/shop?sslmode=disable", Password: "secret", Statement: "SELECT 1"}}
}

func mysqlAt(address string) probe.Step {
	return probe.Step{Name: "s", SQL: &probe.SQL{URL: "mysql://shop@" + address + "/shop", Password: "secret", Statement: "SELECT 1"}}
}

func redisAt(address string) probe.Step {
	return probe.Step{Name: "s", Redis: &probe.Redis{Address: address, Command: []string{"GET", "k"}}}
}

// startup is how a PostgreSQL server welcomes a user: without a password, and ready.
const startup = "R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I"

// refusing is PostgreSQL's error message with a code.
func refusing(code string) string {
	body := "SFATAL\x00VFATAL\x00C" + code + "\x00Msecret text\x00\x00"
	return "E\x00\x00\x00" + string(rune(len(body)+4)) + body
}

// A server that is not what it should be makes each user a bad one, of a class that has
// nothing of the server's, within the user's time.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	const nowhere = "127.0.0.1:1" // the port of a server that was closed may be taken by the next one
	for name, c := range map[string]struct {
		step func(address string) probe.Step
		at   string
		how  func(c net.Conn)
		want string
	}{
		"postgres: refused":           {postgresAt, nowhere, nil, "s: dial: connection refused"},
		"postgres: silent":            {postgresAt, "", silent, "s: timeout"},
		"postgres: closed":            {postgresAt, "", closing(""), "s: connection closed"},
		"postgres: another protocol":  {postgresAt, "", writing("HTTP/1.1 400 Bad Request\r\n\r\n"), "s: sql: malformed response"},
		"postgres: cut":               {postgresAt, "", closing("R\x00\x00\x00\x08"), "s: connection closed"},
		"postgres: silent when asked": {postgresAt, "", writing(startup), "s: timeout"},
		"postgres: a huge message":    {postgresAt, "", writing("R\x7f\xff\xff\xff"), "s: sql: malformed response"},
		"postgres: a row without columns": {postgresAt, "", writing(startup + "1\x00\x00\x00\x042\x00\x00\x00\x04" +
			"D\x00\x00\x00\x0b\x00\x01\x00\x00\x00\x01xC\x00\x00\x00\x0dSELECT 1\x00Z\x00\x00\x00\x05I"), "s: sql: malformed response"},
		"postgres: starting":          {postgresAt, "", closing(refusing("57P03")), "s: sql: 57P03 cannot_connect_now"},
		"postgres: an invented state": {postgresAt, "", closing(refusing("<b>x")), "s: sql: an error without SQLSTATE"},
		"postgres: no TLS": {func(a string) probe.Step {
			s := postgresAt(a)
			s.SQL.URL = strings.Replace(s.SQL.URL, "disable", "require", 1)
			return s
		}, "", writing("N"), "s: sql: the server does not offer TLS"},
		"postgres: notices for ever":    {postgresAt, "", endless("", "N\x00\x01\x00\x00SLOG\x00M"+strings.Repeat("x", 1<<16-12)+"\x00\x00"), "s: the response is larger than 64 MiB"},
		"mysql: refused":                {mysqlAt, nowhere, nil, "s: dial: connection refused"},
		"mysql: silent":                 {mysqlAt, "", silent, "s: timeout"},
		"mysql: closed":                 {mysqlAt, "", func(c net.Conn) { _ = c.Close() }, "s: connection closed"},
		"mysql: another protocol":       {mysqlAt, "", greeting("HTTP/1.1 400 Bad Request\r\n\r\n" + strings.Repeat("x", 6<<20)), "s: sql: malformed response"},
		"mysql: too many connections":   {mysqlAt, "", greeting("\x17\x00\x00\x00\xff\x10\x04Too many connections"), "s: sql: 1040 ER_CON_COUNT_ERROR"},
		"mysql: a number of its own":    {mysqlAt, "", greeting("\x09\x00\x00\x00\xff\xff\xffsecret"), "s: sql: error 65535"},
		"redis: refused":                {redisAt, nowhere, nil, "s: dial: connection refused"},
		"redis: silent":                 {redisAt, "", silent, "s: timeout"},
		"redis: closed":                 {redisAt, "", closing(""), "s: connection closed"},
		"redis: another protocol":       {redisAt, "", writing("HTTP/1.1 400 Bad Request\r\n\r\n"), "s: redis: malformed response"},
		"redis: cut":                    {redisAt, "", closing("$10\r\nabc"), "s: connection closed"},
		"redis: stops in the middle":    {redisAt, "", writing("$10\r\nabc"), "s: timeout"},
		"redis: a list stops":           {redisAt, "", writing("*2\r\n$1\r\na\r\n"), "s: timeout"},
		"redis: loading":                {redisAt, "", writing("-LOADING Redis is loading secret\r\n"), "s: redis: LOADING"},
		"redis: moved":                  {redisAt, "", writing("-MOVED 866 10.0.0.3:6379\r\n"), "s: redis: MOVED"},
		"redis: an error of its own":    {redisAt, "", writing("-secret\r\n"), "s: redis: an error without a class"},
		"redis: a huge text":            {redisAt, "", writing("$999999999999\r\n"), "s: the response is larger than 64 MiB"},
		"redis: no size at all":         {redisAt, "", writing("$99999999999999999999\r\n"), "s: redis: malformed response"},
		"redis: a huge list":            {redisAt, "", writing("*2000000000\r\n"), "s: the response is larger than 64 MiB"},
		"redis: lists in lists":         {redisAt, "", endless("", "*1\r\n"), "s: redis: malformed response"},
		"redis: a head without end":     {redisAt, "", endless("+", "x"), "s: redis: malformed response"},
		"redis: an error within a list": {redisAt, "", writing("*1\r\n-WRONGTYPE secret\r\n"), "s: redis: WRONGTYPE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := c.at
			if address == "" {
				address = serving(t, c.how)
			}
			timeout := 2 * patience
			if strings.HasSuffix(c.want, "timeout") {
				timeout = 300 * time.Millisecond
			}
			l := load(timeout, c.step(address))
			l.Journey.Users = alone() // else many would read endless answers at once
			v := first(t, l)
			if v.Sample.Error != c.want || v.Sample.Void || v.Sample.Latency > timeout+2*time.Second {
				t.Errorf("%q after %v, void %t; expected %q", v.Sample.Error, v.Sample.Latency, v.Sample.Void, c.want)
			}
		})
	}
}

// A user of a silent server has one connection, and no second one to cancel what was asked.
func TestOneConnectionForEachUser(t *testing.T) {
	t.Parallel()
	var accepted atomic.Int32
	address := serving(t, func(c net.Conn) { accepted.Add(1); writing(startup)(c) })
	l := load(300*time.Millisecond, postgresAt(address))
	l.Journey.Users = alone()
	if v := first(t, l); v.Sample.Error != "s: timeout" || accepted.Load() != 1 {
		t.Errorf("%q, %d connections", v.Sample.Error, accepted.Load())
	}
}

// Whether an idle connection has ended is found without waiting, also while a Read waits.
func TestLookingAtAnIdleConnectionDoesNotWait(t *testing.T) {
	t.Parallel()
	for name, reads := range map[string]bool{"idle": false, "a Read waits": true} {
		release := make(chan struct{})
		address := serving(t, func(c net.Conn) { <-release; _ = c.Close() })
		inner, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		c := steps.NewConn(inner)
		ended := make(chan struct{})
		started := make(chan struct{})
		go func() {
			defer close(ended)
			close(started)
			if reads {
				_, _ = c.Read(make([]byte, 1))
			}
		}()
		<-started
		for range 1000 { // the Read begins meanwhile
			if !c.Quiet() {
				t.Fatalf("%s: it has not ended", name)
			}
		}
		close(release)
		for deadline := time.Now().Add(patience); c.Quiet(); runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatalf("%s: it has ended", name)
			}
		}
		<-ended
		_ = c.Close()
	}
}

// The load ends, and its users are not counted as served or failed by the system.
func TestAUserWhoIsEndedWithTheLoad(t *testing.T) {
	t.Parallel()
	l := load(patience, redisAt(serving(t, silent)))
	l.Journey.Timeout = 2 * time.Second
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ctx, func(v probe.Visit) {
		if v.Sample.Error != "s: timeout" {
			t.Errorf("%+v", v.Sample)
		}
	}); err != nil {
		t.Error(err)
	}
}

// What is the same for all users is asked for once, and says what is missing.
func TestWhatCannotBeOpened(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step probe.Step
		want string
	}{
		"a variable that is not set": {probe.Step{Name: "s", SQL: &probe.SQL{URL: `postgres://u:{{env "NONE"}}@db/x`, Statement: "SELECT 1"}}, "the environment variable NONE is not set"},
		"a program that is not here": {probe.Step{Name: "s", Exec: &probe.Exec{Command: []string{"no-such-program"}}}, "no-such-program is not on the machine"},
		"an unknown parameter":       {probe.Step{Name: "s", SQL: &probe.SQL{URL: "mysql://u@db/x?charset=latin1", Statement: "SELECT 1"}}, "expected only tls="},
		"an unknown TLS":             {probe.Step{Name: "s", SQL: &probe.SQL{URL: "mysql://u@db/x?tls=maybe", Statement: "SELECT 1"}}, "tls=maybe"},
		"an unknown sslmode":         {probe.Step{Name: "s", SQL: &probe.SQL{URL: "postgres://u@db/x?sslmode=maybe", Statement: "SELECT 1"}}, "sql.url: not a URL"},
	} {
		err := load(patience, c.step).Run(t.Context(), func(probe.Visit) { t.Errorf("%s: a user left", name) })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
}
