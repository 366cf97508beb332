package fault_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
	"golang.org/x/sys/unix"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// stage is a component with a fault on it, and everything that is needed to
// see whether it is clean again.
type stage struct {
	scene

	kernel string
	handle target.Handle
	fault  fault.Fault
	was    fault.State
	entry  journal.Entry
}

// helpedKinds are one of each way in which a helper breaks something.
func helpedKinds() map[string]conformance {
	packets, disk, inside := packetSuite(), diskSuite(), insideSuite()
	return map[string]conformance{
		"filter": packets["isolate"], "queue": packets["delay"], "shape": packets["bandwidth"], "disk": disk["fill"], "mount": disk["readonly"], "process": inside["hang"],
	}
}

// act sets the stage: the fault is in force.
func (c conformance) act(t *testing.T, kindName string) *stage {
	t.Helper()
	st := &stage{scene: c.begin(t), fault: c.fault}
	st.kernel = st.Kernel(st.id)
	st.handle = st.Open(st.id)
	component, err := st.handle.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.was, err = c.fault.Prepare(t.Context(), st.handle); err != nil {
		t.Fatal(err)
	}
	st.entry = throughDisk(t, kindName, c.fault, component, st.was)
	if err := c.fault.Inject(t.Context(), st.handle, st.was); err != nil {
		t.Fatal(err)
	}
	st.Eventually("it is in force", func() bool { return c.felt(st.scene) })
	return st
}

// clean holds what is promised of every way to die: within fifteen seconds of
// the undoing the component is as it was, and no helper is left.
func (st *stage) clean(t *testing.T, env *docker.Environment) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for {
		err := fault.Undo(withPerson(t), env, st.entry)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("undo: %v", err)
		}
		<-time.After(200 * time.Millisecond)
	}
	if err := env.Close(); err != nil {
		t.Error(err)
	}
	if left := st.Helpers(st.id); len(left) > 0 {
		t.Errorf("helpers are left: %v", left)
	}
	if !st.Inspect(st.id).State.Running {
		return // killed by the test, and not the fault's to mend
	}
	st.Eventually("it serves again", func() bool { return st.Serves(st.id) })
	if got := st.Kernel(st.id); got != st.kernel {
		t.Errorf("the kernel had\n%s\nand has\n%s", st.kernel, got)
	}
}

// other is an environment as another process has it: gameday undo, or a guard.
func (st *stage) other(t *testing.T) *docker.Environment {
	t.Helper()
	env, err := docker.Open(t.Context(), &docker.Config{Labels: []string{st.Label}}, target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func ids() map[string]string {
	return map[string]string{"filter": "isolate", "queue": "delay", "shape": "bandwidth", "disk": "fill", "mount": "readonly", "process": "hang"}
}

// The table of who dies while a fault is on, and how: afterwards nothing is
// left, by the kernel, by the helper, or by the undoing of another process.
func TestWhoeverDiesNothingIsLeft(t *testing.T) {
	t.Parallel()
	for death, die := range map[string]func(t *testing.T, st *stage){
		"the helper is killed": func(t *testing.T, st *stage) {
			t.Helper()
			for _, id := range st.Helpers(st.id) {
				_ = st.Client.ContainerKill(t.Context(), id, "SIGKILL")
			}
		},
		"the helper is removed by force": func(t *testing.T, st *stage) {
			t.Helper()
			for _, id := range st.Helpers(st.id) {
				_ = st.Client.ContainerRemove(t.Context(), id, container.RemoveOptions{Force: true})
			}
		},
		"the helper is asked to end": func(t *testing.T, st *stage) {
			t.Helper()
			for _, id := range st.Helpers(st.id) {
				_ = st.Client.ContainerKill(t.Context(), id, "SIGTERM")
			}
		},
		"the target is killed": func(t *testing.T, st *stage) {
			t.Helper()
			if err := st.Client.ContainerKill(t.Context(), st.id, "SIGKILL"); err != nil {
				t.Fatal(err)
			}
		},
		"the target is restarted": func(t *testing.T, st *stage) {
			t.Helper()
			if err := st.Client.ContainerRestart(t.Context(), st.id, container.StopOptions{Timeout: new(0)}); err != nil {
				t.Fatal(err)
			}
			err := st.fault.(fault.Verifier).InForce(t.Context(), st.handle, st.was)
			if !errors.Is(err, fault.ErrNotInForce) {
				t.Errorf("the component was restarted, and the fault says: %v", err)
			}
		},
		"the runner forgets": func(*testing.T, *stage) {},
	} {
		for way, c := range helpedKinds() {
			t.Run(death+", "+way, func(t *testing.T) {
				t.Parallel()
				enginetest.Shared(t)
				for range enginetest.Rounds(1, 2) {
					st := c.act(t, ids()[way])
					<-time.After(time.Duration(rand.Int64N(int64(200 * time.Millisecond))))
					die(t, st)
					st.clean(t, st.other(t))
				}
			})
		}
	}
}

// An engine whose connection is cut: the helper notices, and undoes.
func TestTheConnectionIsCut(t *testing.T) {
	t.Parallel()
	for way, c := range helpedKinds() {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			enginetest.Shared(t)
			s := c.begin(t)
			kernel := s.Kernel(s.id)
			wire := enginetest.NewWire(t)
			env, err := docker.Open(t.Context(), &docker.Config{Host: wire.Address, Labels: []string{s.Label}}, target.Options{})
			if err != nil {
				t.Fatal(err)
			}
			h, err := env.Open(t.Context(), s.id)
			if err != nil {
				t.Fatal(err)
			}
			was, err := c.fault.Prepare(t.Context(), h)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.fault.Inject(t.Context(), h, was); err != nil {
				t.Fatal(err)
			}
			s.Eventually("it is in force", func() bool { return c.felt(s) })
			wire.Cut()
			s.Eventually("the helper has undone it", func() bool { return !c.felt(s) && len(s.Helpers(s.id)) == 0 })
			if got := s.Kernel(s.id); got != kernel {
				t.Errorf("the kernel had\n%s\nand has\n%s", kernel, got)
			}
		})
	}
}

