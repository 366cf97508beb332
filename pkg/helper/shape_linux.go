package helper

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
)

// shapeHandle marks the qdiscs that are ours.
const shapeHandle = 0x6d67 << 16

// shaped is a queue of ours on what leaves the target. The kernel keeps it when
// the helper is killed; another one finds it by its handle.
type shaped struct{ spec *Shape }

// Undoing removes our queue, and the kernel puts its own default in the place:
// the one thing that is restored exactly, with nothing to remember. A queue that
// the target has set up for itself is not replaced, and the fault is refused.
// To set one up again from what the kernel reports would lose what it does
// not tell (the state of a token bucket, what waits in it), and for every kind of
// queue, class and filter that one kernel or another has there would have to be
// code here without a test.

var _ lasting = (*Shape)(nil)

// begin puts a queue on every interface but the loopback.
func (s *Shape) begin(string) (effect, Reply, error) {
	links, err := s.shapeable()
	if err != nil {
		return nil, Reply{}, err
	}
	if err := s.put(links); err != nil {
		return nil, Reply{}, err
	}
	return shaped{s}, Reply{}, nil
}

// put puts a queue on all of these interfaces, or on none.
func (s *Shape) put(links []netlink.Link) error {
	if err := replaceable(links); err != nil {
		return err
	}
	var done []netlink.Qdisc
	for _, link := range links {
		// Adding, unlike replacing, is refused by the kernel itself if a queue
		// has come meanwhile that is not its default.
		queue := s.queue(link)
		if err := netlink.QdiscAdd(queue); err != nil {
			return errors.Join(fmt.Errorf("shape what leaves by %s: %w", link.Attrs().Name, err), remove(done))
		}
		done = append(done, queue)
	}
	return nil
}

// try refuses what begin would refuse.
func (s *Shape) try() error {
	links, err := s.shapeable()
	if err != nil {
		return err
	}
	return replaceable(links)
}

// replaceable tells, as an error, which interfaces have a queue that could not
// be put back.
func replaceable(links []netlink.Link) error {
	var errs []error
	for _, link := range links {
		queues, err := complete(func() ([]netlink.Qdisc, error) { return netlink.QdiscList(link) })
		if err != nil {
			return fmt.Errorf("list the queues of %s: %w", link.Attrs().Name, err)
		}
		// The default queue of some devices can hold filters, which go with it.
		filters, err := complete(func() ([]netlink.Filter, error) { return netlink.FilterList(link, netlink.HANDLE_NONE) })
		if err != nil {
			return fmt.Errorf("list the filters of %s: %w", link.Attrs().Name, err)
		}
		errs = append(errs, foreign(link.Attrs().Name, queues, filters))
	}
	return errors.Join(errs...)
}

// complete lists until the kernel was not interrupted by a change of its list.
func complete[T any](list func() ([]T, error)) (all []T, err error) {
	for range 10 {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return all, err
}

// foreign refuses an interface whose root queue is not the kernel's default. The
// kernel tells its default by the handle, which is 0 for that one only: a queue
// that was set up by anybody gets another, whether they name one or not.
func foreign(name string, queues []netlink.Qdisc, filters []netlink.Filter) error {
	for _, q := range queues {
		switch at := q.Attrs(); {
		case at.Parent != netlink.HANDLE_ROOT:
		case at.Handle == shapeHandle:
			return fmt.Errorf("interface %s already has a qdisc of gameday: a component can have only one fault of bandwidth or delay via netem at a time", name)
		case at.Handle != netlink.HANDLE_NONE:
			return fmt.Errorf("interface %s has a root qdisc of its own (%s %s), which could not be put back as it was: remove it first (tc qdisc del dev %s root)",
				name, q.Type(), netlink.HandleStr(at.Handle), name)
		}
	}
	if len(filters) > 0 {
		return fmt.Errorf("interface %s has filters of its own on its root qdisc, which could not be put back as they were: remove them first (tc filter del dev %s root)", name, name)
	}
	return nil
}

func (s *Shape) queue(link netlink.Link) netlink.Qdisc {
	attributes := netlink.QdiscAttrs{LinkIndex: link.Attrs().Index, Handle: shapeHandle, Parent: netlink.HANDLE_ROOT}
	if s.Delay > 0 {
		const room = 100_000 // packets
		return netlink.NewNetem(attributes, netlink.NetemQdiscAttrs{
			Latency: uint32(s.Delay.Microseconds()), Jitter: uint32(s.Jitter.Microseconds()), Limit: room, //nolint:gosec // G115: a minute at most
		})
	}
	rate := s.BitsPerSecond / 8
	// A bucket of 10 ms, or two full packets; and a queue of 100 ms.
	bucket, waiting := uint32(min(max(rate/100, 3200), 1<<30)), uint32(min(max(rate/10, 32_000), 1<<30))
	return &netlink.Tbf{QdiscAttrs: attributes, Rate: rate, Buffer: netlink.Xmittime(rate, bucket), Limit: waiting}
}

// shapeable are the interfaces that a queue can be put on. A bound on all of them that is
// above what each can carry is refused: it would change nothing.
func (s *Shape) shapeable() ([]netlink.Link, error) {
	found, err := interfaces()
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errNoNetwork
	}
	links, err := linksOf(found)
	if err != nil {
		return nil, err
	}
	speeds := map[string]uint64{}
	for _, name := range found {
		speeds[name] = speedOf(name)
	}
	return links, s.lowers(speeds)
}

