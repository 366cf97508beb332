package helper

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// frame is a packet as the kernel meets it.
type frame struct {
	data    []byte // from the IP header on
	ether   uint16 // what it is, if not an IP packet
	in, out uint32 // interfaces by number; the loopback is 1
	random  uint32 // what the dice show, of a million
	fresh   bool   // it begins a connection
	open    uint32 // how many connections there are
}

// header is what [frame.at] is made from.
type header struct {
	from, to     netip.Addr
	protocol     byte
	source, dest uint16 // ports
	options      int    // bytes of IP options, or of an IPv6 extension header; of eight
	fragment     uint16 // of eight bytes: where it stood in the whole; the first is at 0
	more         bool   // fragments come after it
	payload      string
}

// bytes are the packet, with the ports where UDP and TCP have them.
func (h header) bytes() []byte {
	transport := binary.BigEndian.AppendUint16(nil, h.source)
	transport = binary.BigEndian.AppendUint16(transport, h.dest)
	transport = append(transport, make([]byte, 16)...) // as long as TCP's
	if h.fragment > 0 {
		transport = nil
	}
	transport = append(transport, h.payload...)
	fragment := h.fragment
	if h.from.Is4() {
		if h.more {
			fragment |= 0x2000
		}
		ip := make([]byte, 20+h.options)
		ip[0] = 0x40 | byte(len(ip)/4)
		binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(transport)))
		binary.BigEndian.PutUint16(ip[6:], fragment)
		ip[8], ip[9] = 64, h.protocol
		copy(ip[12:], h.from.AsSlice())
		copy(ip[16:], h.to.AsSlice())
		for i := 20; i < len(ip); i++ {
			ip[i] = 1 // no operation
		}
		return slices.Concat(ip, transport)
	}
	ip := make([]byte, 40)
	ip[0], ip[6], ip[7] = 0x60, h.protocol, 64
	copy(ip[8:], h.from.AsSlice())
	copy(ip[24:], h.to.AsSlice())
	next := 6 // where the protocol of what follows stands
	extend := func(protocol byte, header []byte) {
		ip[next], header[0], next = protocol, h.protocol, len(ip)
		ip = slices.Concat(ip, header)
	}
	if h.options > 0 {
		options := make([]byte, h.options)
		options[1] = byte(h.options/8 - 1)
		extend(unix.IPPROTO_DSTOPTS, options)
	}
	if h.fragment > 0 || h.more {
		part := make([]byte, 8)
		offset := h.fragment << 3
		if h.more {
			offset |= 1
		}
		binary.BigEndian.PutUint16(part[2:], offset)
		extend(unix.IPPROTO_FRAGMENT, part)
	}
	binary.BigEndian.PutUint16(ip[4:], uint16(len(ip)-40+len(transport)))
	return slices.Concat(ip, transport)
}

func (f frame) six() bool { return f.ether == 0 && f.data[0]>>4 == 6 }

// transport is where the header of the transport begins and of which protocol it
// is, as the kernel finds it; ok is false behind the first fragment, of which the
// kernel reads no such header.
func (f frame) transport() (offset int, protocol byte, ok bool) {
	if !f.six() {
		return int(f.data[0]&0x0f) * 4, f.data[9], binary.BigEndian.Uint16(f.data[6:])&0x1fff == 0
	}
	offset, protocol, ok = 40, f.data[6], true
	for {
		switch protocol {
		case unix.IPPROTO_DSTOPTS, unix.IPPROTO_HOPOPTS, unix.IPPROTO_ROUTING:
			protocol, offset = f.data[offset], offset+(int(f.data[offset+1])+1)*8
		case unix.IPPROTO_FRAGMENT:
			ok = binary.BigEndian.Uint16(f.data[offset+2:])>>3 == 0
			protocol, offset = f.data[offset], offset+8
		default:
			return offset, protocol, ok
		}
	}
}

// machine carries out the expressions of a rule as the kernel does.
type machine struct {
	t        testing.TB
	at       place
	register []byte
	verdict  string // what became of the packet; empty if the rule did not hold
	counted  int
}

