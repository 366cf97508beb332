package helper

import (
	"errors"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// matches are the expressions that packets must meet: one list for each
// combination of address family, peer, protocol and end, as the kernel's
// language has no "or".
func (r Rule) matches(at place) [][]expr.Any {
	all := [][]expr.Any{nil}
	and := func(alternatives ...[]expr.Any) { all = product(all, alternatives) }
	if at.family != nftables.TableFamilyNetdev && !r.Loopback {
		and(notLoopback(r.Hook))
	}
	switch {
	case len(r.Peers) > 0 || len(r.Except) > 0:
		and(r.peers(at)...)
	case r.ofAnyTransport():
		and(traffic(at)...)
	}
	switch {
	case len(r.Ports) > 0:
		and(r.ports()...)
	case r.Protocol != "":
		and(protocols(r.Protocol)...)
	}
	if r.Share > 0 && r.Share < 1 {
		and(share(r.Share))
	}
	return all
}

// product holds where one of the first and one of the second alternatives hold.
func product(first, second [][]expr.Any) [][]expr.Any {
	var all [][]expr.Any
	for _, so := range first {
		for _, alternative := range second {
			all = append(all, append(append([]expr.Any{}, so...), alternative...))
		}
	}
	return all
}

func notLoopback(hook Hook) []expr.Any {
	key := expr.MetaKeyIIF
	if hook == Out {
		key = expr.MetaKeyOIF
	}
	// The loopback interface of every network namespace is the first.
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(1)},
	}
}

// ofAnyTransport reports whether a rule selects neither a protocol nor ports.
func (r Rule) ofAnyTransport() bool { return len(r.Ports) == 0 && r.Protocol == "" }

// peers are the alternatives of the other end, each with its address family. What a
// network says about itself is left out.
func (r Rule) peers(at place) [][]expr.Any {
	var all [][]expr.Any
	for _, bits := range []int{32, 128} {
		if !at.has(bits) {
			continue
		}
		found := r.peersOf(at, bits)
		if r.ofAnyTransport() {
			found = product(found, traffic(place{family: familyOf(bits)}))
		}
		all = append(all, found...)
	}
	return all
}

// peersOf are the alternatives of the other end in one address family.
func (r Rule) peersOf(at place, bits int) [][]expr.Any {
	var all [][]expr.Any
	base := family(at, bits)
	for _, p := range r.Except {
		if p.Addr().BitLen() == bits {
			base = append(base, r.address(p, expr.CmpOpNeq)...)
		}
	}
	if len(r.Peers) == 0 {
		return [][]expr.Any{base}
	}
	for _, p := range r.Peers {
		if p.Addr().BitLen() == bits {
			all = append(all, append(append([]expr.Any{}, base...), r.address(p, expr.CmpOpEq)...))
		}
	}
	return all
}

// family holds for packets of addresses with the given number of bits.
func family(at place, bits int) []expr.Any {
	six := bits == 128
	if at.family == nftables.TableFamilyIPv4 || at.family == nftables.TableFamilyIPv6 {
		return nil
	}
	if at.family == nftables.TableFamilyNetdev {
		ether := uint16(unix.ETH_P_IP)
		if six {
			ether = unix.ETH_P_IPV6
		}
		return []expr.Any{
			&expr.Meta{Key: expr.MetaKeyPROTOCOL, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(ether)},
		}
	}
	proto := byte(unix.NFPROTO_IPV4)
	if six {
		proto = unix.NFPROTO_IPV6
	}
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{proto}},
	}
}

// address compares the other end's address: the source of what comes in, the
// destination of what leaves or passes.
func (r Rule) address(p netip.Prefix, op expr.CmpOp) []expr.Any {
	p = p.Masked()
	length := uint32(p.Addr().BitLen() / 8) //nolint:gosec // G115: 4 or 16
	source, destination := uint32(12), uint32(16)
	if p.Addr().Is6() {
		source, destination = 8, 24
	}
	offset := destination
	if r.Hook == In {
		offset = source
	}
	exprs := []expr.Any{&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length}}
	if p.Bits() < p.Addr().BitLen() {
		mask := make([]byte, length)
		for i := range p.Bits() {
			mask[i/8] |= 0x80 >> (i % 8)
		}
		exprs = append(exprs, &expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: length, Mask: mask, Xor: make([]byte, length)})
	}
	return append(exprs, &expr.Cmp{Op: op, Register: 1, Data: p.Addr().AsSlice()})
}

func (r Rule) ports() [][]expr.Any {
	protocols := []string{r.Protocol}
	if r.Protocol == "" {
		protocols = []string{"tcp", "udp"}
	}
	ends := []uint32{0, 2} // where a port is in the header: the source's, the destination's
	switch {
	case r.From:
		ends = ends[:1]
	case r.To:
		ends = ends[1:]
	}
	var all [][]expr.Any
	for _, name := range protocols {
		for _, end := range ends {
			for _, port := range r.Ports {
				all = append(all, append(protocol(name),
					&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: end, Len: 2},
					&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(port)},
				))
			}
		}
	}
	return all
}

func protocol(name string) []expr.Any {
	return transport(expr.CmpOpEq, map[string]byte{"tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP, "icmp": unix.IPPROTO_ICMP}[name])
}

// protocols are the alternatives of a protocol: each address family has its own ICMP.
func protocols(name string) [][]expr.Any {
	if name == "icmp" {
		return [][]expr.Any{protocol(name), messages6(expr.CmpOpLt)}
	}
	return [][]expr.Any{protocol(name)}
}

// share holds for n packets of a million, at random.
func share(of float64) []expr.Any {
	const whole = 1_000_000
	return []expr.Any{
		&expr.Numgen{Register: 1, Modulus: whole, Type: unix.NFT_NG_RANDOM},
		// The comparison is byte by byte, so the number must stand with its
		// greatest byte first.
		&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 4, Size: 4},
		&expr.Cmp{Op: expr.CmpOpLt, Register: 1, Data: binaryutil.BigEndian.PutUint32(uint32(of * whole))},
	}
}

// action is what becomes of the packets, with a counter of those it befalls.
func (r Rule) action(at place) ([]expr.Any, error) {
	switch r.Do {
	case Drop:
		return []expr.Any{&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop}}, nil
	case Reject:
		return []expr.Any{&expr.Counter{}, &expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_PORT_UNREACH}}, nil
	case Reset:
		return []expr.Any{&expr.Counter{}, &expr.Reject{Type: unix.NFT_REJECT_TCP_RST}}, nil
	case Limit:
		return []expr.Any{
			&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
			&expr.Bitwise{
				SourceRegister: 1, DestRegister: 1, Len: 4,
				Mask: binaryutil.NativeEndian.PutUint32(expr.CtStateBitNEW), Xor: make([]byte, 4),
			},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
			&expr.Connlimit{Count: r.Over, Flags: expr.NFT_CONNLIMIT_F_INV},
			&expr.Counter{},
			&expr.Verdict{Kind: expr.VerdictDrop},
		}, nil
	case Duplicate:
		destination := expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4}
		if at.family == nftables.TableFamilyIPv6 {
			destination.Offset, destination.Len = 24, 16
		}
		return []expr.Any{&expr.Counter{}, &destination, &expr.Dup{RegAddr: 1}}, nil
	}
	return nil, errors.New("unknown action " + string(r.Do))
}
