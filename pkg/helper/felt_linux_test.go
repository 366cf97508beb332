package helper

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// counts reports whether a rule counts a packet as one that it has met, and what becomes of
// the packet.
func (r Rule) counts(t *testing.T, f frame, devices func() ([]string, error)) (counted bool, verdict string) {
	t.Helper()
	chains, err := program([]Rule{r}, devices, Rule.action)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chains {
		for _, rule := range c.rules {
			m := machine{t: t, at: c.at}
			for _, e := range rule {
				if !m.holds(f, e) {
					break
				}
			}
			if m.verdict != "" {
				return m.counted > 0, m.verdict
			}
		}
	}
	return false, ""
}

// A fault is felt by traffic that it was meant for, and by nothing else: what passes, what
// the component says to itself, and what the kernel says about the network do not count.
func TestWhatIsFelt(t *testing.T) {
	t.Parallel()
	const us, db, app, us6, db6 = "10.0.0.9", "10.0.0.5", "10.0.0.7", "fd00::9", "fd00::5"
	itself := func() frame { f := between("127.0.0.1", "127.0.0.1").frame(); f.in, f.out = 1, 1; return f }
	known := func(h header) frame { f := h.frame(); f.fresh = false; return f }
	type seen struct {
		packet frame
		counts bool
		gone   bool // though it is not counted
	}
	for name, c := range map[string]struct {
		rule    Rule
		packets map[string]seen
	}{
		"isolate": {Rule{Hook: In, Do: Drop}, map[string]seen{
			"traffic":              {between(db, us).frame(), true, true},
			"traffic of IPv6":      {between(db6, us6).frame(), true, true},
			"ping":                 {between(db, us).by(icmp).frame(), true, true},
			"ping of IPv6":         {between(db6, us6).ping().frame(), true, true},
			"an advert of VRRP":    {between(db, "224.0.0.18").by(112).frame(), true, true},
			"neighbor discovery":   {between(db6, us6).solicitation().frame(), false, true},
			"a multicast report":   {between("fe80::1", "ff02::16").by(unix.IPPROTO_ICMPV6).ports(143<<8, 0).frame(), false, true},
			"a router is asked":    {between("fe80::1", "ff02::2").by(unix.IPPROTO_ICMPV6).ports(133<<8, 0).frame(), false, true},
			"a multicast join":     {between(db, "224.0.0.22").by(unix.IPPROTO_IGMP).frame(), false, true},
			"its own health check": {itself(), false, false},
		}},
		"drop, of a peer": {Rule{Hook: Out, Do: Drop, Peers: prefixes(db, db6)}, map[string]seen{
			"to the peer":          {between(us, db).frame(), true, true},
			"to the peer, by IPv6": {between(us6, db6).frame(), true, true},
			"to another":           {between(us, app).frame(), false, false},
			"from the peer":        {between(db, us).frame(), false, false},
			"neighbor discovery":   {between(us6, db6).solicitation().frame(), false, false},
		}},
		"drop, of a port": {Rule{Hook: In, Do: Drop, Protocol: "tcp", Ports: []uint16{80}}, map[string]seen{
			"the port":         {between(db, us).frame(), true, true},
			"the port, by UDP": {between(db, us).by(udp).frame(), false, false},
			"another port":     {between(db, us).ports(40_000, 8080).frame(), false, false},
		}},
		"drop, of a share that leaves it out": {Rule{Hook: In, Do: Drop, Share: 0.5}, map[string]seen{
			"traffic": {func() frame { f := between(db, us).frame(); f.random = 999_999; return f }(), false, false},
		}},
		"reject": {Rule{Hook: Out, Do: Reject}, map[string]seen{
			"traffic":            {between(us, db).frame(), true, true},
			"neighbor discovery": {between(us6, db6).solicitation().frame(), false, false},
			"its own":            {itself(), false, false},
		}},
		"reject, by reset": {Rule{Hook: In, Do: Reset, Protocol: "tcp"}, map[string]seen{
			"TCP": {between(db, us).frame(), true, true},
			"UDP": {between(db, us).by(udp).frame(), false, false},
		}},
		"dns": {Rule{Hook: In, Do: Drop, Ports: []uint16{53}, From: true, Early: true, Loopback: true}, map[string]seen{
			"an answer":                    {between(db, us).by(udp).ports(53, 40_000).frame(), true, true},
			"an answer, by IPv6":           {between(db6, us6).by(udp).ports(53, 40_000).frame(), true, true},
			"a question to the component":  {between(db, us).by(udp).ports(40_000, 53).frame(), false, false},
			"traffic that is not of names": {between(db, us).frame(), false, false},
		}},
		"dns, refused": {Rule{Hook: Out, Do: Reject, Ports: []uint16{53}, To: true, Early: true, Loopback: true}, map[string]seen{
			"a question":                    {between(us, db).by(udp).ports(40_000, 53).frame(), true, true},
			"the answer of its own service": {between(us, db).by(udp).ports(53, 40_000).frame(), false, false},
		}},
		"connections": {Rule{Hook: In, Do: Limit, Over: 0, Protocol: "tcp"}, map[string]seen{
			"one that is there": {known(between(db, us)), false, false},
			"below the limit":   {between(db, us).frame(), false, false},
		}},
		"duplicate": {Rule{Hook: Out, Do: Duplicate, Protocol: "udp"}, map[string]seen{
			"UDP": {between(us6, db6).by(udp).frame(), true, true},
			"TCP": {between(us6, db6).frame(), false, false},
		}},
	} {
		for what, p := range c.packets {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				for at, devices := range map[string]func() ([]string, error){"hook": nil, "device": ethernet} {
					if p.packet.in == 1 && at == "device" && c.rule.Hook == Out && c.rule.Do == Drop {
						continue // no packet to itself comes to a device
					}
					counted, verdict := c.rule.counts(t, p.packet, devices)
					if counted != p.counts || (verdict != "") != p.gone {
						t.Errorf("at the %s: counted %t, %q; expected %t, %t", at, counted, verdict, p.counts, p.gone)
					}
				}
			})
		}
	}
}