// meets tells what becomes of a packet at a chain: of the first rule that holds.
func (c chain) meets(tb testing.TB, f frame) string {
	tb.Helper()
	if c.at.family == nftables.TableFamilyIPv4 && f.six() || c.at.family == nftables.TableFamilyIPv6 && !f.six() {
		return "" // such a table is not asked
	}
	for _, rule := range c.rules {
		m := machine{t: tb, at: c.at}
		for _, e := range rule {
			if !m.holds(f, e) {
				break
			}
		}
		if m.verdict != "" {
			return m.verdict
		}
	}
	return ""
}

func (m *machine) holds(f frame, e expr.Any) bool {
	switch e := e.(type) {
	case *expr.Meta:
		return m.meta(f, e)
	case *expr.Payload:
		return m.payload(f, e)
	case *expr.Cmp:
		order := bytes.Compare(m.register[:len(e.Data)], e.Data)
		switch e.Op { //nolint:exhaustive // others are not used
		case expr.CmpOpEq:
			return order == 0
		case expr.CmpOpNeq:
			return order != 0
		case expr.CmpOpLt:
			return order < 0
		case expr.CmpOpGte:
			return order >= 0
		}
		m.t.Fatalf("compared by %v", e.Op)
	case *expr.Bitwise:
		for i := range e.Len {
			m.register[i] = m.register[i]&e.Mask[i] ^ e.Xor[i]
		}
	case *expr.Numgen:
		m.register = binary.NativeEndian.AppendUint32(nil, f.random%e.Modulus)
	case *expr.Byteorder:
		m.register = binary.BigEndian.AppendUint32(nil, binary.NativeEndian.Uint32(m.register))
	case *expr.Ct:
		m.register = binary.NativeEndian.AppendUint32(nil, map[bool]uint32{true: expr.CtStateBitNEW, false: expr.CtStateBitESTABLISHED}[f.fresh])
	case *expr.Connlimit:
		return f.open > e.Count == (e.Flags&expr.NFT_CONNLIMIT_F_INV != 0)
	case *expr.Counter:
		m.counted++
	case *expr.Verdict:
		m.verdict = map[expr.VerdictKind]string{expr.VerdictDrop: "drop"}[e.Kind]
	case *expr.Reject:
		m.verdict = fmt.Sprintf("reject %d/%d", e.Type, e.Code)
	case *expr.Dup:
		to, _ := netip.AddrFromSlice(m.register)
		m.verdict = fmt.Sprintf("dup %v", to)
	case *expr.Target:
		m.verdict = e.Name
	default:
		m.t.Fatalf("an expression that the machine does not know: %T", e)
	}
	return true
}

func (m *machine) meta(f frame, e *expr.Meta) bool {
	if f.ether != 0 {
		m.register = binary.BigEndian.AppendUint16(nil, f.ether)
		return e.Key == expr.MetaKeyPROTOCOL // the kernel reads no more of it
	}
	switch e.Key { //nolint:exhaustive // others are not used
	case expr.MetaKeyIIF:
		m.register = binary.NativeEndian.AppendUint32(nil, f.in)
	case expr.MetaKeyOIF:
		m.register = binary.NativeEndian.AppendUint32(nil, f.out)
	case expr.MetaKeyNFPROTO:
		m.register = []byte{map[bool]byte{false: unix.NFPROTO_IPV4, true: unix.NFPROTO_IPV6}[f.six()]}
	case expr.MetaKeyPROTOCOL:
		m.register = binary.BigEndian.AppendUint16(nil, map[bool]uint16{false: unix.ETH_P_IP, true: unix.ETH_P_IPV6}[f.six()])
	case expr.MetaKeyL4PROTO:
		_, protocol, _ := f.transport()
		m.register = []byte{protocol}
	default:
		m.t.Fatalf("asked for %v", e.Key)
	}
	return true
}

func (m *machine) payload(f frame, e *expr.Payload) bool {
	from := int(e.Offset)
	if e.Base == expr.PayloadBaseTransportHeader {
		offset, _, ok := f.transport()
		if !ok {
			return false
		}
		from += offset
	}
	if from+int(e.Len) > len(f.data) {
		return false
	}
	m.register = bytes.Clone(f.data[from : from+int(e.Len)])
	return true
}