// Two faults on one component: taking one back leaves the other in force.
func TestTwoFaultsOnOneComponent(t *testing.T) {
	t.Parallel()
	partition, delay := packetSuite()["partition"], packetSuite()["delay"]
	first := partition.act(t, "partition")
	was, err := delay.fault.Prepare(t.Context(), first.handle)
	if err != nil {
		t.Fatal(err)
	}
	if err := delay.fault.Inject(t.Context(), first.handle, was); err != nil {
		t.Fatal(err)
	}
	undo(t, first.Bed, first.entry)
	first.Eventually("only the second one is felt", func() bool { return !partition.felt(first.scene) && delay.felt(first.scene) })
	if err := delay.fault.(fault.Verifier).InForce(t.Context(), first.handle, was); err != nil {
		t.Error(err)
	}
	if n := len(first.Helpers(first.id)); n != 1 {
		t.Errorf("%d helpers for two faults", n)
	}
	if err := delay.fault.Revert(t.Context(), first.handle, was); err != nil {
		t.Fatal(err)
	}
	if got := first.Kernel(first.id); got != first.kernel {
		t.Errorf("the kernel had\n%s\nand has\n%s", first.kernel, got)
	}
}

// Helpers do not pile up, however often something is broken.
func TestHelpersDoNotPileUp(t *testing.T) {
	t.Parallel()
	c := packetSuite()["isolate"]
	s := c.begin(t)
	h := s.Open(s.id)
	for range 20 {
		was, err := c.fault.Prepare(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.fault.Inject(t.Context(), h, was), c.fault.Revert(t.Context(), h, was)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.Helpers(s.id)); n != 1 {
		t.Errorf("%d helpers", n)
	}
}

// retransmitted is how many segments of TCP a component has sent again.
func (s scene) retransmitted(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/snmp", s.PID(s.id)))
	if err != nil {
		t.Fatal(err)
	}
	var names, values []string
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); fields[0] == "Tcp:" {
			names, values = values, fields
		}
	}
	return values[slices.Index(names, "RetransSegs")]
}

// tcpInfo is what the kernel knows of a connection.
func tcpInfo(conn net.Conn) (info *unix.TCPInfo, err error) {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	return info, errors.Join(err, failed)
}