// ARP is dropped at the device by a rule that drops everything, is not counted, and is left
// alone by every other rule.
func TestARPIsNotFelt(t *testing.T) {
	t.Parallel()
	arp := frame{data: make([]byte, 28), ether: unix.ETH_P_ARP, in: 2, out: 2}
	for name, c := range map[string]struct {
		rule Rule
		want string
	}{
		"isolate":           {Rule{Hook: Out, Do: Drop}, "drop"},
		"isolate, but some": {Rule{Hook: Out, Do: Drop, Except: prefixes("10.0.0.1")}, ""},
		"a peer":            {Rule{Hook: Out, Do: Drop, Peers: prefixes("0.0.0.0/0")}, ""},
		"a protocol":        {Rule{Hook: Out, Do: Drop, Protocol: "icmp"}, ""},
	} {
		if counted, verdict := c.rule.counts(t, arp, ethernet); counted || verdict != c.want {
			t.Errorf("%s: counted %t, %q, expected %q", name, counted, verdict, c.want)
		}
	}
}

// Of packets that are held up, those count to which something is done.
func TestWhatIsFeltOfAQueue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		queue Queue
		gap   time.Duration // between packets
		want  func(met int) bool
	}{
		"a delay":                        {Queue{Delay: time.Second}, time.Millisecond, func(met int) bool { return met == 100 }},
		"nothing":                        {Queue{}, time.Millisecond, func(met int) bool { return met == 0 }},
		"corrupt, all":                   {Queue{Corrupt: 1}, time.Millisecond, func(met int) bool { return met == 100 }},
		"corrupt, hardly any":            {Queue{Corrupt: 1e-9}, time.Millisecond, func(met int) bool { return met == 0 }},
		"reorder":                        {Queue{Delay: time.Second, Reorder: 0.3}, time.Millisecond, func(met int) bool { return met > 10 && met < 60 }},
		"reorder, and nothing to pass":   {Queue{Delay: time.Second, Reorder: 0.3}, 2 * time.Second, func(met int) bool { return met == 0 }},
		"reorder, and none that passes":  {Queue{Delay: time.Second, Reorder: 1e-9}, time.Millisecond, func(met int) bool { return met == 0 }},
		"reorder, and none that is late": {Queue{Delay: time.Second, Reorder: 1}, time.Millisecond, func(met int) bool { return met == 0 }},
	} {
		f, met := newFates(c.queue), 0
		for i := range 100 {
			if f.next(when().Add(time.Duration(i)*c.gap), between("10.0.0.5", "10.0.0.9").bytes()).met {
				met++
			}
		}
		if !c.want(met) {
			t.Errorf("%s: has met %d of 100", name, met)
		}
	}
}

