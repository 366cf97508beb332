package helper

import (
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		if p, err := netip.ParsePrefix(text); err == nil {
			all = append(all, p)
			continue
		}
		a := netip.MustParseAddr(text)
		all = append(all, netip.PrefixFrom(a, a.BitLen()))
	}
	return all
}

const (
	tcp  = unix.IPPROTO_TCP
	udp  = unix.IPPROTO_UDP
	icmp = unix.IPPROTO_ICMP
)

// between is a packet by TCP from one to the other.
func between(from, to string) header {
	return header{from: netip.MustParseAddr(from), to: netip.MustParseAddr(to), protocol: tcp, source: 40_000, dest: 80}
}

// by is the packet by another protocol.
func (h header) by(protocol byte) header { h.protocol = protocol; return h }

// ping is an echo request of ICMPv6, which is traffic.
func (h header) ping() header { return h.by(unix.IPPROTO_ICMPV6).ports(128<<8, 0) }

// solicitation is a message of IPv6's neighbor discovery, by which addresses are found.
func (h header) solicitation() header { return h.by(unix.IPPROTO_ICMPV6).ports(135<<8, 0) }

// ports is the packet between other ports.
func (h header) ports(source, dest uint16) header { h.source, h.dest = source, dest; return h }

// optional is the packet with options of so many bytes.
func (h header) optional(options int) header { h.options = options; return h }

// part is a fragment of the packet.
func (h header) part(offset uint16, more bool) header { h.fragment, h.more = offset, more; return h }

// frame is the packet as it comes in by the first real interface, or leaves or
// passes by it.
func (h header) frame() frame { return frame{data: h.bytes(), in: 2, out: 2, fresh: true} }

// meets is what a rule does to a packet, at whichever of its chains.
func (r Rule) meets(t *testing.T, f frame, devices func() ([]string, error)) string {
	t.Helper()
	chains, err := program([]Rule{r}, devices, Rule.action)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chains {
		if got := c.meets(t, f); got != "" {
			return got
		}
	}
	return ""
}

func ethernet() ([]string, error) { return []string{"eth0", "eth1"}, nil }

// matching is one rule, and packets that it is about or not.
type matching struct {
	rule Rule
	met  []header
	not  []header
}

