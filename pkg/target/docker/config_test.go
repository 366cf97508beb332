package docker_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/client"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// dockerConfig is a folder like ~/.docker, for DOCKER_CONFIG. No other variable of
// the surroundings chooses an engine.
func dockerConfig(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for path, content := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION"} {
		t.Setenv(name, "")
	}
	return dir
}

// contextFolder is where the docker command keeps a context's files of a kind.
func contextFolder(kind, name string) string {
	sum := sha256.Sum256([]byte(name))
	return "contexts/" + kind + "/" + hex.EncodeToString(sum[:])
}

// contextAt is a context as `docker context create` writes it.
func contextAt(name, host string) string {
	data, _ := json.Marshal(rig.Object{
		"Name": name, "Metadata": rig.Object{}, "Endpoints": rig.Object{"docker": rig.Object{"Host": host, "SkipTLSVerify": false}},
	})
	return string(data)
}

// Which engine is meant: DOCKER_HOST before DOCKER_CONTEXT before the current context,
// as for the docker command; the configuration before all of them.
func TestPin(t *testing.T) {
	const there = `{"currentContext": "there"}`
	for name, c := range map[string]struct {
		config      docker.Config
		file        string // config.json
		host, named string // DOCKER_HOST, DOCKER_CONTEXT
		want        docker.Config
	}{
		"nothing":                        {want: docker.Config{Host: client.DefaultDockerHost}},
		"the current context":            {file: there, want: docker.Config{Context: "there"}},
		"no current context":             {file: `{"auths": {}}`, want: docker.Config{Host: client.DefaultDockerHost}},
		"the default context":            {config: docker.Config{Context: "default"}, file: there, want: docker.Config{Host: client.DefaultDockerHost}},
		"DOCKER_CONTEXT":                 {named: "here", want: docker.Config{Context: "here"}},
		"DOCKER_CONTEXT before the file": {named: "here", file: there, want: docker.Config{Context: "here"}},
		"DOCKER_CONTEXT, a broken file":  {named: "here", file: `{`, want: docker.Config{Context: "here"}},
		"DOCKER_HOST":                    {host: "tcp://a:1", want: docker.Config{Host: "tcp://a:1"}},
		"DOCKER_HOST before all":         {host: "tcp://a:1", named: "here", file: there, want: docker.Config{Host: "tcp://a:1"}},
		"DOCKER_HOST, a broken file":     {host: "tcp://a:1", file: `{`, want: docker.Config{Host: "tcp://a:1"}},
		"a host":                         {config: docker.Config{Host: "tcp://b:2"}, host: "tcp://a:1", file: there, want: docker.Config{Host: "tcp://b:2"}},
		"a context":                      {config: docker.Config{Context: "mine"}, host: "tcp://a:1", named: "here", want: docker.Config{Context: "mine"}},
		"the fence stays":                {config: docker.Config{Project: "p", Labels: []string{"l"}}, file: there, want: docker.Config{Context: "there", Project: "p", Labels: []string{"l"}}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			if c.file != "" {
				files["config.json"] = c.file
			}
			t.Setenv("DOCKER_CONFIG", dockerConfig(t, files))
			t.Setenv("DOCKER_HOST", c.host)
			t.Setenv("DOCKER_CONTEXT", c.named)
			got, err := pinOf(c.config)
			if err != nil || got.Host != c.want.Host || got.Context != c.want.Context || got.Fence() != c.want.Fence() {
				t.Errorf("%+v %v, expected %+v", got, err, c.want)
			}
			again, err := pinOf(*got) // in another process
			if err != nil || again.Host != got.Host || again.Context != got.Context {
				t.Errorf("pinned again: %+v %v", again, err)
			}
		})
	}
}

func TestPinOfWhatCannotBeRead(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"a broken file": {"config.json": `{"currentContext": `},
		"a wrong type":  {"config.json": `{"currentContext": 7}`},
		"a folder":      {"config.json/x": ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DOCKER_CONFIG", dockerConfig(t, files))
			if _, err := pinOf(docker.Config{}); err == nil || !strings.Contains(err.Error(), "read the docker configuration") {
				t.Errorf("pinned: %v", err)
			}
			if _, err := docker.Connect(t.Context(), &docker.Config{}); err == nil || !strings.Contains(err.Error(), "read the docker configuration") {
				t.Errorf("connected: %v", err)
			}
		})
	}
}

// The configuration is in the home folder if DOCKER_CONFIG does not say otherwise.
func TestPinInTheHomeFolder(t *testing.T) {
	t.Setenv("HOME", dockerConfig(t, map[string]string{".docker/config.json": `{"currentContext": "at-home"}`}))
	t.Setenv("DOCKER_CONFIG", "")
	if got, err := pinOf(docker.Config{}); err != nil || got.Context != "at-home" {
		t.Errorf("%+v %v", got, err)
	}
}

// reached is the address of the engine that a configuration leads to.
func reached(t *testing.T, config docker.Config) string {
	t.Helper()
	engine, err := docker.Connect(t.Context(), &config)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	return engine.Host()
}

