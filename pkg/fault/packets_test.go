package fault_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"golang.org/x/sys/unix"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/target"
)

// of is the fault of a spec.
func of(spec any) fault.Fault {
	f, ok := fault.Of(spec)
	if !ok {
		panic(fmt.Sprintf("%T is no fault", spec))
	}
	return f
}

// fromPeer is whether the peer reaches the component's port by TCP.
func fromPeer(s scene) bool {
	ok, _ := s.Reaches(s.peer, "tcp", s.Address(s.id)+":8080")
	return ok
}

// roundTrips are those of packets by UDP from the peer to the component and
// back, sorted by whether they took at least so long; lost is how many were.
func roundTrips(s scene, n int, atLeast time.Duration) (slow, fast, lost int) {
	for range n {
		ok, took := s.Reaches(s.peer, "udp", s.Address(s.id)+":7")
		switch {
		case !ok:
			lost++
		case took >= atLeast:
			slow++
		default:
			fast++
		}
	}
	return slow, fast, lost
}

func packetSuite() map[string]conformance {
	peer := target.Selector{Label: "gameday.test.peer=yes"}
	serves := func(s scene) bool { return s.Serves(s.id) }
	cut := func(s scene) bool { return !fromPeer(s) }
	return map[string]conformance{
		"partition": {fault: of(&fault.Partition{From: peer}), network: true, felt: cut, notFelt: serves},
		"partition, one way": {
			fault: of(&fault.Partition{From: peer, Direction: fault.Out}), network: true, notFelt: serves,
			// What leaves is lost and nobody is told: the sender least of all.
			felt: func(s scene) bool {
				code, output := s.Exec(s.id, "/gameday-lab", "reach", "udp", s.Address(s.peer)+":9", "300ms")
				return cut(s) && code != 0 && timedOut(output)
			},
		},
		"isolate":                 {fault: of(&fault.Isolate{}), network: true, felt: func(s scene) bool { return cut(s) && !s.Serves(s.id) }},
		"isolate, the probe kept": {fault: of(&fault.Isolate{KeepProbe: true}), network: true, felt: cut, notFelt: serves},
		"drop": {
			fault: of(&fault.Drop{Traffic: fault.Traffic{Ports: []uint16{7}, Protocol: "udp"}}), network: true, notFelt: fromPeer,
			felt: func(s scene) bool { _, _, lost := roundTrips(s, 3, 0); return lost == 3 },
		},
		"drop, a share": {
			fault: of(&fault.Drop{Traffic: fault.Traffic{Protocol: "udp", Direction: fault.In}, Share: 0.5}), network: true, notFelt: fromPeer,
			felt: func(s scene) bool { _, _, lost := roundTrips(s, 16, 0); return lost >= 2 && lost <= 14 },
		},
		"reject": {
			fault: of(&fault.Reject{Traffic: fault.Traffic{Ports: []uint16{8080}, Direction: fault.In}}), network: true,
			felt: func(s scene) bool {
				began := time.Now()
				_, err := dial(s, "tcp", 8080, time.Second)
				return err != nil && time.Since(began) < 500*time.Millisecond
			},
			notFelt: func(s scene) bool { ok, _ := s.Reaches(s.peer, "tcp", s.Address(s.id)+":7"); return ok },
		},
		"reject, by reset": {
			fault: of(&fault.Reject{Traffic: fault.Traffic{Ports: []uint16{8080}, Direction: fault.In}, With: "reset"}), network: true,
			felt: func(s scene) bool {
				_, output := s.Exec(s.peer, "/gameday-lab", "reach", "tcp", s.Address(s.id)+":8080", "700ms")
				return !timedOut(output) && cut(s)
			},
			notFelt: func(s scene) bool { ok, _ := s.Reaches(s.peer, "tcp", s.Address(s.id)+":7"); return ok },
		},
		"connections": {
			fault: of(&fault.Connections{Max: 2, Ports: []uint16{7}}), network: true, notFelt: serves,
			felt: func(s scene) bool {
				for range 2 {
					conn, err := dial(s, "tcp", 7, time.Second)
					if err != nil {
						return false
					}
					defer conn.Close()
				}
				third, err := dial(s, "tcp", 7, 300*time.Millisecond)
				if err == nil {
					_ = third.Close()
				}
				return err != nil
			},
		},
		"dns": {
			fault: of(&fault.DNS{}), network: true, notFelt: fromPeer,
			felt: func(s scene) bool {
				_, output := s.Exec(s.id, "/gameday-lab", "reach", "dns", s.peer[:12], "700ms")
				return timedOut(output)
			},
		},
		"dns, refused": {
			fault: of(&fault.DNS{Answer: "refused"}), network: true, notFelt: fromPeer,
			felt: func(s scene) bool {
				code, output := s.Exec(s.id, "/gameday-lab", "reach", "dns", s.peer[:12], "700ms")
				return code != 0 && !timedOut(output)
			},
		},
		"delay": {
			fault: of(&fault.Delay{By: 200 * time.Millisecond}), network: true,
			felt: func(s scene) bool {
				slow, fast, lost := roundTrips(s, 5, 200*time.Millisecond)
				return slow == 5 && fast == 0 && lost == 0
			},
			notFelt: serves,
		},
		"corrupt": {
			fault: of(&fault.Corrupt{Traffic: fault.Traffic{Protocol: "udp"}, Share: 1}), network: true, notFelt: fromPeer,
			felt: func(s scene) bool { _, _, lost := roundTrips(s, 5, 0); return lost == 5 },
		},
		"reorder": {
			fault: of(&fault.Reorder{Traffic: fault.Traffic{Protocol: "udp"}, Share: 0.5, By: 200 * time.Millisecond}), network: true, notFelt: fromPeer,
			felt: func(s scene) bool { return overtaken(s) >= 2 },
		},
		"duplicate": {
			fault: of(&fault.Duplicate{Traffic: fault.Traffic{Protocol: "udp"}}), network: true, notFelt: serves,
			felt: func(s scene) bool { return answers(s) == 2 },
		},
		"bandwidth": {
			fault: of(&fault.Bandwidth{Rate: 2_000_000}), network: true, notFelt: serves,
			// A quarter of a megabyte takes a second at two megabits a second.
			felt: func(s scene) bool { return echoed(s, 250_000) > 500*time.Millisecond },
		},
	}
}

