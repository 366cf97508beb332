package helper

import (
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
)

var _ momentary = (*Features)(nil)

// do tries what a kernel must be able to do, in a network namespace of the
// helper's own, and takes it back at once.
func (f *Features) do() (Reply, error) {
	var errs []error
	try := func(wanted bool, what string, do func() error) {
		if !wanted {
			return
		}
		if err := do(); err != nil {
			errs = append(errs, fmt.Errorf("the engine's kernel cannot %s: %w", what, err))
		}
	}
	try(f.Packets, "filter packets (nftables)", forAMoment(one(Rule{Hook: In, Do: Drop, Share: 0.5})))
	try(f.Limit, "count connections (nft_connlimit)", forAMoment(one(Rule{Hook: In, Do: Limit, Over: 10})))
	try(f.Duplicate, "duplicate packets (nft_dup_ipv4, nft_dup_ipv6)", forAMoment(one(Rule{Hook: Out, Do: Duplicate})))
	try(f.Queue, "hold packets up (the NFQUEUE target)", forAMoment(&Queue{Match: one(Rule{Hook: Out}).Rules, Delay: 1}))
	try(f.Shape, "bound bandwidth (the tbf queue)", (&Shape{BitsPerSecond: 1_000_000}).onLoopback)
	try(f.Netem, "delay packets by itself (the netem queue)", (&Shape{Delay: time.Millisecond}).onLoopback)
	return Reply{}, errors.Join(errs...)
}

func one(r Rule) *Packets { return &Packets{Rules: []Rule{r}} }

func forAMoment(w lasting) func() error {
	return func() error {
		e, _, err := w.begin("gameday_check")
		if err != nil {
			return err
		}
		return e.undo()
	}
}

// onLoopback tries a queue on the loopback interface, the only one that the helper has
// which looks at the kernel.
func (s *Shape) onLoopback() error {
	link, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	queue := s.queue(link)
	if err := netlink.QdiscReplace(queue); err != nil {
		return err
	}
	return netlink.QdiscDel(queue)
}
