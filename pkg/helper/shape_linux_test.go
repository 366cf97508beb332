package helper

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"pgregory.net/rapid"
)

func eth0() netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: "eth0", Index: 7}}
}

// A bucket of 10 ms and a queue of 100 ms, in bytes, within what lets a full
// packet pass and what the kernel takes.
func TestTheQueueOfABandwidth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bits            uint64
		rate            uint64 // bytes a second
		bucket, waiting uint32 // bytes
	}{
		"8 kbit":   {8_000, 1_000, 3_200, 32_000},
		"512 kbit": {512_000, 64_000, 3_200, 32_000},
		"10 mbit":  {10_000_000, 1_250_000, 12_500, 125_000},
		"1 gbit":   {1_000_000_000, 125_000_000, 1_250_000, 12_500_000},
		"1 tbit":   {1_000_000_000_000, 125_000_000_000, 1 << 30, 1 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := (&Shape{BitsPerSecond: c.bits}).queue(eth0()).(*netlink.Tbf)
			if !ok {
				t.Fatal("no token bucket")
			}
			want := &netlink.Tbf{
				QdiscAttrs: netlink.QdiscAttrs{LinkIndex: 7, Handle: shapeHandle, Parent: netlink.HANDLE_ROOT},
				Rate:       c.rate, Limit: c.waiting, Buffer: netlink.Xmittime(c.rate, c.bucket),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-expected +told)\n%s", diff)
			}
		})
	}
}

// Whatever the rate, the bucket lets a full packet of two pass: one that is too
// small for any loses them all.
func TestABucketHoldsAPacket(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := Shape{BitsPerSecond: rapid.Uint64Range(8_000, 400_000_000_000).Draw(t, "rate")}
		got, _ := s.queue(eth0()).(*netlink.Tbf)
		// Buffer is a time in the kernel's ticks, which at a high rate are coarse.
		if bytes := netlink.Xmitsize(got.Rate, got.Buffer); bytes < 1514 {
			t.Fatalf("at %d bits a second the bucket holds %d bytes", s.BitsPerSecond, bytes)
		}
		if got.Limit < 32_000 {
			t.Fatalf("%d bytes may wait", got.Limit)
		}
	})
}

func TestTheQueueOfADelay(t *testing.T) {
	t.Parallel()
	ticks := func(d time.Duration) uint32 {
		return netlink.NewNetem(netlink.QdiscAttrs{}, netlink.NetemQdiscAttrs{Latency: uint32(d.Microseconds())}).Latency
	}
	for name, s := range map[string]Shape{
		"a millisecond": {Delay: time.Millisecond},
		"with jitter":   {Delay: 200 * time.Millisecond, Jitter: 20 * time.Millisecond},
		"a minute":      {Delay: time.Minute, Jitter: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := s.queue(eth0()).(*netlink.Netem)
			if !ok {
				t.Fatal("no netem queue")
			}
			want := &netlink.Netem{
				QdiscAttrs: netlink.QdiscAttrs{LinkIndex: 7, Handle: shapeHandle, Parent: netlink.HANDLE_ROOT},
				Latency:    ticks(s.Delay), Jitter: ticks(s.Jitter), Limit: 100_000,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-expected +told)\n%s", diff)
			}
			if s.Delay == time.Minute && got.Latency < ticks(30*time.Second) {
				t.Errorf("a minute is %d ticks, half of it %d", got.Latency, ticks(30*time.Second))
			}
		})
	}
}

func root(kind string, major uint16) netlink.Qdisc {
	return &netlink.GenericQdisc{QdiscAttrs: netlink.QdiscAttrs{Handle: netlink.MakeHandle(major, 0), Parent: netlink.HANDLE_ROOT}, QdiscType: kind}
}

func below(kind string, major, parent uint16) netlink.Qdisc {
	return &netlink.GenericQdisc{QdiscAttrs: netlink.QdiscAttrs{Handle: netlink.MakeHandle(major, 0), Parent: netlink.MakeHandle(parent, 1)}, QdiscType: kind}
}

// Only the kernel's default is replaced, of whichever kind it is. Everything else
// is refused, by interface and kind, and it is said what to do.
func TestWhatIsReplaced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		queues  []netlink.Qdisc
		filters []netlink.Filter
		want    string
	}{
		"nothing at all":          {nil, nil, ""},
		"noqueue":                 {[]netlink.Qdisc{root("noqueue", 0)}, nil, ""},
		"pfifo_fast":              {[]netlink.Qdisc{&netlink.PfifoFast{QdiscAttrs: netlink.QdiscAttrs{Parent: netlink.HANDLE_ROOT}}}, nil, ""},
		"fq_codel as the default": {[]netlink.Qdisc{&netlink.FqCodel{QdiscAttrs: netlink.QdiscAttrs{Parent: netlink.HANDLE_ROOT}}}, nil, ""},
		"mq and its parts":        {[]netlink.Qdisc{root("mq", 0), below("fq_codel", 0, 0), below("fq_codel", 0, 0)}, nil, ""},
		"what filters on the way in": {[]netlink.Qdisc{
			root("noqueue", 0), &netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT}},
		}, nil, ""},
		"a token bucket":           {[]netlink.Qdisc{root("tbf", 1)}, nil, "interface eth0 has a root qdisc of its own (tbf 1:0), which could not be put back as it was: remove it first (tc qdisc del dev eth0 root)"},
		"classes":                  {[]netlink.Qdisc{root("htb", 1), below("sfq", 0x8002, 1)}, nil, "(htb 1:0)"},
		"fq_codel, set by hand":    {[]netlink.Qdisc{root("fq_codel", 0x8001)}, nil, "(fq_codel 8001:0)"},
		"mq, set by hand":          {[]netlink.Qdisc{root("mq", 1), below("fq", 0x8002, 1)}, nil, "(mq 1:0)"},
		"a kind that is not known": {[]netlink.Qdisc{root("cake", 0x8005)}, nil, "(cake 8005:0)"},
		"filters on the default":   {[]netlink.Qdisc{root("fq_codel", 0)}, []netlink.Filter{&netlink.U32{}}, "interface eth0 has filters of its own on its root qdisc"},
		"one of ours":              {[]netlink.Qdisc{&netlink.Tbf{QdiscAttrs: netlink.QdiscAttrs{Handle: shapeHandle, Parent: netlink.HANDLE_ROOT}}}, nil, "interface eth0 already has a qdisc of gameday"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := foreign("eth0", c.queues, c.filters)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, expected %q", err, c.want)
			}
		})
	}
}

// A list that the kernel has changed meanwhile is asked for again.
func TestAListThatWasInterrupted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ interrupted, asked int }{"once": {1, 2}, "never": {0, 1}, "always": {99, 10}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			all, err := complete(func() ([]int, error) {
				if asked++; asked <= c.interrupted {
					return []int{1}, netlink.ErrDumpInterrupted
				}
				return []int{1, 2}, nil
			})
			if asked != c.asked || (err == nil) != (len(all) == 2) {
				t.Errorf("asked %d times: %v, %v", asked, all, err)
			}
		})
	}
}
