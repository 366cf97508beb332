package helper

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink"
)

// shapeHandle marks the qdiscs that are ours.
const shapeHandle = 0x6d67 << 16

// shaped is a queue of ours on what leaves the target. The kernel keeps it when the
// helper is killed; another one finds it by its handle.
type shaped struct{}

// begin puts a queue on every interface but the loopback.
func (s *Shape) begin() (effect, Reply, error) {
	links, err := shapeable()
	if err != nil {
		return nil, Reply{}, err
	}
	for _, link := range links {
		if err := netlink.QdiscReplace(s.queue(link)); err != nil {
			return nil, Reply{}, errors.Join(fmt.Errorf("shape what leaves by %s: %w", link.Attrs().Name, err), unshape())
		}
	}
	return shaped{}, Reply{}, nil
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

func shapeable() ([]netlink.Link, error) {
	names, err := devices()
	if err != nil {
		return nil, err
	}
	var links []netlink.Link
	for _, name := range names {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return nil, fmt.Errorf("find interface %s: %w", name, err)
		}
		links = append(links, link)
	}
	return links, nil
}

// ours are the qdiscs that a helper has put there.
func ours() ([]netlink.Qdisc, error) {
	links, err := shapeable()
	if err != nil {
		return nil, err
	}
	var found []netlink.Qdisc
	for _, link := range links {
		all, err := netlink.QdiscList(link)
		if err != nil {
			return nil, fmt.Errorf("list the queues of %s: %w", link.Attrs().Name, err)
		}
		for _, q := range all {
			if q.Attrs().Handle == shapeHandle {
				found = append(found, q)
			}
		}
	}
	return found, nil
}

// unshape removes what is ours, whichever helper put it there.
func unshape() error {
	found, err := ours()
	errs := []error{err}
	for _, q := range found {
		if err := netlink.QdiscDel(q); err != nil && !errors.Is(err, syscall.ENOENT) {
			errs = append(errs, fmt.Errorf("remove a queue: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (shaped) undo() error { return unshape() }

func (shaped) status() (Reply, error) {
	found, err := ours()
	if err == nil && len(found) == 0 {
		err = errors.New("the queue is no longer there")
	}
	var reply Reply
	for _, q := range found {
		if s := q.Attrs().Statistics; s != nil && s.Basic != nil {
			reply.Bytes += s.Basic.Bytes
			reply.Packets += uint64(s.Basic.Packets)
		}
	}
	return reply, err
}