func TestConnect(t *testing.T) {
	one, two, three := newFakeEngine(t), newFakeEngine(t), newFakeEngine(t)
	t.Setenv("DOCKER_CONFIG", dockerConfig(t, map[string]string{
		"config.json": `{"currentContext": "one"}`,
		contextFolder("meta", "one") + "/meta.json": contextAt("one", one.Host()),
		contextFolder("meta", "two") + "/meta.json": contextAt("two", two.Host()),
	}))
	at := func(config docker.Config, want *fakeEngine) {
		t.Helper()
		if got := reached(t, config); got != want.Host() {
			t.Errorf("%+v: reached %s, expected %s", config, got, want.Host())
		}
	}
	at(docker.Config{}, one)
	at(docker.Config{Context: "two"}, two)
	at(docker.Config{Host: three.Host()}, three)
	t.Setenv("DOCKER_CONTEXT", "two")
	at(docker.Config{}, two)
	t.Setenv("DOCKER_HOST", three.Host())
	at(docker.Config{}, three)
	at(docker.Config{Context: "one"}, one)
}

// A context of its own certificates.
func TestConnectByTLS(t *testing.T) {
	e := newFakeEngineOn(t, func(h http.Handler) *httptest.Server {
		server := httptest.NewUnstartedServer(h)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		return server
	})
	pair := e.Server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}))
	secret := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	files := map[string]string{
		contextFolder("meta", "far") + "/meta.json":       contextAt("far", e.Host()),
		contextFolder("tls", "far") + "/docker/ca.pem":    cert,
		contextFolder("tls", "far") + "/docker/cert.pem":  cert,
		contextFolder("tls", "far") + "/docker/key.pem":   secret,
		contextFolder("meta", "bare") + "/meta.json":      contextAt("bare", e.Host()),
		contextFolder("meta", "bad") + "/meta.json":       contextAt("bad", e.Host()),
		contextFolder("tls", "bad") + "/docker/ca.pem":    "no certificate",
		contextFolder("tls", "bad") + "/docker/cert.pem":  cert,
		contextFolder("tls", "bad") + "/docker/key.pem":   secret,
		contextFolder("meta", "half") + "/meta.json":      contextAt("half", e.Host()),
		contextFolder("tls", "half") + "/docker/ca.pem":   cert,
		contextFolder("tls", "half") + "/docker/cert.pem": cert,
	}
	t.Setenv("DOCKER_CONFIG", dockerConfig(t, files))
	if got := reached(t, docker.Config{Context: "far"}); got != e.Host() {
		t.Errorf("reached %s", got)
	}
	for name, says := range map[string]string{"bare": "HTTP", "bad": "ca.pem", "half": "key.pem"} {
		if engine, err := docker.Connect(t.Context(), &docker.Config{Context: name}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("context %s: %v %v, expected an error about %s", name, engine, err, says)
		}
	}
}

func TestContextsThatAreNone(t *testing.T) {
	meta := func(name string) string { return contextFolder("meta", name) + "/meta.json" }
	t.Setenv("DOCKER_CONFIG", dockerConfig(t, map[string]string{
		meta("broken"):   `{"Name": `,
		meta("empty"):    `{}`,
		meta("kube"):     `{"Name": "kube", "Endpoints": {"kubernetes": {"Host": "https://k"}}}`,
		meta("ssh"):      contextAt("ssh", "ssh://me@far"),
		meta("nonsense"): contextAt("nonsense", "somewhere"),
		meta("list"):     `{"Endpoints": []}`,
	}))
	for _, c := range []struct {
		config docker.Config
		says   string
	}{
		{docker.Config{Context: "absent"}, `there is no docker context "absent"`},
		{docker.Config{Context: "broken"}, `read docker context "broken"`},
		{docker.Config{Context: "list"}, `read docker context "list"`},
		{docker.Config{Context: "empty"}, `docker context "empty" has no docker endpoint`},
		{docker.Config{Context: "kube"}, `docker context "kube" has no docker endpoint`},
		{docker.Config{Context: "ssh"}, "ssh://me@far"},
		{docker.Config{Context: "nonsense"}, "unable to parse docker host"},
		{docker.Config{Host: "ssh://me@far"}, "host: unix:///tmp/docker.sock"},
		{docker.Config{Host: "somewhere"}, "unable to parse docker host"},
	} {
		if _, err := docker.Connect(t.Context(), &c.config); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, expected %q", c.config, err, c.says)
		}
	}
}

// What to do is said if no engine answers, and why none does.
func TestConnectToNothing(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "tcp://" + listener.Addr().String()
	_ = listener.Close()
	broken := newFakeEngine(t)
	broken.Answer("GET /info", http.StatusInternalServerError, `{"message":"storage is broken"}`)
	garbage := newFakeEngine(t)
	garbage.Answer("GET /info", http.StatusOK, `<html>`)
	socket := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	for host, says := range map[string]string{
		refusing: "is the docker daemon running?", socket: "none.sock", broken.Host(): "storage is broken", garbage.Host(): "invalid character",
	} {
		_, err := docker.Connect(t.Context(), &docker.Config{Host: host})
		if err == nil || !strings.HasPrefix(err.Error(), "no Docker engine answers at "+host+": start it, or correct DOCKER_HOST, or docker: {host: …} in gameday.yaml") || !strings.Contains(strings.ToLower(err.Error()), says) {
			t.Errorf("%v, expected %q", err, says)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := docker.Connect(ctx, &docker.Config{Host: newFakeEngine(t).Host()}); err == nil {
		t.Error("reached an engine after time was up")
	}
}
