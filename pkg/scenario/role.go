package scenario

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Role is held by one of several components, such as the primary of a database. Each
// component that can hold it is asked, at its own addresses; every check must hold.
type Role struct {
	Among   target.Selector `yaml:"among,omitempty" jsonschema_description:"The components that can hold the role (default: all components)."`
	HTTP    *RoleHTTP       `yaml:"http,omitempty" jsonschema_description:"The holder answers this GET request as expected."`
	SQL     *RoleSQL        `yaml:"sql,omitempty" jsonschema_description:"The holder answers this statement as expected, such as SELECT pg_is_in_recovery() AS standby."`
	Redis   *RoleRedis      `yaml:"redis,omitempty" jsonschema_description:"The holder answers this command of Redis as expected, such as ROLE."`
	GRPC    *RoleGRPC       `yaml:"grpc,omitempty" jsonschema_description:"The holder answers this call of gRPC as expected, such as grpc.health.v1.Health/Check."`
	Command []string        `yaml:"command,omitempty" jsonschema_description:"This command, run inside the holder, exits with code 0."`
	Label   string          `yaml:"label,omitempty" jsonschema_description:"The holder has this label: key=value, or key alone."`
}

// RoleHTTP asks a component for its role over HTTP.
type RoleHTTP struct {
	probe.Expect `yaml:",inline"`

	Port int    `yaml:"port" jsonschema:"required,minimum=1,maximum=65535" jsonschema_description:"The port at which the component is asked."`
	Path string `yaml:"path" jsonschema:"required" jsonschema_description:"The path of the request. The status must be 200 unless status: is set."`
}

// RoleSQL asks a component for its role by a statement.
type RoleSQL struct {
	probe.SQL    `yaml:",inline"`
	probe.Expect `yaml:",inline"`

	Port int `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535" jsonschema_description:"The port at which the component is asked (default: that of the URL, or the usual one). The URL has no host: postgres://USER@/DATABASE."`
}

// RoleRedis asks a component for its role by a command of Redis.
type RoleRedis struct {
	probe.Expect `yaml:",inline"`

	Port     int      `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535" jsonschema_description:"The port at which the component is asked (default: 6379)."`
	Command  []string `yaml:"command" jsonschema:"required" jsonschema_description:"The command, such as [ROLE], whose reply for a primary is [master, …]."`
	User     string   `yaml:"user,omitempty" jsonschema_description:"The user of an access control list (default: the default user)."`
	Password string   `yaml:"password,omitempty" jsonschema_description:"The password: {{env \"REDIS_PASSWORD\"}}."`
	TLS      bool     `yaml:"tls,omitempty" jsonschema_description:"Connect by TLS (default: false)."`
}

// RoleGRPC asks a component for its role by a call of gRPC.
type RoleGRPC struct {
	probe.Expect `yaml:",inline"`

	Port        int               `yaml:"port" jsonschema:"required,minimum=1,maximum=65535" jsonschema_description:"The port at which the component is asked."`
	Method      string            `yaml:"method" jsonschema:"required" jsonschema_description:"The unary method, with its full name: package.Service/Method. The status must be OK unless status: is set."`
	Message     map[string]any    `yaml:"message,omitempty" jsonschema_description:"The request, in the JSON form of protobuf."`
	Metadata    map[string]string `yaml:"metadata,omitempty" jsonschema_description:"Metadata of the request."`
	Descriptors string            `yaml:"descriptors,omitempty" jsonschema_description:"A file beside gameday.yaml with the types, as protoc --descriptor_set_out --include_imports and buf build write it, of at most 4 MiB (default: the server is asked, by reflection; the types of grpc.health.v1 are known)."`
	TLS         bool              `yaml:"tls,omitempty" jsonschema_description:"Connect by TLS (default: false)."`

	content []byte // of Descriptors
}

// at is the call of a host.
func (g RoleGRPC) at(host string) *probe.GRPC {
	return &probe.GRPC{
		Method: g.Method, Message: g.Message, Metadata: g.Metadata, TLS: &g.TLS, Descriptors: g.Descriptors, Content: g.content,
		Address: net.JoinHostPort(host, strconv.Itoa(g.Port)),
	}
}

// read reads the files that the role names.
func (r Role) read(beside Beside) (err error) {
	if r.GRPC == nil {
		return nil
	}
	call := r.GRPC.at("host")
	probe.Step{GRPC: call}.ReadFiles(beside, func(key, format string, args ...any) {
		err = fmt.Errorf("%s: %w", key, fmt.Errorf(format, args...))
	})
	r.GRPC.content = call.Content
	return err
}

