package enginetest

import (
	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
)

// Publish creates a container whose port is published on loopback only, and returns its id.
// The container is removed after the test. tmpfs are folders that would be volumes of the
// image, which would be left behind.
func (b *Bed) Publish(config *container.Config, port nat.Port, tmpfs ...string) (id string) {
	b.T.Helper()
	config.ExposedPorts, config.Labels = nat.PortSet{port: {}}, b.Labels()
	host := &container.HostConfig{PortBindings: nat.PortMap{port: {{HostIP: "127.0.0.1", HostPort: FreePort(b.T)}}}, Tmpfs: map[string]string{}}
	for _, folder := range tmpfs {
		host.Tmpfs[folder] = ""
	}
	created, err := b.Client.ContainerCreate(b.T.Context(), config, host, nil, nil, "")
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(func() { b.Remove(created.ID) })
	return created.ID
}

// Published is the port on loopback at which a container's port is published.
func (b *Bed) Published(id string, port nat.Port) string {
	b.T.Helper()
	return b.Inspect(id).HostConfig.PortBindings[port][0].HostPort
}