func matchings() map[string]matching {
	const us, db, app, far = "10.0.0.9", "10.0.0.5", "10.0.0.7", "10.1.0.5"
	const us6, db6, app6 = "fd00::9", "fd00::5", "fd00:0:0:1::7"
	return map[string]matching{
		"peers, of IPv6 and its own messages": {
			Rule{Hook: In, Peers: prefixes(db6)},
			[]header{between(db6, us6), between(db6, us6).by(udp), between(db6, us6).ping()},
			[]header{between(db6, us6).solicitation(), between(app6, us6).ping()},
		},
		"all but some, of a network's own messages": {
			Rule{Hook: In, Except: prefixes(db)},
			[]header{between(app, us).by(icmp), between(db6, us6).ping()},
			[]header{between(db6, us6).solicitation(), between(app, us).by(unix.IPPROTO_IGMP)},
		},
		"a port that it goes to": {
			Rule{Hook: Out, Ports: []uint16{53}, To: true},
			[]header{between(us, db).by(udp).ports(40_000, 53), between(us6, db6).ports(40_000, 53)},
			[]header{between(us, db).by(udp).ports(53, 40_000)},
		},
		"everything that comes in": {
			Rule{Hook: In},
			[]header{between(db, us), between(db6, us6), between(db, us).by(udp), between(db6, us6).ping(), between(db6, us6).solicitation(), between(db, us).by(unix.IPPROTO_IGMP), between(db, us).optional(40)},
			nil,
		},
		"from one peer": {
			Rule{Hook: In, Peers: prefixes(db)},
			[]header{between(db, us), between(db, us).by(udp), between(db, us).optional(8)},
			[]header{between(app, us), between(us, db), between(db6, us6), between(far, us)},
		},
		"to one peer": {
			Rule{Hook: Out, Peers: prefixes(db)},
			[]header{between(us, db), between(us, db).by(icmp)},
			[]header{between(us, app), between(db, us), between(us6, db6)},
		},
		"what passes to one peer": {
			Rule{Hook: Forward, Peers: prefixes(db)},
			[]header{between(app, db)},
			[]header{between(db, app)},
		},
		"from one of several peers, of both families": {
			Rule{Hook: In, Peers: prefixes(db, app, db6)},
			[]header{between(db, us), between(app, us), between(db6, us6)},
			[]header{between(far, us), between(app6, us6), between(us, db)},
		},
		"from a network": {
			Rule{Hook: In, Peers: prefixes("10.0.0.0/24", "fd00::/64")},
			[]header{between(db, us), between(app, us), between(db6, us6)},
			[]header{between(far, us), between(app6, us6), between("9.255.255.255", us), between("10.0.1.0", us)},
		},
		"from a network that does not end at a byte": {
			Rule{Hook: In, Peers: prefixes("10.0.0.4/30", "172.16.0.0/12")},
			[]header{between("10.0.0.4", us), between("10.0.0.7", us), between("172.16.0.1", us), between("172.31.255.255", us)},
			[]header{between("10.0.0.3", us), between("10.0.0.8", us), between("172.32.0.0", us), between("172.15.255.255", us)},
		},
		"from a network that was not written masked": {
			Rule{Hook: In, Peers: prefixes("10.0.0.77/24")},
			[]header{between(db, us)},
			[]header{between(far, us)},
		},
		"from everybody of one family": {
			Rule{Hook: In, Peers: prefixes("0.0.0.0/0")},
			[]header{between(db, us), between(far, us)},
			[]header{between(db6, us6)},
		},
		"from all but some": {
			Rule{Hook: In, Except: prefixes(db, "fd00:0:0:1::/64")},
			[]header{between(app, us), between(far, us), between(db6, us6)},
			[]header{between(db, us), between(app6, us6)},
		},
		"from a network but one of it": {
			Rule{Hook: In, Peers: prefixes("10.0.0.0/24"), Except: prefixes(app)},
			[]header{between(db, us)},
			[]header{between(app, us), between(far, us), between(db6, us6)},
		},
		"to all but some": {
			Rule{Hook: Out, Except: prefixes(db)},
			[]header{between(us, app), between(us6, db6), between(db, us)},
			[]header{between(us, db)},
		},
		"by TCP": {
			Rule{Hook: In, Protocol: "tcp"},
			[]header{between(db, us), between(db6, us6), between(db6, us6).optional(16), between(db, us).part(185, false)},
			[]header{between(db, us).by(udp), between(db, us).by(icmp), between(db6, us6).by(udp).optional(16)},
		},
		"by UDP": {
			Rule{Hook: Out, Protocol: "udp"},
			[]header{between(us, db).by(udp), between(us6, db6).by(udp)},
			[]header{between(us, db), between(us6, db6).by(icmp)},
		},
		"by ICMP": {
			Rule{Hook: In, Protocol: "icmp"},
			[]header{between(db, us).by(icmp), between(db6, us6).ping()},
			[]header{between(db, us), between(db, us).by(udp), between(db6, us6).solicitation(), between(db6, us6).by(udp)},
		},
		"a port at either end": {
			Rule{Hook: In, Ports: []uint16{80}},
			[]header{
				between(db, us), between(db, us).ports(80, 40_000), between(db, us).by(udp), between(db6, us6),
				between(db, us).optional(40), between(db6, us6).optional(24), between(db, us).ports(80, 80),
			},
			[]header{between(db, us).ports(8080, 40_000), between(db, us).ports(0x5000, 0x0050<<8), between(db, us).by(unix.IPPROTO_SCTP)},
		},
		"one of several ports, by one protocol": {
			Rule{Hook: Out, Protocol: "udp", Ports: []uint16{53, 5353}},
			[]header{between(us, db).by(udp).ports(40_000, 53), between(us, db).by(udp).ports(5353, 5353), between(us6, db6).by(udp).ports(53, 1)},
			[]header{between(us, db).ports(40_000, 53), between(us, db).by(udp).ports(40_000, 54), between(us, db).by(icmp).ports(53, 53)},
		},
		"a port that it comes from": {
			Rule{Hook: In, Protocol: "udp", Ports: []uint16{53}, From: true},
			[]header{between(db, us).by(udp).ports(53, 40_000)},
			[]header{between(db, us).by(udp).ports(40_000, 53), between(db, us).ports(53, 40_000)},
		},
		"a port of one peer": {
			Rule{Hook: Out, Peers: prefixes(db, db6), Protocol: "tcp", Ports: []uint16{5432}},
			[]header{between(us, db).ports(40_000, 5432), between(us6, db6).ports(40_000, 5432), between(us, db).ports(5432, 40_000)},
			[]header{between(us, app).ports(40_000, 5432), between(us, db), between(us, db).by(udp).ports(40_000, 5432)},
		},
		// A fragment behind the first has no ports; to lose the first is to lose
		// them all.
		"a port, of fragments": {
			Rule{Hook: In, Ports: []uint16{80}},
			[]header{between(db, us).part(0, true), between(db6, us6).part(0, true)},
			[]header{between(db, us).part(185, true), between(db, us).part(370, false), between(db6, us6).part(185, false)},
		},
		"a peer, of fragments": {
			Rule{Hook: In, Peers: prefixes(db, db6)},
			[]header{between(db, us).part(0, true), between(db, us).part(185, false), between(db6, us6).part(185, false)},
			[]header{between(app, us).part(185, false)},
		},
	}
}