// linksOf are interfaces by number, in a fixed order.
func linksOf(found map[int]string) ([]netlink.Link, error) {
	var links []netlink.Link
	for _, number := range slices.Sorted(maps.Keys(found)) {
		link, err := netlink.LinkByIndex(number)
		if err != nil {
			return nil, fmt.Errorf("find interface %s: %w", found[number], err)
		}
		links = append(links, link)
	}
	return links, nil
}

// speedOf is how many bits a second an interface can carry; 0 if that is unknown.
func speedOf(name string) uint64 {
	data, err := os.ReadFile(filepath.Join("/sys/class/net", name, "speed")) //nolint:gosec // G304: the name of an interface, which has no slash
	if err != nil {
		return 0
	}
	megabits, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 32)
	if err != nil {
		return 0 // -1 is unknown, too
	}
	return megabits * 1_000_000
}

// lowers refuses a bound that is above the speed of every interface, in bits a second.
func (s *Shape) lowers(speeds map[string]uint64) error {
	if s.BitsPerSecond == 0 {
		return nil
	}
	fastest := ""
	for _, name := range slices.Sorted(maps.Keys(speeds)) {
		if speeds[name] == 0 || s.BitsPerSecond < speeds[name] {
			return nil
		}
		if speeds[name] > speeds[fastest] {
			fastest = name
		}
	}
	return fmt.Errorf("rate: found %g Mbit/s, expected less than %g Mbit/s, the speed of interface %s", float64(s.BitsPerSecond)/1e6, float64(speeds[fastest])/1e6, fastest)
}

// ours are the queues that a helper has put there, on interfaces that are down
// by now too.
func ours() ([]netlink.Qdisc, error) {
	all, err := complete(func() ([]netlink.Qdisc, error) { return netlink.QdiscList(nil) })
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	return slices.DeleteFunc(all, func(q netlink.Qdisc) bool {
		return q.Attrs().Handle != shapeHandle || q.Attrs().Parent != netlink.HANDLE_ROOT
	}), nil
}

// unshape removes what is ours, whichever helper put it there.
func unshape() error {
	found, err := ours()
	return errors.Join(err, remove(found))
}

func remove(queues []netlink.Qdisc) error {
	var errs []error
	for _, q := range queues {
		if err := netlink.QdiscDel(q); err != nil && !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.ENODEV) {
			errs = append(errs, fmt.Errorf("remove a queue: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (shaped) undo() error { return unshape() }

func (*Shape) mend() error { return unshape() }

// status counts the packets that the queue has made late, or lost.
func (e shaped) status() (Reply, error) {
	found, err := ours()
	if err == nil && len(found) == 0 {
		err = errors.New("the queue is no longer there")
	}
	if err == nil {
		err = e.follow(found)
	}
	var reply Reply
	for _, q := range found {
		reply.Packets += e.spec.met(q.Attrs().Statistics)
	}
	return reply, err
}

// follow puts the queue on interfaces that the target got since.
func (e shaped) follow(found []netlink.Qdisc) error {
	now, err := interfaces()
	if err != nil {
		return err
	}
	for _, q := range found {
		delete(now, q.Attrs().LinkIndex)
	}
	links, err := linksOf(now)
	if err != nil {
		return err
	}
	if err := e.spec.put(links); err != nil {
		return fmt.Errorf("the target got another interface, to which the fault could not be extended: %w", err)
	}
	return nil
}

// met is how many packets a queue has done something to: a bound on the bandwidth does
// nothing to what stays below it.
func (s *Shape) met(seen *netlink.QdiscStatistics) uint64 {
	switch {
	case seen == nil:
		return 0
	case s.BitsPerSecond > 0 && seen.Queue != nil:
		return uint64(seen.Queue.Overlimits) + uint64(seen.Queue.Drops)
	case s.BitsPerSecond == 0 && seen.Basic != nil:
		return uint64(seen.Basic.Packets)
	}
	return 0
}
