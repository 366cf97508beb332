package enginetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// Network creates a network that uses the engine's DNS server, and is removed after the
// test. Each call creates another one. Where a container that ends is looked for at its
// former address, a network of its own keeps that address from all others.
func (b *Bed) Network() string { b.T.Helper(); return b.network(network.CreateOptions{}) }

// NetworkOfBoth is [Bed.Network] with addresses of IPv4 and IPv6.
func (b *Bed) NetworkOfBoth() string {
	b.T.Helper()
	subnet := fmt.Sprintf("fd%02x:%x:%x::/64", rand.N(256), rand.N(1<<16), rand.N(1<<16)) // unique local (RFC 4193)
	return b.network(network.CreateOptions{EnableIPv6: new(true), IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: subnet}}}})
}

func (b *Bed) network(options network.CreateOptions) string {
	b.T.Helper()
	name := strings.NewReplacer(".", "-", "=", "-").Replace(b.Label) + "-" + strconv.Itoa(int(b.networks.Add(1)))
	options.Labels = b.Labels()
	created, err := b.Client.NetworkCreate(b.T.Context(), name, options)
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(func() {
		b.Eventually("the network can be removed", func() bool {
			return b.Client.NetworkRemove(b.afterwards(), created.ID) == nil
		})
	})
	return name
}

// Exec runs a command in a container, and returns its exit code and output.
func (b *Bed) Exec(id string, command ...string) (int, string) {
	b.T.Helper()
	ctx := b.T.Context()
	created, err := b.Client.ContainerExecCreate(ctx, id, container.ExecOptions{Cmd: command, AttachStdout: true, AttachStderr: true})
	if err != nil {
		b.T.Fatal(err)
	}
	stream, err := b.Client.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		b.T.Fatal(err)
	}
	defer stream.Close()
	var output bytes.Buffer
	if _, err := stdcopy.StdCopy(&output, &output, stream.Reader); err != nil {
		b.T.Fatal(err)
	}
	done, err := b.Client.ContainerExecInspect(ctx, created.ID)
	if err != nil {
		b.T.Fatal(err)
	}
	return done.ExitCode, output.String()
}

// Echo starts an echo server on port 7 in the container, for TCP and UDP.
func (b *Bed) Echo(id string) {
	b.T.Helper()
	ctx := b.T.Context()
	created, err := b.Client.ContainerExecCreate(ctx, id, container.ExecOptions{Cmd: []string{"/gameday-lab", "echo", ":7"}})
	if err != nil {
		b.T.Fatal(err)
	}
	if err := b.Client.ContainerExecStart(ctx, created.ID, container.ExecStartOptions{Detach: true}); err != nil {
		b.T.Fatal(err)
	}
	b.Eventually("the echo server answers on port 7", func() bool {
		code, _ := b.Exec(id, "/gameday-lab", "reach", "udp", "127.0.0.1:7", "300ms")
		return code == 0
	})
}

// Reaches reports whether a container reaches an address, and how long it took; see
// echo.Reach.
func (b *Bed) Reaches(from, network, address string) (bool, time.Duration) {
	b.T.Helper()
	code, output := b.Exec(from, "/gameday-lab", "reach", network, address, "700ms")
	took, _ := time.ParseDuration(strings.TrimSpace(output))
	return code == 0, took
}

// PID is the ID of the container's main process on this machine.
func (b *Bed) PID(id string) int { return b.Inspect(id).State.Pid }

// Kernel is the packet filters and queues in a container's network namespace, as text for
// comparison.
func (b *Bed) Kernel(id string) string {
	b.T.Helper()
	space, err := netns.GetFromPid(b.PID(id))
	if err != nil {
		if os.Geteuid() != 0 {
			Missing(b.T, "reading a container's network namespace requires root")
		}
		b.T.Fatal(err)
	}
	defer space.Close()
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	filters, err := nftables.New(nftables.WithNetNSFd(int(space)))
	if err != nil {
		b.T.Fatal(err)
	}
	tables, err := filters.ListTables()
	if err != nil {
		b.T.Fatal(err)
	}
	for _, t := range tables {
		add("table %d %s", t.Family, t.Name)
	}
	handle, err := netlink.NewHandleAt(space)
	if err != nil {
		b.T.Fatal(err)
	}
	defer handle.Close()
	links, err := handle.LinkList()
	if err != nil {
		b.T.Fatal(err)
	}
	for _, link := range links {
		queues, err := handle.QdiscList(link)
		if err != nil {
			b.T.Fatal(err)
		}
		for _, q := range queues {
			add("queue %s %s %x", link.Attrs().Name, q.Type(), q.Attrs().Handle)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// Path is the path on this machine of a file in a container.
func (b *Bed) Path(id, path string) string {
	return "/proc/" + strconv.Itoa(b.PID(id)) + "/root" + path
}

// Helpers are the IDs of the helpers of a container.
func (b *Bed) Helpers(id string) []string {
	b.T.Helper()
	list, err := b.Client.ContainerList(b.T.Context(), container.ListOptions{All: true})
	if err != nil {
		b.T.Fatal(err)
	}
	var found []string
	for _, c := range list {
		if c.Labels["gameday.helper"] == id {
			found = append(found, c.ID)
		}
	}
	return found
}
