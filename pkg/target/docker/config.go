package docker

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/docker/client"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Config is how to reach an engine, and which of its containers lie inside the
// fence. It is what a journal keeps to reach them again.
type Config struct {
	Context string   `json:"context,omitempty" yaml:"context,omitempty" jsonschema_description:"A docker context. Without context and host, DOCKER_HOST or the current context counts."`
	Host    string   `json:"host,omitempty" yaml:"host,omitempty" jsonschema_description:"The engine's address: unix:///var/run/docker.sock, tcp://host:2376."`
	Project string   `json:"project,omitempty" yaml:"project,omitempty" jsonschema_description:"The compose project whose containers may be touched."`
	Labels  []string `json:"labels,omitempty" yaml:"labels,omitempty" jsonschema_description:"Instead of a project: containers with all of these labels (key=value) may be touched."`
}

var _ target.Settings = (*Config)(nil)

// Check implements [target.Settings].
func (c *Config) Check(problem func(key, text string)) {
	if c.Project == "" && len(c.Labels) == 0 {
		problem("", "no fence: name the compose project (project:), or labels")
	}
	if c.Project != "" && len(c.Labels) > 0 {
		problem("labels", "found both project and labels, expected one of them")
	}
	if c.Context != "" && c.Host != "" {
		problem("host", "found both context and host, expected one of them")
	}
}

// Fence implements [target.Settings].
func (c *Config) Fence() string {
	if c.Project != "" {
		return "compose project " + c.Project
	}
	return "labels " + strings.Join(c.Labels, ", ")
}

// fenceName tells one fence on an engine from another, however its labels are
// ordered.
func (c *Config) fenceName() string {
	return cmp.Or(c.Project, strings.Join(slices.Sorted(slices.Values(c.Labels)), ","))
}

// Pin implements [target.Settings]: the engine that the surroundings choose
// (DOCKER_HOST, the current context, else the default socket) is written down.
func (c *Config) Pin() (target.Settings, error) {
	pinned, err := c.pinned()
	return &pinned, err
}

// defaultContext is the docker command's name for no context at all.
const defaultContext = "default"

func (c *Config) pinned() (Config, error) {
	pinned := *c
	if c.Host != "" || c.Context != "" && c.Context != defaultContext {
		return pinned, nil
	}
	pinned.Context = ""
	if host := os.Getenv(client.EnvOverrideHost); host != "" {
		pinned.Host = host
		return pinned, nil
	}
	if c.Context == "" {
		name, err := currentContext()
		if err != nil || name != "" && name != defaultContext {
			pinned.Context = name
			return pinned, err
		}
	}
	pinned.Host = client.DefaultDockerHost
	return pinned, nil
}

// options are the client's for this engine. The API version is negotiated, so
// that engines from 20.10 to today's are spoken to in their own.
func (c *Config) options() ([]client.Opt, error) {
	at, err := c.pinned()
	if err != nil {
		return nil, err
	}
	if at.Context != "" {
		return contextOptions(at.Context)
	}
	opts := []client.Opt{client.WithAPIVersionNegotiation(), client.WithTLSClientConfigFromEnv()}
	return append(opts, client.WithHost(at.Host)), sshRefusal(at.Host)
}

func sshRefusal(host string) error {
	if strings.HasPrefix(host, "ssh://") {
		return fmt.Errorf("the engine at %s is reached over ssh, which gameday does not support: forward its socket (ssh -L /tmp/docker.sock:/var/run/docker.sock …) and set host: unix:///tmp/docker.sock", host)
	}
	return nil
}

// configDir is where the docker command keeps its configuration.
func configDir() string {
	home, _ := os.UserHomeDir() // without one there is no configuration either
	return cmp.Or(os.Getenv("DOCKER_CONFIG"), filepath.Join(home, ".docker"))
}

// currentContext is the context chosen with `docker context use`, or "".
func currentContext() (string, error) {
	if name := os.Getenv("DOCKER_CONTEXT"); name != "" {
		return name, nil
	}
	data, err := os.ReadFile(filepath.Join(configDir(), "config.json"))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	var config struct{ CurrentContext string }
	if err == nil {
		err = json.Unmarshal(data, &config)
	}
	if err != nil {
		return "", fmt.Errorf("read the docker configuration: %w", err)
	}
	return config.CurrentContext, nil
}

// contextOptions reads a context as the docker command stores it: metadata and
// TLS material in folders named by the SHA-256 of the context's name.
func contextOptions(name string) ([]client.Opt, error) {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	data, err := os.ReadFile(filepath.Join(configDir(), "contexts", "meta", id, "meta.json")) //nolint:gosec // G304: the user's own configuration
	if err != nil {
		return nil, fmt.Errorf("there is no docker context %q (docker context ls lists them): %w", name, err)
	}
	var meta struct {
		Endpoints map[string]struct{ Host string }
	}
	if err := json.Unmarshal(data, &meta); err != nil {
		return nil, fmt.Errorf("read docker context %q: %w", name, err)
	}
	host := meta.Endpoints["docker"].Host
	opts := []client.Opt{client.WithAPIVersionNegotiation(), client.WithHost(host)}
	if host == "" {
		return nil, fmt.Errorf("docker context %q has no docker endpoint", name)
	}
	tls := filepath.Join(configDir(), "contexts", "tls", id, "docker")
	if _, err := os.Stat(filepath.Join(tls, "ca.pem")); err == nil {
		opts = append(opts, client.WithTLSClientConfig(
			filepath.Join(tls, "ca.pem"), filepath.Join(tls, "cert.pem"), filepath.Join(tls, "key.pem")))
	}
	return opts, sshRefusal(host)
}