// Traffic that a fault is not about does not notice it, nor its undoing: no packet of it
// is lost. That is asked of the kernel's counters, since a busy machine can hold up a
// packet for as long as a lost one.
func TestOtherTrafficIsLeftAlone(t *testing.T) {
	t.Parallel()
	c := packetSuite()["partition"]
	s := c.begin(t)
	h := s.Open(s.id)
	conn, err := dial(s, "tcp", 7, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	before := s.retransmitted(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	trips := 0
	go func() {
		for ctx.Err() == nil {
			err := conn.SetDeadline(time.Now().Add(5 * time.Second))
			if err == nil {
				_, err = conn.Write([]byte("x"))
			}
			if err == nil {
				_, err = conn.Read(make([]byte, 1))
			}
			if err != nil {
				ended <- err
				return
			}
			trips++
			<-time.After(time.Millisecond)
		}
		ended <- nil
	}()
	for range 10 {
		was, err := c.fault.Prepare(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.fault.Inject(t.Context(), h, was), c.fault.Revert(t.Context(), h, was)); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-ended; err != nil || trips < 20 {
		t.Errorf("after %d round trips: %v", trips, err)
	}
	ours, err := tcpInfo(conn)
	if err != nil {
		t.Fatal(err)
	}
	if after := s.retransmitted(t); ours.Total_retrans != 0 || after != before {
		t.Errorf("of %d round trips, %d packets were sent again on the way in; on the way out %s, and %s before", trips, ours.Total_retrans, after, before)
	}
}

// A disk that fills up while it is filled is what was wanted.
func TestTheDiskIsFullOnTheWay(t *testing.T) {
	t.Parallel()
	c := diskSuite()["fill"]
	c.fault = of(&fault.Fill{Path: "/data"})
	s := c.begin(t)
	h := s.Open(s.id)
	was, err := c.fault.Prepare(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	var filling sync.WaitGroup
	filling.Go(func() { _ = os.WriteFile(s.Path(s.id, "/data/other"), make([]byte, 40<<20), 0o600) }) // as much as there is room for
	injected := c.fault.Inject(t.Context(), h, was)
	filling.Wait()
	if injected != nil {
		t.Fatal(injected)
	}
	if err := os.WriteFile(s.Path(s.id, "/data/more"), make([]byte, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("there is room left: %v", err)
	}
	if found, _ := filepath.Glob(s.Path(s.id, "/data/.gameday*")); len(found) > 0 {
		t.Errorf("the file that fills it has a name: %v", found)
	}
	if err := c.fault.Revert(t.Context(), h, was); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.Path(s.id, "/data/more"), make([]byte, 1<<20), 0o600); err != nil {
		t.Errorf("there is no room again: %v", err)
	}
}

// The host's own disk is filled only where the scenario says so.
func TestTheHostsDiskIsRefused(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	h := b.Open(b.StartWith(container.HostConfig{Tmpfs: map[string]string{"/data": ""}}))
	f := of(&fault.Fill{Path: "/"})
	if _, err := f.Prepare(t.Context(), h); err == nil || !strings.Contains(err.Error(), "host's own file system") {
		t.Errorf("would fill the host's disk: %v", err)
	}
	// Whatever was planned, the helper refuses for itself.
	was, err := of(&fault.Fill{Path: "/data"}).Prepare(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Inject(t.Context(), h, was); err == nil || !strings.Contains(err.Error(), "host's own file system") {
		t.Errorf("filled the host's disk: %v", err)
	}
}

// Nobody to be cut off from is a mistake, and not a fault that is not felt.
func TestNobodyIsAMistake(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	h := b.Open(b.Start("no"))
	f := of(&fault.Partition{From: target.Selector{Service: "nobody"}})
	if _, err := f.Prepare(t.Context(), h); err == nil || !strings.Contains(err.Error(), "no component matches service nobody") {
		t.Errorf("%v", err)
	}
}

// What a kernel cannot do is refused beforehand, with that reason.
func TestTheKernelCannot(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	id := b.Start("no")
	f := of(&fault.Delay{By: 50 * time.Millisecond, Via: "netem"})
	was, err := f.Prepare(t.Context(), b.Open(id))
	if err == nil { // this one can
		if err := f.Inject(t.Context(), b.Open(id), was); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.Kernel(id), "netem") {
			t.Error("no netem queue")
		}
		err = f.Revert(t.Context(), b.Open(id), was)
		if err != nil || strings.Contains(b.Kernel(id), "netem") {
			t.Errorf("%v\n%s", err, b.Kernel(id))
		}
		return
	}
	if !strings.Contains(err.Error(), "the engine's kernel cannot delay packets by itself (the netem queue)") {
		t.Error(err)
	}
	t.Log(err)
}

// A mount that is being written to cannot be made read-only, and it is said so.
func TestAWrittenMountIsRefused(t *testing.T) {
	t.Parallel()
	c := diskSuite()["readonly"]
	s := c.begin(t)
	h := s.Open(s.id)
	file, err := os.Create(s.Path(s.id, "/data/open"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	was, err := c.fault.Prepare(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.fault.Inject(t.Context(), h, was); err == nil || !strings.Contains(err.Error(), "open for writing") {
		t.Errorf("%v", err)
	}
	if err := c.fault.Revert(t.Context(), h, was); err != nil {
		t.Error(err)
	}
}

// A component by which gameday reaches the engine is not cut off: nobody could
// undo it.
func TestNobodyCutsThemselvesOff(t *testing.T) {
	t.Parallel()
	wire := enginetest.NewWire(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(wire.Address, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	b := enginetest.New(t, func(o *enginetest.Options) { o.Config.Host = wire.Address })
	id := b.StartWith(container.HostConfig{PortBindings: nat.PortMap{"8080/tcp": {{HostIP: "127.0.0.2", HostPort: port}}}})
	for _, f := range []fault.Fault{of(&fault.Isolate{}), of(&fault.Partition{From: target.Selector{Label: b.Label}})} {
		if _, err := f.Prepare(t.Context(), b.Open(id)); err == nil || !strings.Contains(err.Error(), "would disconnect gameday") {
			t.Errorf("%T: %v", f, err)
		}
	}
}

// A mount that was read-only before is neither broken nor mended.
func TestAReadOnlyMountStaysSo(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	id := b.StartWith(container.HostConfig{Tmpfs: map[string]string{"/data": "ro"}})
	if _, err := of(&fault.ReadOnly{Path: "/data"}).Prepare(t.Context(), b.Open(id)); err == nil || !strings.Contains(err.Error(), "read-only already") {
		t.Errorf("%v", err)
	}
}
