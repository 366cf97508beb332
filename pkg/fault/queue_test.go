package fault_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/target"
)

// foreignQueues are queues that a component has set up for itself, as tc does.
func foreignQueues() map[string]func(h *netlink.Handle, link netlink.Link) error {
	const rate = 12_500_000 // bytes a second
	tbf := func(h *netlink.Handle, link netlink.Link) error {
		return h.QdiscAdd(&netlink.Tbf{
			QdiscAttrs: netlink.QdiscAttrs{LinkIndex: link.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
			Rate:       rate, Buffer: netlink.Xmittime(rate, 16_000), Limit: 64_000,
		})
	}
	htb := func(h *netlink.Handle, link netlink.Link) error {
		index := link.Attrs().Index
		root := netlink.NewHtb(netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT})
		root.Defcls = 10
		if err := h.QdiscAdd(root); err != nil {
			return err
		}
		if err := h.ClassAdd(netlink.NewHtbClass(
			netlink.ClassAttrs{LinkIndex: index, Handle: netlink.MakeHandle(1, 10), Parent: netlink.MakeHandle(1, 0)},
			netlink.HtbClassAttrs{Rate: 8 * rate},
		)); err != nil {
			return err
		}
		return h.FilterAdd(&netlink.U32{
			FilterAttrs: netlink.FilterAttrs{LinkIndex: index, Parent: netlink.MakeHandle(1, 0), Priority: 7, Protocol: unix.ETH_P_IP},
			ClassId:     netlink.MakeHandle(1, 10),
		})
	}
	return map[string]func(*netlink.Handle, netlink.Link) error{"tbf": tbf, "htb": htb}
}

// network is the container's network namespace, and the interface that it has
// there beside the loopback.
func network(t *testing.T, s scene) (*netlink.Handle, netlink.Link) {
	t.Helper()
	s.Kernel(s.id) // it takes root, and says so
	space, err := netns.GetFromPid(s.PID(s.id))
	if err != nil {
		t.Fatal(err)
	}
	defer space.Close()
	h, err := netlink.NewHandleAt(space)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	link, err := h.LinkByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	return h, link
}

// queues are all that tc would show of an interface.
func queues(t *testing.T, h *netlink.Handle, link netlink.Link) string {
	t.Helper()
	var all []string
	qdiscs, err := h.QdiscList(link)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range qdiscs {
		line := fmt.Sprintf("qdisc %s %v", q.Type(), q.Attrs())
		if tbf, ok := q.(*netlink.Tbf); ok {
			line += fmt.Sprintf(" %d %d %d", tbf.Rate, tbf.Buffer, tbf.Limit)
		}
		all = append(all, line)
	}
	classes, err := h.ClassList(link, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range classes {
		all = append(all, fmt.Sprintf("class %s %x", c.Type(), c.Attrs().Handle))
	}
	filters, err := h.FilterList(link, netlink.MakeHandle(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range filters {
		all = append(all, fmt.Sprintf("filter %s %v", f.Type(), *f.Attrs()))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// A queue that the component has set up for itself is refused by name before
// anything is touched, and is never lost: not by the plan, not by an order that
// comes all the same, and not by undoing.
func TestAQueueOfTheComponentsOwnIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, setUp := range foreignQueues() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			enginetest.Shared(t)
			c := packetSuite()["bandwidth"]
			s := c.begin(t)
			handle := s.Open(s.id)
			was, err := c.fault.Prepare(t.Context(), handle) // before it was set up
			if err != nil {
				t.Fatal(err)
			}
			component, err := handle.Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			h, link := network(t, s)
			if err := setUp(h, link); err != nil {
				t.Fatal(err)
			}
			before := queues(t, h, link)
			for order, err := range map[string]error{
				"prepare": func() error { _, err := c.fault.Prepare(t.Context(), handle); return err }(),
				"inject":  c.fault.Inject(t.Context(), handle, was),
			} {
				if err == nil || !strings.Contains(err.Error(), "interface eth0 has a root qdisc of its own ("+name) {
					t.Errorf("%s: %v", order, err)
				}
			}
			undo(t, s.Bed, throughDisk(t, "bandwidth", c.fault, component, was))
			if after := queues(t, h, link); after != before {
				t.Errorf("the component had\n%s\nand has\n%s", before, after)
			}
		})
	}
}

// Two faults that replace the same queue would undo each other: the second is
// refused, and the first stays as it is.
func TestOneQueueAtATime(t *testing.T) {
	t.Parallel()
	c := packetSuite()["bandwidth"]
	first := c.act(t, "bandwidth")
	second := of(&fault.Bandwidth{Rate: 1_000_000})
	h, link := network(t, first.scene)
	before := queues(t, h, link)
	if _, err := second.Prepare(t.Context(), first.handle); err == nil || !strings.Contains(err.Error(), "interface eth0 already has a qdisc of gameday") {
		t.Errorf("prepare: %v", err)
	}
	component := target.Component{ID: first.entry.Component}
	was := fault.State(strings.Replace(string(first.was), `"tag":"`, `"tag":"second`, 1))
	if err := second.Inject(t.Context(), first.handle, was); err == nil {
		t.Error("a second queue was put in place of the first")
	}
	undo(t, first.Bed, throughDisk(t, "bandwidth", second, component, was))
	if after := queues(t, h, link); after != before {
		t.Errorf("there was\n%s\nand is\n%s", before, after)
	}
	undo(t, first.Bed, first.entry)
	if got := first.Kernel(first.id); got != first.kernel {
		t.Errorf("the kernel had\n%s\nand has\n%s", first.kernel, got)
	}
}

// An interface that went down while the fault was on gets its own queue back
// all the same.
func TestAnInterfaceThatWentDown(t *testing.T) {
	t.Parallel()
	c := packetSuite()["bandwidth"]
	st := c.act(t, "bandwidth")
	h, link := network(t, st.scene)
	if err := h.LinkSetDown(link); err != nil {
		t.Fatal(err)
	}
	undo(t, st.Bed, st.entry)
	if got := queues(t, h, link); strings.Contains(got, "tbf") {
		t.Errorf("left on an interface that is down:\n%s", got)
	}
	if err := h.LinkSetUp(link); err != nil {
		t.Fatal(err)
	}
	if got := st.Kernel(st.id); got != st.kernel {
		t.Errorf("the kernel had\n%s\nand has\n%s", st.kernel, got)
	}
}
