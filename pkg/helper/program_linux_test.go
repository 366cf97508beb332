package helper

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// written is a program as text, much as `nft --debug=netlink list ruleset` has
// it: a chain and below it its rules.
func written(chains []chain) string {
	families := map[nftables.TableFamily]string{nftables.TableFamilyINet: "inet", nftables.TableFamilyIPv4: "ip", nftables.TableFamilyIPv6: "ip6", nftables.TableFamilyNetdev: "netdev"}
	var b strings.Builder
	for _, c := range chains {
		fmt.Fprintf(&b, "%s %s: %s", families[c.at.family], c.name, c.at.hook)
		if c.at.device != "" {
			fmt.Fprintf(&b, " of %s", c.at.device)
		}
		fmt.Fprintf(&b, " at %d\n", c.at.priority)
		for _, rule := range c.rules {
			var words []string
			for _, e := range rule {
				words = append(words, spoken(e))
			}
			fmt.Fprintf(&b, "  %s\n", strings.Join(words, "; "))
		}
	}
	return b.String()
}

func spoken(e expr.Any) string {
	switch e := e.(type) {
	case *expr.Meta:
		names := map[expr.MetaKey]string{
			expr.MetaKeyIIF: "iif", expr.MetaKeyOIF: "oif", expr.MetaKeyNFPROTO: "nfproto", expr.MetaKeyL4PROTO: "l4proto", expr.MetaKeyPROTOCOL: "protocol",
		}
		return "meta " + names[e.Key]
	case *expr.Payload:
		return fmt.Sprintf("load %d@%s+%d", e.Len, map[expr.PayloadBase]string{expr.PayloadBaseNetworkHeader: "network", expr.PayloadBaseTransportHeader: "transport"}[e.Base], e.Offset)
	case *expr.Cmp:
		return fmt.Sprintf("%s %x", map[expr.CmpOp]string{expr.CmpOpEq: "=", expr.CmpOpNeq: "!=", expr.CmpOpLt: "<", expr.CmpOpGte: ">="}[e.Op], e.Data)
	case *expr.Bitwise:
		return fmt.Sprintf("and %x", e.Mask)
	case *expr.Numgen:
		return fmt.Sprintf("random %d", e.Modulus)
	case *expr.Byteorder:
		return fmt.Sprintf("order %d", e.Op)
	case *expr.Ct:
		return fmt.Sprintf("ct %d", e.Key)
	case *expr.Connlimit:
		return fmt.Sprintf("connlimit %d flags %d", e.Count, e.Flags)
	case *expr.Counter:
		return "counter"
	case *expr.Verdict:
		return fmt.Sprintf("verdict %d", e.Kind)
	case *expr.Reject:
		return fmt.Sprintf("reject %d/%d", e.Type, e.Code)
	case *expr.Dup:
		return fmt.Sprintf("dup to %d", e.RegAddr)
	case *expr.Target:
		return fmt.Sprintf("target %s.%d %x", e.Name, e.Rev, *e.Info.(*xt.Unknown))
	}
	return fmt.Sprintf("%T", e)
}

