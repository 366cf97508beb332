package helper

import (
	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A network also talks about itself: ARP and IPv6's neighbor discovery find the hardware
// address of an IP address; IGMP and MLD say who takes part in which multicast group. The
// kernel sends some of that though no program does anything. A rule that selects peers
// leaves it alone, as addresses are found on a network that loses packets between two of
// its hosts. A rule that drops all packets drops that, too, and does not count it: a fault
// that has met nothing else was not felt.

// housekeeping6 is the first ICMPv6 type that is not traffic: multicast listener
// discovery (130 to 132, and 143), neighbor discovery (133 to 137), and what follows
// them. Below it are errors and the echo of ping.
const housekeeping6 = 130

// traffic are the alternatives of what programs send to each other.
func traffic(at place) [][]expr.Any {
	if at.family == nftables.TableFamilyIPv4 {
		return [][]expr.Any{transport(expr.CmpOpNeq, unix.IPPROTO_IGMP)}
	}
	others := transport(expr.CmpOpNeq, unix.IPPROTO_ICMPV6)
	if at.family != nftables.TableFamilyIPv6 {
		others = append(others, transport(expr.CmpOpNeq, unix.IPPROTO_IGMP)...)
	}
	return [][]expr.Any{others, messages6(expr.CmpOpLt)}
}

// housekeeping are the alternatives of what [traffic] leaves out.
func housekeeping(at place) [][]expr.Any {
	all := [][]expr.Any{messages6(expr.CmpOpGte), transport(expr.CmpOpEq, unix.IPPROTO_IGMP)}
	if at.family == nftables.TableFamilyNetdev {
		all = append(all, notIP()) // ARP
	}
	return all
}

// uncounted are the rules for what is dropped beside the traffic.
func (r Rule) uncounted(at place) [][]expr.Any {
	if r.Do != Drop || len(r.Peers) > 0 || len(r.Except) > 0 || !r.ofAnyTransport() {
		return nil
	}
	all := [][]expr.Any{nil}
	if at.family != nftables.TableFamilyNetdev && !r.Loopback {
		all = [][]expr.Any{notLoopback(r.Hook)}
	}
	all = product(all, housekeeping(at))
	if r.Share > 0 && r.Share < 1 {
		all = product(all, [][]expr.Any{share(r.Share)})
	}
	return product(all, [][]expr.Any{{&expr.Verdict{Kind: expr.VerdictDrop}}})
}

// transport compares the number of the transport's protocol.
func transport(op expr.CmpOp, number byte) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: op, Register: 1, Data: []byte{number}},
	}
}

// messages6 holds for ICMPv6 messages below, or from, the first that is not traffic.
func messages6(op expr.CmpOp) []expr.Any {
	return append(transport(expr.CmpOpEq, unix.IPPROTO_ICMPV6),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1},
		&expr.Cmp{Op: op, Register: 1, Data: []byte{housekeeping6}},
	)
}

// notIP holds at a device for frames that are not of IP.
func notIP() []expr.Any {
	all := []expr.Any{&expr.Meta{Key: expr.MetaKeyPROTOCOL, Register: 1}}
	for _, ether := range []uint16{unix.ETH_P_IP, unix.ETH_P_IPV6} {
		all = append(all, &expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: binaryutil.BigEndian.PutUint16(ether)})
	}
	return all
}

// familyOf is the address family of addresses with a number of bits.
func familyOf(bits int) nftables.TableFamily {
	if bits == 128 {
		return nftables.TableFamilyIPv6
	}
	return nftables.TableFamilyIPv4
}

// has reports whether packets with addresses of a number of bits come to a chain.
func (at place) has(bits int) bool {
	switch at.family { //nolint:exhaustive // all others have both
	case nftables.TableFamilyIPv4:
		return bits == 32
	case nftables.TableFamilyIPv6:
		return bits == 128
	}
	return true
}
