package fault_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/target"
)

// families is a component and a peer that speak IPv4 and IPv6 with each other.
type families struct {
	scene

	addresses map[string]string // the component's, by family
}

func bothFamilies(t *testing.T) families {
	t.Helper()
	s := scene{Bed: enginetest.New(t)}
	host := container.HostConfig{NetworkMode: container.NetworkMode(s.NetworkOfBoth())}
	s.id = s.StartWith(host)
	s.peer = s.StartWith(host, "gameday.test.peer=yes")
	s.Echo(s.id)
	all := families{scene: s, addresses: map[string]string{}}
	for _, n := range s.Inspect(s.id).NetworkSettings.Networks {
		all.addresses["IPv4"], all.addresses["IPv6"] = n.IPAddress, n.GlobalIPv6Address
	}
	for family, address := range all.addresses {
		s.Eventually("the peer reaches it by "+family, func() bool {
			ok, _ := s.Reaches(s.peer, "udp", net.JoinHostPort(address, "7"))
			return ok
		})
	}
	return all
}

// trip is one round trip of a packet from the peer by a family.
func (f families) trip(network, family string) (ok bool, took time.Duration) {
	return f.Reaches(f.peer, network, net.JoinHostPort(f.addresses[family], "7"))
}

// A network fault is in force for both families of addresses, and neither is left behind.
// One that is in force for IPv4 alone passes by peers that speak IPv6.
func TestBothFamilies(t *testing.T) {
	t.Parallel()
	enginetest.Shared(t)
	s := bothFamilies(t)
	h := s.Open(s.id)
	kernel := s.Kernel(s.id)
	peer := target.Selector{Label: "gameday.test.peer=yes"}
	udp := fault.Traffic{Protocol: "udp"}
	lost := func(ok bool, _ time.Duration) bool { return !ok }
	slow := func(ok bool, took time.Duration) bool { return ok && took >= 100*time.Millisecond }
	for name, c := range map[string]struct {
		fault fault.Fault
		net   string
		felt  func(ok bool, took time.Duration) bool
	}{
		"partition":           {of(&fault.Partition{From: peer}), "tcp", lost},
		"partition, one way":  {of(&fault.Partition{From: peer, Direction: fault.Out}), "udp", lost},
		"isolate":             {of(&fault.Isolate{}), "udp", lost},
		"reject":              {of(&fault.Reject{Traffic: fault.Traffic{Peer: peer}}), "tcp", lost},
		"delay":               {of(&fault.Delay{By: 100 * time.Millisecond}), "udp", slow},
		"delay, to peers":     {of(&fault.Delay{By: 100 * time.Millisecond, Traffic: fault.Traffic{Peer: peer, Direction: fault.In}}), "tcp", slow},
		"corrupt":             {of(&fault.Corrupt{Traffic: udp, Share: 1}), "udp", lost},
		"duplicate":           {of(&fault.Duplicate{Traffic: udp}), "udp", func(ok bool, _ time.Duration) bool { return ok }},
		"reorder, of nothing": {of(&fault.Reorder{Traffic: fault.Traffic{Peer: peer}, Share: 1e-6, By: 100 * time.Millisecond}), "udp", slow},
	} {
		was, err := c.fault.Prepare(t.Context(), h)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := c.fault.Inject(t.Context(), h, was); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before := felt(t, c.fault, h, was)
		for _, family := range []string{"IPv4", "IPv6"} {
			if ok, took := s.trip(c.net, family); !c.felt(ok, took) {
				t.Errorf("%s: passes by %s (%t, after %v)", name, family, ok, took)
			}
			if now := felt(t, c.fault, h, was); now <= before && !strings.HasPrefix(name, "reorder") {
				t.Errorf("%s: has met none of the packets by %s (%d, before %d)", name, family, now, before)
			} else {
				before = now
			}
		}
		if err := c.fault.Revert(t.Context(), h, was); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, family := range []string{"IPv4", "IPv6"} {
			s.Eventually(name+" is undone for "+family, func() bool {
				ok, took := s.trip(c.net, family)
				return ok && took < 100*time.Millisecond
			})
		}
		if got := s.Kernel(s.id); got != kernel {
			t.Errorf("%s: the kernel had\n%s\nand has\n%s", name, kernel, got)
		}
	}
}

// felt is how many packets a fault has met.
func felt(t *testing.T, f fault.Fault, h target.Handle, was fault.State) uint64 {
	t.Helper()
	feeler, ok := f.(fault.Feeler)
	if !ok {
		t.Fatalf("%T counts no packets", f)
	}
	n, known, err := feeler.Felt(t.Context(), h, was)
	if err != nil || !known {
		t.Fatal(errors.Join(err, errors.New("it does not tell what it has met")))
	}
	return n
}
