package scenario_test

import (
	"bufio"
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/probe/steps"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// roleOf reads the one role of an environment.
func roleOf(t *testing.T, text string) scenario.Role {
	t.Helper()
	all, err := scenario.LoadEnvironments("gameday.yaml", []byte(withEnvironment("variables: [PASSWORD]\n    roles: {r: "+text+"}")), drivers())
	if err != nil {
		t.Fatal(err)
	}
	return all.Environments["a"].Roles["r"]
}

// redisReplying is the port of a server on loopback that answers every command of Redis in
// one way.
func redisReplying(t *testing.T, reply string) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for lines := bufio.NewScanner(c); lines.Scan(); {
					if line := strings.ToUpper(lines.Text()); line == "ROLE" || line == "AUTH" {
						_, _ = io.WriteString(c, map[bool]string{true: reply, false: "+OK\r\n"}[line == "ROLE"])
						lines.Scan() // the password
					}
				}
			}()
		}
	}()
	return portOf(l.Addr().String())
}

// healthOf is the port of a server of gRPC on loopback that reports the health of services,
// and has no reflection.
func healthOf(t *testing.T, services map[string]healthpb.HealthCheckResponse_ServingStatus) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, reported := grpc.NewServer(), health.NewServer()
	for name, status := range services {
		reported.SetServingStatus(name, status)
	}
	healthpb.RegisterHealthServer(s, reported)
	t.Cleanup(s.Stop)
	go func() { _ = s.Serve(l) }()
	return portOf(l.Addr().String())
}

