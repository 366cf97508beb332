package scenario_test

import (
	"crypto/tls"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

const connected = `version: 1
environments:
  staging:
    docker: {project: shop}
    entry: https://shop.example
    connect:
      insecure: true
      http2: true
      proxy: http://bob:hunter2@proxy.example:3128
      resolve: {proxy.example: 10.0.0.1}
      ip: 4
    inside: {network: back, entry: "https://app:8443"}
`

// Users from inside connect by the same rules, but for what is about addresses. What is
// to be known about connections is stated, and no password.
func TestHowUsersConnect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("gameday.yaml", connected)
	env, err := ownLibrary(dir).Connected("staging")
	if err != nil {
		t.Fatal(err)
	}
	outside := probe.Way{
		Entry: "https://shop.example", Insecure: true, HTTP2: true, Proxy: "http://bob:hunter2@proxy.example:3128",
		Resolve: map[string]string{"proxy.example": "10.0.0.1"}, IP: 4,
	}
	loads := []scenario.JourneyLoad{{Journey: "a", From: "outside"}, {Journey: "b"}, {Journey: "c"}}
	for i, want := range []probe.Way{outside, {Entry: "https://app:8443", Insecure: true, HTTP2: true}} {
		if diff := cmp.Diff(want, env.Way(loads[i]), cmpopts.IgnoreUnexported(probe.Way{})); diff != "" {
			t.Error(diff)
		}
	}
	want := []string{
		"certificates are not verified (insecure: true)", "HTTP/2", "proxy.example is 10.0.0.1", "through the proxy http://…@proxy.example:3128",
		"by IPv4 only", "inside: certificates are not verified (insecure: true)", "inside: HTTP/2",
	}
	if diff := cmp.Diff(want, env.Connections(loads)); diff != "" {
		t.Error(diff)
	}
	secrets, err := env.Secrets()
	if err != nil || strings.Contains(secrets.Text("dial hunter2"), "hunter2") {
		t.Error(err)
	}

	write("gameday.yaml", strings.NewReplacer("insecure: true", "ca: certs/ca.pem", "proxy:", "#", "resolve:", "#").Replace(connected))
	if _, err = ownLibrary(dir).Connected("staging"); err == nil || !strings.Contains(err.Error(), "environment staging: connect.ca: ") || !strings.Contains(err.Error(), "ca.pem") {
		t.Errorf("found %v", err)
	}
	if _, err = ownLibrary(dir).Environment("staging"); err != nil {
		t.Errorf("without a run, no file is needed: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "certs"), 0o700); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	write("certs/ca.pem", pemOf(server.TLS.Certificates[0]))
	env, err = ownLibrary(dir).Connected("staging")
	if way := env.Way(loads[1]); err != nil || way.CA != pemOf(server.TLS.Certificates[0]) {
		t.Errorf("%+v %v", way, err)
	}
}

func pemOf(c tls.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}))
}

func TestProblemsOfConnect(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"connect: {sever_name: a}":                                      `unknown key "sever_name": did you mean "server_name"?`,
		"connect: {ip: 5}":                                              "environments.staging.connect.ip: found \"5\", did you mean \"4\"?",
		"connect: {certificate: a}":                                     "environments.staging.connect.key: missing: a certificate is of use only with its key",
		"connect: {proxy: proxy.example:80}":                            `environments.staging.connect.proxy: found "proxy.example:80", expected a URL such as http://proxy.example:3128`,
		"inside: {network: n, connect: {source: 10.0.0.1}}":             "environments.staging.inside.connect.source: the network gives users there their address",
		"inside: {network: n, ca: x, connect: {ca: y}}":                 "environments.staging.inside.connect.ca: inside.ca has certificates, too",
		"connect: {insecure: true}\n    inside: {network: n, ca: x}":    "environments.staging.inside.ca: any certificate is trusted",
		"inside: {network: n, entry: 'http://[::1]', connect: {ip: 4}}": "environments.staging.inside.connect.ip: found 4, but the entry is ::1",
	} {
		_, err := scenario.LoadEnvironments("gameday.yaml", []byte("version: 1\nenvironments:\n  staging:\n    docker: {project: shop}\n    entry: https://shop.example\n    "+text+"\n"), drivers())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, expected %s", text, err, want)
		}
	}
}
