package fault_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/vishvananda/netns"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/target"
)

// dialFrom connects to an address from inside a container. The connection stays there.
func dialFrom(t *testing.T, s scene, id, address string) net.Conn {
	t.Helper()
	type dialed struct {
		conn net.Conn
		err  error
	}
	done := make(chan dialed, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends in the container's namespace
		space, err := netns.GetFromPid(s.PID(id))
		if err == nil {
			defer space.Close()
			err = netns.Set(space)
		}
		if err != nil {
			done <- dialed{nil, err}
			return
		}
		conn, err := net.DialTimeout("tcp", address, enginetest.Soon) //nolint:noctx // it is bounded
		done <- dialed{conn, err}
	}()
	d := <-done
	if d.err != nil {
		if os.Geteuid() != 0 {
			enginetest.Missing(t, "entering a container's network namespace requires root")
		}
		t.Fatal(d.err)
	}
	t.Cleanup(func() { _ = d.conn.Close() })
	return d.conn
}

// trip is one byte to an echo server and back on a connection that is kept.
func trip(conn net.Conn, within time.Duration) (took time.Duration, err error) {
	began := time.Now()
	if err := conn.SetDeadline(began.Add(within)); err != nil {
		return 0, err
	}
	if _, err = conn.Write([]byte("x")); err == nil {
		_, err = conn.Read(make([]byte, 1))
	}
	return time.Since(began), err
}

// Connections that were there before a fault feel it with their next packet, as pools of
// applications keep them for hours; and when it is undone, they go on (case 75).
func TestConnectionsThatAreKeptFeelAFault(t *testing.T) {
	t.Parallel()
	enginetest.Shared(t)
	s := scene{Bed: enginetest.New(t)}
	host := container.HostConfig{NetworkMode: container.NetworkMode(s.Network())}
	s.id, s.peer = s.StartWith(host), s.StartWith(host, "gameday.test.peer=yes")
	s.Echo(s.id)
	s.Echo(s.peer)
	kept := map[string]func() net.Conn{
		"a user's": func() net.Conn {
			conn, err := dial(s, "tcp", 7, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		},
		"a peer's": func() net.Conn { return dialFrom(t, s, s.peer, s.Address(s.id)+":7") },
		"its own":  func() net.Conn { return dialFrom(t, s, s.id, s.Address(s.peer)+":7") },
	}
	const by, patience = 200 * time.Millisecond, 400 * time.Millisecond
	peer := target.Selector{Label: "gameday.test.peer=yes"}
	h := s.Open(s.id)
	for name, c := range map[string]struct {
		fault fault.Fault
		spare string // whose connection does not feel it
	}{
		"drop":                {of(&fault.Drop{Traffic: fault.Traffic{Ports: []uint16{7}}}), ""},
		"drop, what comes in": {of(&fault.Drop{Traffic: fault.Traffic{Protocol: "tcp", Direction: fault.In}}), ""},
		"isolate":             {of(&fault.Isolate{}), ""},
		"reject":              {of(&fault.Reject{Traffic: fault.Traffic{Ports: []uint16{7}}}), ""},
		"partition":           {of(&fault.Partition{From: peer}), "a user's"},
		"partition, one way":  {of(&fault.Partition{From: peer, Direction: fault.Out}), "a user's"},
		"delay":               {of(&fault.Delay{By: by}), ""},
		"delay, to peers":     {of(&fault.Delay{By: by, Traffic: fault.Traffic{Peer: peer}}), "a user's"},
		"corrupt":             {of(&fault.Corrupt{Traffic: fault.Traffic{Protocol: "tcp"}, Share: 1}), ""},
	} {
		conns := map[string]net.Conn{}
		for whose, open := range kept {
			conns[whose] = open()
			if _, err := trip(conns[whose], enginetest.Soon); err != nil {
				t.Fatalf("%s: %s connection before the fault: %v", name, whose, err)
			}
		}
		was, err := c.fault.Prepare(t.Context(), h)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := c.fault.Inject(t.Context(), h, was); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for whose, conn := range conns {
			took, err := trip(conn, patience)
			if felt := err != nil || took >= by; felt == (whose == c.spare) {
				t.Errorf("%s: %s connection was answered after %v (%v)", name, whose, took, err)
			}
		}
		if err := c.fault.Revert(t.Context(), h, was); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for whose, conn := range conns {
			s.Eventually(fmt.Sprintf("%s: %s connection goes on", name, whose), func() bool { _, err := trip(conn, patience); return err == nil })
			_ = conn.Close()
		}
	}
}

// A peer that is created anew during a partition, at another address, is cut off from the next
// check on; whoever gets its former address is not (case 87).
func TestAPeerThatIsCreatedAnew(t *testing.T) {
	t.Parallel()
	enginetest.Shared(t)
	s := scene{Bed: enginetest.New(t)}
	host := container.HostConfig{NetworkMode: container.NetworkMode(s.Network())}
	s.id = s.StartWith(host)
	s.peer = s.StartWith(host, "gameday.test.peer=yes")
	s.Echo(s.id)
	h, f := s.Open(s.id), of(&fault.Partition{From: target.Selector{Label: "gameday.test.peer=yes"}})
	was, err := f.Prepare(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Inject(t.Context(), h, was); err != nil {
		t.Fatal(err)
	}
	reaches := func(from string) bool {
		ok, _ := s.Reaches(from, "tcp", s.Address(s.id)+":7")
		return ok
	}
	if reaches(s.peer) {
		t.Error("the peer is not cut off")
	}
	former := s.Address(s.peer)
	s.Remove(s.peer)
	other := s.StartWith(host) // takes the address
	anew := s.StartWith(host, "gameday.test.peer=yes")
	if s.Address(other) != former || s.Address(anew) == former {
		t.Fatalf("the peer had %s; the other one has %s, and the new peer %s", former, s.Address(other), s.Address(anew))
	}
	if err := f.(fault.Verifier).InForce(t.Context(), h, was); err != nil {
		t.Error(err)
	}
	if reaches(anew) || !reaches(other) {
		t.Errorf("the new peer gets through: %t, the other one: %t", reaches(anew), reaches(other))
	}
	if err := f.Revert(t.Context(), h, was); err != nil {
		t.Fatal(err)
	}
	s.Eventually("the new peer gets through", func() bool { return reaches(anew) })
}