func diskSuite() map[string]conformance {
	free := func(s scene) uint64 {
		var st unix.Statfs_t
		if err := unix.Statfs(s.Path(s.id, "/data"), &st); err != nil {
			s.T.Fatal(err)
		}
		return st.Bavail * uint64(st.Bsize)
	}
	return map[string]conformance{
		"readonly": {
			fault:   of(&fault.ReadOnly{Path: "/data"}),
			host:    container.HostConfig{Tmpfs: map[string]string{"/data": "size=64m"}},
			notFelt: func(s scene) bool { return s.Serves(s.id) },
			felt: func(s scene) bool {
				return errors.Is(os.WriteFile(s.Path(s.id, "/data/x"), nil, 0o600), unix.EROFS)
			},
		},
		"fill": {
			fault: of(&fault.Fill{Path: "/data", Leave: 1 << 20}),
			host:  container.HostConfig{Tmpfs: map[string]string{"/data": "size=64m"}},
			felt:  func(s scene) bool { return free(s) <= 1<<20 },
		},
	}
}

// dial reaches the component from this machine.
func dial(s scene, network string, port int, timeout time.Duration) (net.Conn, error) {
	dialer := net.Dialer{Timeout: timeout}
	return dialer.DialContext(s.T.Context(), network, net.JoinHostPort(s.Address(s.id), strconv.Itoa(port)))
}

func timedOut(output string) bool {
	return strings.Contains(output, "timeout") || strings.Contains(output, "deadline exceeded")
}

// overtaken counts the packets that come back after one that was sent later.
func overtaken(s scene) int {
	conn, err := dial(s, "udp", 7, time.Second)
	if err != nil {
		return 0
	}
	defer conn.Close()
	const all = 32
	for i := range all {
		if _, err := conn.Write([]byte{byte(i)}); err != nil {
			return 0
		}
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	last, n := byte(0), 0
	for range all {
		var packet [1]byte
		if _, err := conn.Read(packet[:]); err != nil {
			return 0
		}
		if packet[0] < last {
			n++
		}
		last = max(last, packet[0])
	}
	return n
}

// answers counts the answers that one packet gets from the component.
func answers(s scene) int {
	conn, err := dial(s, "udp", 7, time.Second)
	if err != nil {
		return 0
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("once")); err != nil {
		return 0
	}
	n := 0
	for {
		_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if _, err := conn.Read(make([]byte, 64)); err != nil {
			return n
		}
		n++
	}
}

// echoed is how long it takes to get so many bytes back from the component.
func echoed(s scene, bytes int) time.Duration {
	conn, err := dial(s, "tcp", 7, time.Second)
	if err != nil {
		return 0
	}
	defer conn.Close()
	began := time.Now()
	go func() { _, _ = conn.Write(make([]byte, bytes)) }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	buffer := make([]byte, 65_536)
	for got := 0; got < bytes; {
		n, err := conn.Read(buffer)
		if err != nil {
			return 0
		}
		got += n
	}
	return time.Since(began)
}