// The types of a role's call come from a file beside gameday.yaml.
func TestDescriptorsOfARole(t *testing.T) {
	t.Parallel()
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(healthpb.File_grpc_health_v1_health_proto)}})
	if err != nil {
		t.Fatal(err)
	}
	port := healthOf(t, nil)
	for name, c := range map[string]struct {
		content []byte
		method  string
		read    error
		want    string
	}{
		"the types":      {set, "grpc.health.v1.Health/Check", nil, ""},
		"another method": {set, "grpc.health.v1.Health/Chek", nil, "has no method Chek"},
		"no types":       {[]byte("text"), "grpc.health.v1.Health/Check", nil, "no descriptor set"},
		"no file":        {nil, "grpc.health.v1.Health/Check", fs.ErrNotExist, "environment e: roles.r.grpc.descriptors: file does not exist"},
	} {
		role := roleOf(t, "{grpc: {port: "+port+", method: "+c.method+", descriptors: types.pb}}")
		err := scenario.Environment{Name: "e", Roles: map[string]scenario.Role{"r": role}}.ReadFiles(func(path string) ([]byte, error) {
			if path != "types.pb" {
				t.Errorf("read %s", path)
			}
			return c.content, c.read
		})
		if err == nil {
			err = role.Target(steps.All(), nil).Ask(t.Context(), netip.MustParseAddr("127.0.0.1"))
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
}

func portOf(address string) string {
	return strconv.Itoa(int(netip.MustParseAddrPort(address).Port()))
}

// A role asks with the features of a step.
func TestRolesAsk(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/metrics":
			_, _ = io.WriteString(w, "# HELP etcd_server_is_leader\netcd_server_is_leader 1\n")
		case "/json":
			_, _ = io.WriteString(w, `{"role": "primary", "lag": 3}`)
		case "/created":
			w.WriteHeader(http.StatusCreated)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	reported := healthOf(t, map[string]healthpb.HealthCheckResponse_ServingStatus{
		"": healthpb.HealthCheckResponse_SERVING, "leader": healthpb.HealthCheckResponse_SERVING, "replica": healthpb.HealthCheckResponse_NOT_SERVING,
	})
	at := "port: " + portOf(server.Listener.Addr().String()) + ", "
	primary, replica := redisReplying(t, "*3\r\n$6\r\nmaster\r\n:42\r\n*0\r\n"), redisReplying(t, "*2\r\n$5\r\nslave\r\n$1\r\nx\r\n")
	call := func(text string) string { return "{grpc: {port: " + reported + ", " + text + "}}" }
	for text, want := range map[string]string{
		call("method: grpc.health.v1.Health/Check, message: {service: leader}, json: {$.status: SERVING}"):  "",
		call("method: grpc.health.v1.Health/Check, message: {service: replica}, json: {$.status: SERVING}"): "$.status is not the expected value (found NOT_SERVING)",
		call("method: grpc.health.v1.Health/Check, message: {service: other}"):                              "status NOT_FOUND",
		call("method: grpc.health.v1.Health/Check, message: {service: other}, status: [NOT_FOUND]"):         "",
		call(`method: grpc.health.v1.Health/Check, metadata: {authorization: 'Bearer {{env "PASSWORD"}}'}`): "",
		call("method: shop.Orders/Leader"):                                                                         "the server has no reflection: set descriptors:",
		"{grpc: {port: 1, method: grpc.health.v1.Health/Check}}":                                                   "dial: connection refused",
		"{http: {" + at + "path: /metrics, contains: etcd_server_is_leader 1}}":                                    "",
		"{http: {" + at + "path: /metrics, matches: 'etcd_server_is_leader 0\\n'}}":                                "does not match",
		"{http: {" + at + "path: /json, json: {$.role: primary, $.lag: {lte: 5}}}}":                                "",
		"{http: {" + at + "path: /json, json: {$.role: replica}}}":                                                 "$.role is not the expected value (found primary)",
		"{http: {" + at + "path: /created}}":                                                                       "status 201, expected 200",
		"{http: {" + at + "path: /created, status: [200, 201]}}":                                                   "",
		"{http: {" + at + "path: /none, status: 4xx}}":                                                             "",
		"{http: {port: 1, path: /}}":                                                                               "dial: connection refused",
		"{redis: {port: " + primary + ", command: [ROLE], json: {'$[0]': master}}}":                                "",
		"{redis: {port: " + replica + ", command: [ROLE], json: {'$[0]': master}}}":                                "$[0] is not the expected value (found slave)",
		"{redis: {port: 1, command: [ROLE]}}":                                                                      "dial: connection refused",
		"{redis: {port: " + primary + `, command: [ROLE], password: '{{env "PASSWORD"}}'}}`:                        "",
		"{sql: {url: 'postgres://u@:1/d?sslmode=disable', statement: SELECT 1}}":                                   "dial: connection refused",
		"{http: {" + at + "path: /json}, redis: {port: " + replica + ", command: [ROLE], json: {'$[0]': master}}}": "found slave",
	} {
		ask := roleOf(t, text).Target(steps.All(), map[string]string{"PASSWORD": "secret"}).Ask
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err := ask(ctx, netip.MustParseAddr("127.0.0.1"))
		cancel()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", text, err, want)
		}
	}
	if role := roleOf(t, "{label: a=b, command: [x]}").Target(nil, nil); role.Ask != nil || role.Label != "a=b" || role.Command[0] != "x" {
		t.Errorf("%+v", role)
	}
}

// A command runs on the machine that users come from, and not where a load worker is.
func TestCommandsOfUsersFromInside(t *testing.T) {
	t.Parallel()
	inside := scenario.Environment{Name: "e", Inside: &scenario.Inside{Network: "n"}}
	command := probe.Journey{Name: "j", Steps: []probe.Step{{Exec: &probe.Exec{Command: []string{"true"}}}}}
	for name, c := range map[string]struct {
		env     scenario.Environment
		from    string
		journey probe.Journey
		refused bool
	}{
		"inside":               {inside, "", command, true},
		"from outside":         {inside, scenario.FromOutside, command, false},
		"no inside":            {scenario.Environment{}, "", command, false},
		"without a command":    {inside, "", probe.Journey{Steps: []probe.Step{{Get: "/"}}}, false},
		"a command to confirm": {inside, "", probe.Journey{Confirm: &command.Steps[0]}, true},
	} {
		s := scenario.Scenario{Load: []scenario.JourneyLoad{{Journey: "j", From: c.from}}}
		if err := s.CheckKinds(c.env, []probe.Journey{c.journey}); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