// question is one check of a role: its key in the file, the step that asks a host, and the
// base URL if the step is one of HTTP.
type question struct {
	key  string
	step func(host string) probe.Step
	port int // of HTTP
}

// questions are the checks that ask a component over the network.
func (r Role) questions() (all []question) {
	if h := r.HTTP; h != nil {
		expect := h.Expect
		if len(expect.Status) == 0 {
			expect.Status = probe.Codes(200)
		}
		all = append(all, question{"http", func(string) probe.Step { return probe.Step{Get: h.Path, Expect: expect} }, h.Port})
	}
	if q := r.SQL; q != nil {
		all = append(all, question{"sql", func(host string) probe.Step {
			at := q.At(host, q.Port)
			return probe.Step{SQL: &at, Expect: q.Expect}
		}, 1})
	}
	if c := r.Redis; c != nil {
		all = append(all, question{"redis", func(host string) probe.Step {
			at := probe.Redis{Command: c.Command, User: c.User, Password: c.Password, TLS: c.TLS}.At(host, c.Port)
			return probe.Step{Redis: &at, Expect: c.Expect}
		}, 1})
	}
	if g := r.GRPC; g != nil {
		all = append(all, question{"grpc", func(host string) probe.Step { return probe.Step{GRPC: g.at(host), Expect: g.Expect} }, 1})
	}
	return all
}

// to is the question for a host.
func (q question) to(host string) probe.Question {
	return probe.Question{Step: q.step(host), Way: probe.Way{Entry: "http://" + net.JoinHostPort(host, strconv.Itoa(q.port))}}
}

// Target is the role as drivers know it. environ are the variables that its templates may
// use.
func (r Role) Target(protocols probe.Protocols, environ map[string]string) target.Role {
	role := target.Role{Among: r.Among, Command: r.Command, Label: r.Label}
	all := r.questions()
	if len(all) == 0 {
		return role
	}
	role.Ask = func(ctx context.Context, address netip.Addr) error {
		var errs []error
		for _, one := range all {
			q := one.to(address.String())
			q.Protocols, q.Way.Environ = protocols, environ
			errs = append(errs, q.Ask(ctx))
		}
		return errors.Join(errs...)
	}
	return role
}

// complete reports whether a check has its required keys.
func (r Role) complete(key string) bool {
	switch key {
	case "http":
		return r.HTTP.Path != ""
	case "sql":
		return r.SQL.URL != "" && r.SQL.Statement != ""
	case "grpc":
		return r.GRPC.Method != ""
	}
	return len(r.Redis.Command) > 0
}

// environ are the names of the environment variables that the checks use.
func (r Role) environ() []string {
	var steps []probe.Step
	for _, q := range r.questions() {
		steps = append(steps, q.step("host"))
	}
	return probe.Journey{Steps: steps}.Environ()
}

func (e Environment) checkRoles(doc *strictyaml.Document, path string) {
	for _, name := range slices.Sorted(maps.Keys(e.Roles)) {
		role, at := e.Roles[name], path+".roles."+name
		if len(role.questions()) == 0 && role.Label == "" && len(role.Command) == 0 {
			doc.Problem(at, "role %s has no check: expected http, sql, redis, grpc, command or label", name)
		}
		if role.Among.Role != "" {
			doc.Problem(at+".among", "role %s: among: found another role, expected service, name, label or zone", name)
		}
		role.checkQuestions(doc, at, e.Variables)
	}
}

// checkQuestions checks what asks a component over the network.
func (r Role) checkQuestions(doc *strictyaml.Document, at string, variables []string) {
	if r.SQL != nil && r.SQL.HasHost() {
		doc.Problem(at+".sql.url", "%s.sql.url: found a host, but each component is asked at its own address: write postgres://USER@/DATABASE", at)
	}
	for _, variable := range r.environ() {
		if !slices.Contains(variables, variable) {
			doc.Problem(at, "%s: found {{env %q}}: add variables: [%s] to the environment", at, variable, variable)
		}
	}
	for _, q := range r.questions() {
		if r.complete(q.key) { // else its missing key is reported already
			q.check(doc, at)
		}
	}
}

// check checks the step of a question, with the keys of the role.
func (q question) check(doc *strictyaml.Document, at string) {
	own := strings.NewReplacer(at+".expect", at+"."+q.key, at+".get", at+".http.path", at+": found the path", at+".http.path: found the path")
	q.to("host").Check(at, func(where, format string, args ...any) {
		text := own.Replace(fmt.Sprintf(format, args...))
		if where = own.Replace(where); where == at {
			where, _, _ = strings.Cut(text, ": ")
		}
		if !doc.Has(where) {
			where = at + "." + q.key
		}
		doc.Problem(where, "%s", text)
	})
}
