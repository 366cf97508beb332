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
	and := func(alternatives ...[]expr.Any) {
		var product [][]expr.Any
		for _, so := range all {
			for _, alternative := range alternatives {
				product = append(product, append(append([]expr.Any{}, so...), alternative...))
			}
		}
		all = product
	}
	if at.family != nftables.TableFamilyNetdev && !r.Loopback {
		and(notLoopback(r.Hook))
	}
	if len(r.Peers) > 0 || len(r.Except) > 0 {
		and(r.peers(at)...)
	}
	switch {
	case len(r.Ports) > 0:
		and(r.ports()...)
	case r.Protocol != "":
		and(protocol(r.Protocol))
	}
	if r.Share > 0 && r.Share < 1 {
		and(share(r.Share))
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

// peers are the alternatives of the other end, each with its address family.
func (r Rule) peers(at place) [][]expr.Any {
	var all [][]expr.Any
	for _, bits := range []int{32, 128} {
		if bits == 128 && at.family == nftables.TableFamilyIPv4 {
			continue
		}
		base := family(at, bits)
		for _, p := range r.Except {
			if p.Addr().BitLen() == bits {
				base = append(base, r.address(p, expr.CmpOpNeq)...)
			}
		}
		if len(r.Peers) == 0 {
			all = append(all, base)
		}
		for _, p := range r.Peers {
			if p.Addr().BitLen() == bits {
				all = append(all, append(append([]expr.Any{}, base...), r.address(p, expr.CmpOpEq)...))
			}
		}
	}
	return all
}

// family holds for packets of addresses with the given number of bits.
func family(at place, bits int) []expr.Any {
	six := bits == 128
	if at.family == nftables.TableFamilyIPv4 {
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
	if r.From {
		ends = ends[:1]
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
	number := map[string]byte{"tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP, "icmp": unix.IPPROTO_ICMP}[name]
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{number}},
	}
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
func (r Rule) action() ([]expr.Any, error) {
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
		return []expr.Any{
			&expr.Counter{},
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4},
			&expr.Dup{RegAddr: 1},
		}, nil
	}
	return nil, errors.New("unknown action " + string(r.Do))
}
