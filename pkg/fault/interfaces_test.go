package fault_test

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/target"
)

// in calls a function with the container's network namespace.
func in(t *testing.T, s scene, id string, do func(h *netlink.Handle)) {
	t.Helper()
	s.Kernel(id) // it takes root, and says so
	space, err := netns.GetFromPid(s.PID(id))
	if err != nil {
		t.Fatal(err)
	}
	defer space.Close()
	h, err := netlink.NewHandleAt(space)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	do(h)
}

// A component that is attached to another network while a fault lasts has the fault there,
// too, from the next check on; and nothing of it is left when it is undone.
func TestANetworkThatComesDuringAFault(t *testing.T) {
	t.Parallel()
	enginetest.Shared(t)
	s := scene{Bed: enginetest.New(t)}
	first, second := s.Network(), s.Network()
	s.id = s.StartWith(container.HostConfig{NetworkMode: container.NetworkMode(first)})
	s.peer = s.StartWith(container.HostConfig{NetworkMode: container.NetworkMode(second)}, "gameday.test.peer=yes")
	s.Echo(s.peer)
	h := s.Open(s.id)
	reaches := func() bool {
		ok, _ := s.Reaches(s.id, "udp", s.Address(s.peer)+":7")
		return ok
	}
	peer := target.Selector{Label: "gameday.test.peer=yes"}
	for name, f := range map[string]fault.Fault{
		"isolate":            of(&fault.Isolate{}),
		"partition, one way": of(&fault.Partition{From: peer, Direction: fault.Out}),
		"bandwidth":          of(&fault.Bandwidth{Rate: 8_000_000}),
	} {
		was, err := f.Prepare(t.Context(), h)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := f.Inject(t.Context(), h, was); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := s.Client.NetworkConnect(t.Context(), second, s.id, nil); err != nil {
			t.Fatal(err)
		}
		verifier, _ := f.(fault.Verifier)
		if err := verifier.InForce(t.Context(), h, was); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "bandwidth" {
			if n := strings.Count(s.Kernel(s.id), " tbf "); n != 2 {
				t.Errorf("the bound is on %d of 2 interfaces:\n%s", n, s.Kernel(s.id))
			}
		} else if reaches() {
			t.Errorf("%s: passes by the network that came", name)
		}
		if err := f.Revert(t.Context(), h, was); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s.Eventually(name+" is undone", reaches)
		if err := s.Client.NetworkDisconnect(t.Context(), second, s.id, false); err != nil {
			t.Fatal(err)
		}
	}
}

// Addresses of a peer that the engine does not know are met once the component has talked to
// them: a virtual address, and an IPv6 address of its interface alone.
func TestAddressesThatTheEngineDoesNotKnow(t *testing.T) {
	t.Parallel()
	enginetest.Shared(t)
	s := bothFamilies(t)
	s.Echo(s.peer)
	own := netip.MustParseAddr(s.Address(s.peer)).As4()
	own[3] = 200
	virtual := netip.AddrFrom4(own).String()
	in(t, s.scene, s.peer, func(h *netlink.Handle) {
		link, err := h.LinkByName("eth0")
		if err != nil {
			t.Fatal(err)
		}
		address, err := netlink.ParseAddr(virtual + "/32")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.AddrAdd(link, address); err != nil {
			t.Fatal(err)
		}
	})
	var local string
	in(t, s.scene, s.peer, func(h *netlink.Handle) {
		all, err := h.AddrList(nil, netlink.FAMILY_V6)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if a.IP.IsLinkLocalUnicast() {
				local = a.IP.String() + "%eth0"
			}
		}
	})
	reaches := func(address string) bool {
		ok, _ := s.Reaches(s.id, "tcp", net.JoinHostPort(address, "7"))
		return ok
	}
	for _, address := range []string{virtual, local} {
		s.Eventually("the component reaches "+address, func() bool { return reaches(address) })
	}
	f := of(&fault.Partition{From: target.Selector{Label: "gameday.test.peer=yes"}, Direction: fault.Out})
	h := s.Open(s.id)
	was, err := f.Prepare(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Inject(t.Context(), h, was); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{virtual, local} {
		if reaches(address) {
			t.Errorf("%s passes", address)
		}
	}
	if err := f.Revert(t.Context(), h, was); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{virtual, local} {
		s.Eventually(address+" is reached again", func() bool { return reaches(address) })
	}
}

// What a kernel says about the network is not traffic: nothing was felt by a component that
// talks to no other one.
func TestAComponentThatIsNotUsedFeelsNothing(t *testing.T) {
	t.Parallel()
	enginetest.Shared(t)
	s := bothFamilies(t)
	h := s.Open(s.id)
	isolate, bound := of(&fault.Isolate{}), of(&fault.Bandwidth{Rate: 1_000_000_000})
	for name, f := range map[string]fault.Fault{"isolate": isolate, "bandwidth": bound} {
		was, err := f.Prepare(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Inject(t.Context(), h, was); err != nil {
			t.Fatal(err)
		}
		// The kernel looks whether an address is free, and joins the group of that address.
		in(t, s.scene, s.id, func(h *netlink.Handle) {
			link, err := h.LinkByName("eth0")
			if err != nil {
				t.Fatal(err)
			}
			address, err := netlink.ParseAddr("fd00:dead::1/64")
			if err != nil {
				t.Fatal(err)
			}
			if err := h.AddrAdd(link, address); err != nil {
				t.Fatal(err)
			}
			s.Eventually("the kernel has looked whether the address is free", func() bool { return !tentative(t, h, link) })
			if err := h.AddrDel(link, address); err != nil {
				t.Fatal(err)
			}
		})
		if n := felt(t, f, h, was); n != 0 {
			t.Errorf("%s: felt %d packets, and nobody was there", name, n)
		}
		if name == "bandwidth" {
			if ok, _ := s.trip("udp", "IPv6"); !ok || felt(t, f, h, was) != 0 {
				t.Error("a packet below the bound was lost, or counts as held back")
			}
		}
		if err := f.Revert(t.Context(), h, was); err != nil {
			t.Fatal(err)
		}
	}
}

// tentative reports whether the kernel still looks whether an address is free.
func tentative(t *testing.T, h *netlink.Handle, link netlink.Link) bool {
	t.Helper()
	all, err := h.AddrList(link, netlink.FAMILY_V6)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(all, func(a netlink.Addr) bool { return a.Flags&unix.IFA_F_TENTATIVE != 0 })
}