// What the kernel is told, for one of each way in which a fault says it. Numbers
// of the machine's own byte order are as on a machine with its smallest byte
// first.
func TestPrograms(t *testing.T) {
	t.Parallel()
	const here, away = "meta iif; != 01000000; ", "meta oif; != 01000000; "
	const (
		others  = "meta l4proto; != 3a; meta l4proto; != 02; "      // neither ICMPv6 nor IGMP
		six     = "meta l4proto; != 3a; "                           // of a packet that is IPv6: no ICMPv6
		ping    = "meta l4proto; = 3a; load 1@transport+0; < 82; "  // ICMPv6 that is traffic
		finding = "meta l4proto; = 3a; load 1@transport+0; >= 82; " // neighbor discovery, MLD
		igmp    = "meta l4proto; = 02; "
		arp     = "meta protocol; != 0800; != 86dd; "
	)
	for name, c := range map[string]struct {
		rules   []Rule
		devices func() ([]string, error)
		want    string
	}{
		"nothing": {nil, ethernet, ""},
		"isolate": {
			[]Rule{{Hook: In, Do: Drop}, {Hook: Out, Do: Drop}}, ethernet, `
inet in_0: in at -150
  ` + here + others + `counter; verdict 0
  ` + here + ping + `counter; verdict 0
  ` + here + finding + `verdict 0
  ` + here + igmp + `verdict 0
netdev out_1: out of eth0 at 0
  ` + others + `counter; verdict 0
  ` + ping + `counter; verdict 0
  ` + finding + `verdict 0
  ` + igmp + `verdict 0
  ` + arp + `verdict 0
netdev out_2: out of eth1 at 0
  ` + others + `counter; verdict 0
  ` + ping + `counter; verdict 0
  ` + finding + `verdict 0
  ` + igmp + `verdict 0
  ` + arp + `verdict 0
`,
		},
		"isolate, where the kernel has no hook at the device": {
			[]Rule{{Hook: In, Do: Drop}, {Hook: Out, Do: Drop}}, nil, `
inet in_0: in at -150
  ` + here + others + `counter; verdict 0
  ` + here + ping + `counter; verdict 0
  ` + here + finding + `verdict 0
  ` + here + igmp + `verdict 0
inet out_1: out at -150
  ` + away + others + `counter; verdict 0
  ` + away + ping + `counter; verdict 0
  ` + away + finding + `verdict 0
  ` + away + igmp + `verdict 0
inet forward_2: forward at -150
  ` + away + others + `counter; verdict 0
  ` + away + ping + `counter; verdict 0
  ` + away + finding + `verdict 0
  ` + away + igmp + `verdict 0
`,
		},
		"a partition": {
			[]Rule{{Hook: In, Do: Drop, Peers: prefixes("10.0.0.5", "fd00::5")}, {Hook: Out, Do: Drop, Peers: prefixes("10.0.0.0/20")}},
			func() ([]string, error) { return []string{"eth0"}, nil }, `
inet in_0: in at -150
  ` + here + `meta nfproto; = 02; load 4@network+12; = 0a000005; meta l4proto; != 02; counter; verdict 0
  ` + here + `meta nfproto; = 0a; load 16@network+8; = fd000000000000000000000000000005; ` + six + `counter; verdict 0
  ` + here + `meta nfproto; = 0a; load 16@network+8; = fd000000000000000000000000000005; ` + ping + `counter; verdict 0
netdev out_1: out of eth0 at 0
  meta protocol; = 0800; load 4@network+16; and fffff000; = 0a000000; meta l4proto; != 02; counter; verdict 0
`,
		},
		"the probe is kept": {
			[]Rule{{Hook: In, Do: Drop, Except: prefixes("10.0.0.1")}}, ethernet, `
inet in_0: in at -150
  ` + here + `meta nfproto; = 02; load 4@network+12; != 0a000001; meta l4proto; != 02; counter; verdict 0
  ` + here + `meta nfproto; = 0a; ` + six + `counter; verdict 0
  ` + here + `meta nfproto; = 0a; ` + ping + `counter; verdict 0
`,
		},
		"a share": {
			[]Rule{{Hook: In, Do: Drop, Protocol: "udp", Share: 0.25}}, ethernet, `
inet in_0: in at -150
  ` + here + `meta l4proto; = 11; random 1000000; order 1; < 0003d090; counter; verdict 0
`,
		},
		"reject": {
			[]Rule{{Hook: Out, Do: Reject, Ports: []uint16{5432}, Protocol: "tcp"}}, ethernet, `
inet out_0: out at -150
  ` + away + `meta l4proto; = 06; load 2@transport+0; = 1538; counter; reject 2/1
  ` + away + `meta l4proto; = 06; load 2@transport+2; = 1538; counter; reject 2/1
inet forward_1: forward at -150
  ` + away + `meta l4proto; = 06; load 2@transport+0; = 1538; counter; reject 2/1
  ` + away + `meta l4proto; = 06; load 2@transport+2; = 1538; counter; reject 2/1
`,
		},
		"reset": {
			[]Rule{{Hook: In, Do: Reset, Protocol: "tcp"}}, ethernet, `
inet in_0: in at -150
  ` + here + `meta l4proto; = 06; counter; reject 1/0
`,
		},
		"a ceiling": {
			[]Rule{{Hook: In, Do: Limit, Over: 100, Protocol: "tcp"}, {Hook: Forward, Do: Limit, Over: 100, Protocol: "tcp"}}, ethernet, `
inet in_0: in at -150
  ` + here + `meta l4proto; = 06; ct 0; and 08000000; != 00000000; connlimit 100 flags 1; counter; verdict 0
inet forward_1: forward at -150
  ` + here + `meta l4proto; = 06; ct 0; and 08000000; != 00000000; connlimit 100 flags 1; counter; verdict 0
`,
		},
		"name lookups": {
			[]Rule{{Hook: In, Do: Drop, Protocol: "udp", Ports: []uint16{53}, From: true, Loopback: true, Early: true}}, ethernet, `
inet in_0: in at -310
  meta l4proto; = 11; load 2@transport+0; = 0035; counter; verdict 0
`,
		},
		"name lookups, on the way out": {
			[]Rule{{Hook: Out, Do: Drop, Protocol: "udp", Ports: []uint16{53}, Loopback: true, Early: true}}, ethernet, `
inet out_0: out at -310
  meta l4proto; = 11; load 2@transport+0; = 0035; counter; verdict 0
  meta l4proto; = 11; load 2@transport+2; = 0035; counter; verdict 0
`,
		},
		"duplicate": {
			[]Rule{{Hook: Out, Do: Duplicate, Peers: prefixes("10.0.0.5", "fd00::5")}}, ethernet, `
ip out_0: out at -150
  ` + away + `load 4@network+16; = 0a000005; meta l4proto; != 02; counter; load 4@network+16; dup to 1
ip forward_1: forward at -150
  ` + away + `load 4@network+16; = 0a000005; meta l4proto; != 02; counter; load 4@network+16; dup to 1
ip6 out_2: out at -150
  ` + away + `load 16@network+24; = fd000000000000000000000000000005; ` + six + `counter; load 16@network+24; dup to 1
  ` + away + `load 16@network+24; = fd000000000000000000000000000005; ` + ping + `counter; load 16@network+24; dup to 1
ip6 forward_3: forward at -150
  ` + away + `load 16@network+24; = fd000000000000000000000000000005; ` + six + `counter; load 16@network+24; dup to 1
  ` + away + `load 16@network+24; = fd000000000000000000000000000005; ` + ping + `counter; load 16@network+24; dup to 1
`,
		},
		"one chain for rules of one place": {
			[]Rule{{Hook: In, Do: Drop, Protocol: "udp"}, {Hook: Out, Do: Reject}, {Hook: In, Do: Reset, Protocol: "tcp"}}, ethernet, `
inet in_0: in at -150
  ` + here + `meta l4proto; = 11; counter; verdict 0
  ` + here + `meta l4proto; = 06; counter; reject 1/0
inet out_1: out at -150
  ` + away + others + `counter; reject 2/1
  ` + away + ping + `counter; reject 2/1
inet forward_2: forward at -150
  ` + away + others + `counter; reject 2/1
  ` + away + ping + `counter; reject 2/1
`,
		},
		"peers of whom the table can have none": {
			[]Rule{{Hook: Out, Do: Duplicate, Peers: prefixes("fd00::5")}}, ethernet, `
ip out_0: out at -150
ip forward_1: forward at -150
ip6 out_2: out at -150
  ` + away + `load 16@network+24; = fd000000000000000000000000000005; ` + six + `counter; load 16@network+24; dup to 1
  ` + away + `load 16@network+24; = fd000000000000000000000000000005; ` + ping + `counter; load 16@network+24; dup to 1
ip6 forward_3: forward at -150
  ` + away + `load 16@network+24; = fd000000000000000000000000000005; ` + six + `counter; load 16@network+24; dup to 1
  ` + away + `load 16@network+24; = fd000000000000000000000000000005; ` + ping + `counter; load 16@network+24; dup to 1
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chains, err := program(c.rules, c.devices, Rule.action)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), written(chains)); diff != "" {
				t.Errorf("(-expected +told)\n%s", diff)
			}
		})
	}
}

// Packets that are held up go to a queue by its number, past which they pass if
// nothing listens there.
func TestTheProgramOfAQueue(t *testing.T) {
	t.Parallel()
	chains, err := program([]Rule{{Hook: Out, Protocol: "udp"}}, ethernet, func(Rule, place) ([]expr.Any, error) { return toQueue(0x1234), nil })
	if err != nil {
		t.Fatal(err)
	}
	var want string
	for _, at := range []string{"ip out_0: out", "ip forward_1: forward", "ip6 out_2: out", "ip6 forward_3: forward"} {
		want = fmt.Sprintf("%s%s at -150\n  meta oif; != 01000000; meta l4proto; = 11; counter; target NFQUEUE.3 3412010001000000\n", want, at)
	}
	if diff := cmp.Diff(want, written(chains)); diff != "" {
		t.Errorf("(-expected +told)\n%s", diff)
	}
}

func TestWhatHasNoProgram(t *testing.T) {
	t.Parallel()
	broken := errors.New("no interfaces today")
	for name, c := range map[string]struct {
		rule    Rule
		devices func() ([]string, error)
		want    string
	}{
		"an unknown action":      {Rule{Hook: In, Do: "swallow"}, ethernet, "unknown action swallow"},
		"no network":             {Rule{Hook: Out, Do: Drop}, func() ([]string, error) { return nil, nil }, "the target has no network"},
		"no list of interfaces":  {Rule{Hook: Out, Do: Drop}, func() ([]string, error) { return nil, broken }, broken.Error()},
		"no action, and no list": {Rule{Hook: Out, Do: ""}, func() ([]string, error) { return nil, broken }, "unknown action"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := program([]Rule{c.rule}, c.devices, Rule.action); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, expected %q", err, c.want)
			}
		})
	}
	// A rule that needs no interface does not ask for any.
	if _, err := program([]Rule{{Hook: In, Do: Drop}}, func() ([]string, error) { return nil, broken }, Rule.action); err != nil {
		t.Error(err)
	}
}

// The chain as the kernel's client takes it: at which hook, of which device.
func TestWhereAChainHangs(t *testing.T) {
	t.Parallel()
	table := &nftables.Table{Name: "gameday_x_1"}
	for name, c := range map[string]struct {
		at   place
		hook *nftables.ChainHook
	}{
		"in":     {place{family: nftables.TableFamilyINet, hook: In, priority: usual}, nftables.ChainHookInput},
		"out":    {place{family: nftables.TableFamilyIPv4, hook: Out, priority: early}, nftables.ChainHookOutput},
		"pass":   {place{family: nftables.TableFamilyINet, hook: Forward, priority: usual}, nftables.ChainHookForward},
		"device": {place{family: nftables.TableFamilyNetdev, hook: Out, device: "eth0"}, nftables.ChainHookEgress},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := chain{name: "x_0", at: c.at}.nft(table)
			if *made.Hooknum != *c.hook || *made.Priority != c.at.priority || made.Device != c.at.device ||
				made.Table != table || made.Name != "x_0" || made.Type != nftables.ChainTypeFilter || made.Policy != nil {
				t.Errorf("%+v", made)
			}
		})
	}
}

// Rules begin before the engine's own rewriting of addresses, and early ones
// before connections are tracked.
func TestPriorities(t *testing.T) {
	t.Parallel()
	const rewriting, tracking = -100, -200
	if usual >= rewriting || usual <= tracking || early >= tracking {
		t.Errorf("%d, %d", usual, early)
	}
}

// meant is what a rule says of a packet, in Go.
func (r Rule) meant(h header) bool {
	other := h.to
	if r.Hook == In {
		other = h.from
	}
	peer := len(r.Peers) == 0
	for _, p := range r.Peers {
		peer = peer || p.Contains(other)
	}
	for _, p := range r.Except {
		peer = peer && !p.Contains(other)
	}
	name := map[byte]string{tcp: "tcp", udp: "udp", icmp: "icmp", unix.IPPROTO_ICMPV6: "icmp"}[h.protocol]
	if h.protocol == unix.IPPROTO_ICMPV6 && h.fragment > 0 {
		return false // its type stands in the first fragment
	}
	// What a network says about itself is met only by a rule that drops everything.
	if h.protocol == unix.IPPROTO_ICMPV6 && h.source>>8 >= housekeeping6 || h.protocol == unix.IPPROTO_IGMP {
		return len(r.Peers) == 0 && len(r.Except) == 0 && r.Protocol == "" && len(r.Ports) == 0
	}
	protocol := r.Protocol == "" || r.Protocol == name
	port := len(r.Ports) == 0 || h.fragment == 0 && (name == "tcp" || name == "udp") &&
		(!r.To && slices.Contains(r.Ports, h.source) || !r.From && slices.Contains(r.Ports, h.dest))
	return peer && protocol && port
}

// Whatever a rule says and whatever a packet is, the kernel's language says the
// same as the rule.
func TestAnyRuleMeetsWhatItMeans(t *testing.T) {
	t.Parallel()
	addresses := []string{"10.0.0.1", "10.0.0.2", "10.0.1.1", "192.168.7.255", "fd00::1", "fd00::2", "fd00:1::1"}
	networks := append([]string{"10.0.0.0/24", "10.0.0.0/31", "192.168.0.0/17", "fd00::/32", "fd00::/127", "0.0.0.0/0", "::/0"}, addresses...)
	ports := []uint16{1, 53, 80, 256, 0x8800, 40_000, 65_535}
	rapid.Check(t, func(rt *rapid.T) {
		some := func(label string) []string {
			return rapid.SliceOfN(rapid.SampledFrom(networks), 0, 3).Draw(rt, label)
		}
		r := Rule{
			Hook: rapid.SampledFrom([]Hook{In, Out, Forward}).Draw(rt, "hook"), Do: Drop,
			Peers: prefixes(some("peers")...), Except: prefixes(some("except")...),
			Protocol: rapid.SampledFrom([]string{"", "tcp", "udp", "icmp"}).Draw(rt, "protocol"),
			Ports:    rapid.SliceOfN(rapid.SampledFrom(ports), 0, 3).Draw(rt, "ports"),
		}
		if r.Protocol == "icmp" {
			r.Ports = nil // no fault has both
		}
		switch rapid.IntRange(0, 2).Draw(rt, "end") {
		case 1:
			r.From = true
		case 2:
			r.To = true
		}
		from := rapid.SampledFrom(addresses).Draw(rt, "source")
		to := rapid.SampledFrom(addresses).Filter(func(to string) bool {
			return strings.Contains(to, ":") == strings.Contains(from, ":")
		}).Draw(rt, "destination")
		h := between(from, to).by(rapid.SampledFrom([]byte{tcp, udp, icmp, unix.IPPROTO_SCTP, unix.IPPROTO_IGMP, unix.IPPROTO_ICMPV6}).Draw(rt, "carried by")).
			ports(rapid.SampledFrom(ports).Draw(rt, "source port"), rapid.SampledFrom(ports).Draw(rt, "destination port")).
			optional(8 * rapid.IntRange(0, 5).Draw(rt, "options"))
		h.protocol = own(h)
		if rapid.Bool().Draw(rt, "fragmented") {
			h = h.part(rapid.SampledFrom([]uint16{0, 1, 185, 8191}).Draw(rt, "fragment"), true)
		}
		devices := ethernet
		if rapid.Bool().Draw(rt, "at the hook") {
			devices = nil
		}
		if got := r.meets(t, h.frame(), devices); got == "drop" != r.meant(h) {
			rt.Fatalf("%+v\n%+v\n%q, and is meant: %v", r, h, got, r.meant(h))
		}
	})
}

// own is the packet's protocol: each address family has its own ICMP, and only IPv4 has IGMP.
func own(h header) byte {
	switch {
	case h.from.Is4() && h.protocol == unix.IPPROTO_ICMPV6:
		return icmp
	case h.from.Is6() && (h.protocol == icmp || h.protocol == unix.IPPROTO_IGMP):
		return unix.IPPROTO_ICMPV6
	}
	return h.protocol
}
