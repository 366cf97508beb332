package helper

import (
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// Priorities of chains: before the engine's own rewriting of addresses (at
// -100), and for Early ones before connections are tracked at all (at -200 on
// the way in and out).
const (
	early nftables.ChainPriority = -310
	usual nftables.ChainPriority = -150
)

// place is a chain, by what tells one from another.
type place struct {
	family   nftables.TableFamily
	hook     Hook
	priority nftables.ChainPriority
	device   string
}

// chain is what the kernel receives for one place, as a value.
type chain struct {
	name  string
	at    place
	rules [][]expr.Any
}

// ending is what becomes of the packets of a rule at a place.
type ending func(Rule, place) ([]expr.Any, error)

// program is all that the kernel receives for some rules: the chains in the order
// in which they are first needed. devices are the target's interfaces, at which
// packets that leave can be lost in silence; it is nil if the kernel cannot.
func program(rules []Rule, devices func() ([]string, error), end ending) ([]chain, error) {
	var all []chain
	index := map[place]int{}
	for _, r := range rules {
		places, err := r.places(devices)
		if err != nil {
			return nil, err
		}
		for _, at := range places {
			exprs, err := end(r, at)
			if err != nil {
				return nil, err
			}
			i, known := index[at]
			if !known {
				i = len(all)
				index[at] = i
				all = append(all, chain{name: fmt.Sprintf("%s_%d", at.hook, i), at: at})
			}
			for _, match := range r.matches(at) {
				all[i].rules = append(all[i].rules, append(match, exprs...))
			}
			all[i].rules = append(all[i].rules, r.uncounted(at)...)
		}
	}
	return all, nil
}

// places are the chains that a rule needs. What leaves is lost silently only at
// the device: at any hook before, the sender gets an error. What the target only
// passes on, as a router does, leaves it by another hook than what it sends. To be
// duplicated or held up is possible only in tables of one address family.
func (r Rule) places(devices func() ([]string, error)) ([]place, error) {
	if devices != nil && r.Hook == Out && r.Do == Drop && !r.Loopback {
		return atDevices(devices)
	}
	at := place{family: nftables.TableFamilyINet, hook: r.Hook, priority: usual}
	if r.Early {
		at.priority = early
	}
	families := []nftables.TableFamily{nftables.TableFamilyINet}
	if r.Do == Duplicate || r.Do == "" {
		families = []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyIPv6}
	}
	var all []place
	for _, at.family = range families {
		all = append(all, at)
		if r.Hook == Out && !r.Loopback {
			passing := at
			passing.hook = Forward
			all = append(all, passing)
		}
	}
	return all, nil
}

// errNoNetwork is a target without an interface but the loopback.
var errNoNetwork = errors.New("the target has no network: it is attached to none, or is not running")

// atDevices are the chains at all interfaces of the target.
func atDevices(devices func() ([]string, error)) ([]place, error) {
	names, err := devices()
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errNoNetwork
	}
	var all []place
	for _, name := range names {
		all = append(all, place{family: nftables.TableFamilyNetdev, hook: Out, device: name})
	}
	return all, nil
}

// nft is the chain as the kernel's client takes it.
func (c chain) nft(table *nftables.Table) *nftables.Chain {
	hooks := map[Hook]*nftables.ChainHook{
		In: nftables.ChainHookInput, Out: nftables.ChainHookOutput, Forward: nftables.ChainHookForward,
	}
	made := &nftables.Chain{
		Name: c.name, Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: hooks[c.at.hook], Priority: &c.at.priority, Device: c.at.device,
	}
	if c.at.family == nftables.TableFamilyNetdev {
		made.Hooknum = nftables.ChainHookEgress
	}
	return made
}
