package agent

import (
	"errors"
	"fmt"
)

// check tries what a kernel must be able to do, in a network namespace of the
// helper's own, and takes it back at once.
func (f *Features) check() error {
	var errs []error
	try := func(wanted bool, what string, work Work) {
		if !wanted {
			return
		}
		e, _, err := work.begin("gameday_check")
		if err == nil {
			err = e.undo()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("the engine's kernel cannot %s: %w", what, err))
		}
	}
	one := func(r Rule) Work { return Work{Packets: &Packets{Rules: []Rule{r}}} }
	try(f.Packets, "filter packets (nftables)", one(Rule{Hook: In, Do: Drop, Share: 0.5}))
	try(f.Limit, "count connections (nft_connlimit)", one(Rule{Hook: In, Do: Limit, Over: 10}))
	try(f.Duplicate, "duplicate packets (nft_dup_ipv4)", one(Rule{Hook: Out, Do: Duplicate}))
	try(f.Queue, "hold packets up (the NFQUEUE target)", Work{Queue: &Queue{Match: []Rule{{Hook: Out}}, Delay: 1}})
	try(f.Shape, "bound bandwidth (the tbf queue)", Work{Shape: &Shape{BitsPerSecond: 1_000_000}})
	return errors.Join(errs...)
}
