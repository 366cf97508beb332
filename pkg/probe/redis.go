package probe

import (
	"cmp"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// RedisPort is the usual port of Redis.
const RedisPort = 6379

// Redis is one command for a server that speaks the protocol of Redis.
type Redis struct {
	Address  string   `yaml:"address" jsonschema:"required" jsonschema_description:"The server: HOST:PORT (default port: 6379). It is the same for all users."`
	Command  []string `yaml:"command" jsonschema:"required" jsonschema_description:"The command and its arguments, as templates: [SET, \"k-{{.seq}}\", v]. The response is the reply, as JSON. A nil reply is the status NOT_FOUND, which is a failure unless expect.status contains it."`
	User     string   `yaml:"user,omitempty" jsonschema_description:"The user of an access control list (default: the default user)."`
	Password string   `yaml:"password,omitempty" jsonschema_description:"The password: {{env \"REDIS_PASSWORD\"}}. It is the same for all users."`
	Database int      `yaml:"database,omitempty" jsonschema:"minimum=0" jsonschema_description:"The number of the database (default: 0)."`
	TLS      bool     `yaml:"tls,omitempty" jsonschema_description:"Connect by TLS (default: false)."`
}

var _ Request = (*Redis)(nil)

// Title implements [Request]: the command and its first argument.
func (r *Redis) Title() string {
	return short("redis " + strings.Join(r.Command[:min(len(r.Command), 2)], " "))
}

// Check implements [Request].
func (r *Redis) Check(problem func(key, format string, args ...any)) {
	if err := checkAddress(r.Address, RedisPort); err != nil {
		problem("address", "%v", err)
	}
	for key, text := range map[string]string{"address": r.Address, "user": r.User, "password": r.Password} {
		if err := checkConstant(text); err != nil {
			problem(key, "%v", err)
		}
	}
	if len(r.Command) == 0 || r.Command[0] == "" {
		problem("command", "found none, expected a command such as [GET, key]")
		return
	}
	if r.User != "" && r.Password == "" {
		problem("user", "found a user without password: add password:")
	}
	switch name := strings.ToUpper(r.Command[0]); name {
	case "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "MULTI", "SELECT", "AUTH", "HELLO", "CLIENT", "RESET", "QUIT":
		problem("command", "found %s, which changes the connection that users share: expected a command with one reply; a transaction is an EVAL", name)
	}
}

// At is the same command for the server at another host; 0 is the usual port.
func (r Redis) At(host string, port int) Redis {
	r.Address = net.JoinHostPort(host, strconv.Itoa(cmp.Or(port, RedisPort)))
	return r
}

// Texts implements [Request].
func (r *Redis) Texts() map[string]string {
	texts := map[string]string{"address": r.Address, "user": r.User, "password": r.Password}
	for i, text := range r.Command {
		texts[fmt.Sprintf("command[%d]", i)] = text
	}
	return texts
}

// Example is a step of this kind.
func (Redis) Example() string {
	return `name: session
redis:
  address: cache:6379
  password: '{{env "REDIS_PASSWORD"}}'
  command: [SET, "session-{{.seq}}", open, EX, "60"]
expect: {json: {$: OK}}
`
}