// A packet of IPv6 is changed behind its header, as the addresses must stay.
func TestCorruptedBehindTheHeader(t *testing.T) {
	t.Parallel()
	for _, h := range []header{between("10.0.0.5", "10.0.0.9"), between("10.0.0.5", "10.0.0.9").optional(40), between("fd00::5", "fd00::9")} {
		whole, random := h.bytes(), newFates(Queue{Seed: 7}).random
		length := 40
		if h.from.Is4() {
			length = 20 + h.options
		}
		for range 200 {
			altered := corrupted(whole, random)
			if string(altered[:length]) != string(whole[:length]) || string(altered) == string(whole) {
				t.Fatalf("%x became %x", whole, altered)
			}
		}
	}
}

// A bound on the bandwidth is felt by packets that it holds back, and not by those below it.
func TestWhatIsFeltOfAShape(t *testing.T) {
	t.Parallel()
	seen := &netlink.QdiscStatistics{
		Basic: &netlink.GnetStatsBasic{Packets: 1000, Bytes: 100_000}, Queue: &netlink.GnetStatsQueue{Overlimits: 3, Drops: 2},
	}
	for name, c := range map[string]struct {
		shape Shape
		seen  *netlink.QdiscStatistics
		want  uint64
	}{
		"a bound":                 {Shape{BitsPerSecond: 1e6}, seen, 5},
		"a bound that none meets": {Shape{BitsPerSecond: 1e6}, &netlink.QdiscStatistics{Basic: seen.Basic, Queue: new(netlink.GnetStatsQueue)}, 0},
		"a delay":                 {Shape{Delay: time.Second}, seen, 1000},
		"unknown":                 {Shape{BitsPerSecond: 1e6}, nil, 0},
		"half unknown":            {Shape{BitsPerSecond: 1e6}, &netlink.QdiscStatistics{Basic: seen.Basic}, 0},
	} {
		if got := c.shape.met(c.seen); got != c.want {
			t.Errorf("%s: %d, expected %d", name, got, c.want)
		}
	}
}

// A bound that is above what every interface carries is none.
func TestABoundAboveTheSpeed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rate   uint64
		speeds map[string]uint64
		want   string
	}{
		"below":                  {9e9, map[string]uint64{"eth0": 1e10}, ""},
		"as much":                {1e10, map[string]uint64{"eth0": 1e10}, "rate: found 10000 Mbit/s, expected less than 10000 Mbit/s, the speed of interface eth0"},
		"above":                  {2e10, map[string]uint64{"eth0": 1e10, "eth1": 1e9}, "the speed of interface eth0"},
		"above one of two":       {2e9, map[string]uint64{"eth0": 1e10, "eth1": 1e9}, ""},
		"above one, and unknown": {2e9, map[string]uint64{"eth0": 0, "eth1": 1e9}, ""},
		"unknown":                {1e15, map[string]uint64{"eth0": 0}, ""},
	} {
		err := (&Shape{BitsPerSecond: c.rate}).lowers(c.speeds)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
	if err := (&Shape{Delay: 1}).lowers(map[string]uint64{"eth0": 1}); err != nil {
		t.Errorf("a delay is no bound: %v", err)
	}
}

// Interfaces that have come are those of another number or name.
func TestInterfacesThatCame(t *testing.T) {
	t.Parallel()
	before := map[int]string{2: "eth0", 4: "eth1"}
	now := maps.Clone(before)
	if got := added(before, now); len(got) > 0 {
		t.Errorf("%v", got)
	}
	delete(now, 4)
	now[7], now[9] = "eth1", "eth2"
	if got := added(before, now); len(got) != 2 || got[0] != "eth1" || got[1] != "eth2" {
		t.Errorf("%v", got)
	}
}