// What a rule says is what the kernel's language says of real packets, at the
// device as well as at a hook before it.
func TestRulesMeetPackets(t *testing.T) {
	t.Parallel()
	for name, c := range matchings() {
		for at, devices := range map[string]func() ([]string, error){"hook": nil, "device": ethernet} {
			t.Run(name+", at the "+at, func(t *testing.T) {
				t.Parallel()
				r := c.rule
				r.Do = Drop
				for _, h := range c.met {
					if got := r.meets(t, h.frame(), devices); got != "drop" {
						t.Errorf("%+v passes (%q)", h, got)
					}
				}
				for _, h := range c.not {
					if got := r.meets(t, h.frame(), devices); got != "" {
						t.Errorf("%+v does not pass: %s", h, got)
					}
				}
			})
		}
	}
}

// In the tables of one family each, by which packets are duplicated and held up, the same
// packets are met, but for what a network says about itself.
func TestRulesOfOneFamily(t *testing.T) {
	t.Parallel()
	for name, c := range matchings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.rule
			r.Do = Duplicate
			for _, h := range append(c.met, c.not...) {
				want := ""
				itself := h.protocol == unix.IPPROTO_IGMP || h == between(h.from.String(), h.to.String()).solicitation()
				if !itself && r.meetsAll(c.met, h) {
					want = "dup " + h.to.String()
				}
				if got := r.meets(t, h.frame(), ethernet); got != want {
					t.Errorf("%+v: %q, expected %q", h, got, want)
				}
			}
		})
	}
}

// meetsAll tells whether a packet is among those that are met.
func (r Rule) meetsAll(met []header, h header) bool {
	return slices.Contains(met, h)
}

// What the target says to itself is left alone, unless the rule says otherwise.
func TestTheLoopback(t *testing.T) {
	t.Parallel()
	self := between("127.0.0.1", "127.0.0.1").frame()
	self.in, self.out = 1, 1
	for name, c := range map[string]struct {
		rule Rule
		want string
	}{
		"in":              {Rule{Hook: In, Do: Drop}, ""},
		"out":             {Rule{Hook: Out, Do: Drop}, ""},
		"in, loopback":    {Rule{Hook: In, Do: Drop, Loopback: true}, "drop"},
		"out, loopback":   {Rule{Hook: Out, Do: Drop, Loopback: true}, "drop"},
		"duplicate":       {Rule{Hook: Out, Do: Duplicate}, ""},
		"reject":          {Rule{Hook: Out, Do: Reject}, ""},
		"reset, loopback": {Rule{Hook: In, Do: Reset, Loopback: true}, "reject 1/0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.rule.meets(t, self, nil); got != c.want {
				t.Errorf("%q, expected %q", got, c.want)
			}
		})
	}
	// An answer of the engine's name server comes from the loopback too.
	dns := between("127.0.0.11", "127.0.0.1").by(udp).ports(53, 40_000).frame()
	dns.in = 1
	r := Rule{Hook: In, Do: Drop, Protocol: "udp", Ports: []uint16{53}, From: true, Loopback: true, Early: true}
	if got := r.meets(t, dns, ethernet); got != "drop" {
		t.Errorf("an answer of the name server passes: %q", got)
	}
}

// A share is that of the dice: of a million, as many as it says are below it,
// wherever the byte order puts the greatest byte.
func TestAShare(t *testing.T) {
	t.Parallel()
	for share, first := range map[float64]uint32{0.5: 500_000, 0.01: 10_000, 0.3: 300_000, 0.000001: 1, 0.999999: 999_999} {
		r := Rule{Hook: In, Do: Drop, Share: share}
		for random, want := range map[uint32]string{0: "drop", first - 1: "drop", first: "", first + 1: "", 999_999: "", 256: "", 65_536: ""} {
			if random < first {
				want = "drop"
			}
			if random >= 1_000_000 {
				continue
			}
			f := between("10.0.0.5", "10.0.0.9").frame()
			f.random = random
			if got := r.meets(t, f, nil); got != want {
				t.Errorf("a share of %v, the dice show %d: %q, expected %q", share, random, got, want)
			}
		}
	}
	f := between("10.0.0.5", "10.0.0.9").frame()
	f.random = 999_999
	for _, all := range []float64{0, 1} {
		if got := (Rule{Hook: In, Do: Drop, Share: all}).meets(t, f, nil); got != "drop" {
			t.Errorf("a share of %v is not all: %q", all, got)
		}
	}
}

// A ceiling is for connections that begin, and not for those that are there.
func TestACeiling(t *testing.T) {
	t.Parallel()
	r := Rule{Hook: In, Do: Limit, Over: 2, Protocol: "tcp"}
	for name, c := range map[string]struct {
		fresh bool
		open  uint32
		want  string
	}{
		"the first":                    {true, 1, ""},
		"the last that is let in":      {true, 2, ""},
		"one more":                     {true, 3, "drop"},
		"one of those that are there":  {false, 3, ""},
		"there are more than the rule": {false, 100, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := between("10.0.0.5", "10.0.0.9").frame()
			f.fresh, f.open = c.fresh, c.open
			if got := r.meets(t, f, nil); got != c.want {
				t.Errorf("%q, expected %q", got, c.want)
			}
		})
	}
}
