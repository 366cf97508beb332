package fault_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// told is what the helper was told, as the one line of JSON that it is.
func (b begun) told() string {
	b.t.Helper()
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	if len(b.w.inForce) != 1 {
		b.t.Fatalf("%d are in force", len(b.w.inForce))
	}
	for _, work := range b.w.inForce {
		data, err := json.Marshal(work)
		if err != nil {
			b.t.Fatal(err)
		}
		return string(data)
	}
	return ""
}

func TestInMemoryWhatTheHelperIsTold(t *testing.T) {
	t.Parallel()
	const app = `"peers":["10.0.0.3/32","10.0.0.4/32"]`
	for name, c := range map[string]struct{ kind, spec, want string }{
		"drop":               {"drop", `{}`, `{"packets":{"rules":[{"hook":"in","do":"drop"},{"hook":"out","do":"drop"}]}}`},
		"drop, a share":      {"drop", `{"share": "10%", "direction": "in"}`, `{"packets":{"rules":[{"hook":"in","share":0.1,"do":"drop"}]}}`},
		"drop, of some":      {"drop", `{"peer": {"service": "app"}, "protocol": "udp", "ports": [53], "direction": "out"}`, `{"packets":{"rules":[{"hook":"out",` + app + `,"protocol":"udp","ports":[53],"do":"drop"}]}}`},
		"partition":          {"partition", `{"from": {"service": "app"}}`, `{"packets":{"rules":[{"hook":"in",` + app + `,"do":"drop"},{"hook":"out",` + app + `,"do":"drop"}]}}`},
		"partition, one way": {"partition", `{"from": {"name": "app-1"}, "direction": "in"}`, `{"packets":{"rules":[{"hook":"in","peers":["10.0.0.3/32"],"do":"drop"}]}}`},
		"isolate":            {"isolate", `{}`, `{"packets":{"rules":[{"hook":"in","do":"drop"},{"hook":"out","do":"drop"}]}}`},
		"isolate, but users": {"isolate", `{"keep_probe": true}`, `{"packets":{"rules":[{"hook":"in","except":["10.0.0.1/32"],"do":"drop"},{"hook":"out","except":["10.0.0.1/32"],"do":"drop"}]}}`},
		"reject":             {"reject", `{"direction": "in"}`, `{"packets":{"rules":[{"hook":"in","do":"reject"}]}}`},
		"reject, reset":      {"reject", `{"direction": "in", "with": "reset"}`, `{"packets":{"rules":[{"hook":"in","protocol":"tcp","do":"reset"}]}}`},
		"connections":        {"connections", `{"max": 5, "ports": [80]}`, `{"packets":{"rules":[{"hook":"in","protocol":"tcp","ports":[80],"over":5,"do":"limit"},{"hook":"forward","protocol":"tcp","ports":[80],"over":5,"do":"limit"}]}}`},
		"dns":                {"dns", `{}`, `{"packets":{"rules":[{"hook":"in","ports":[53],"from":true,"loopback":true,"early":true,"do":"drop"}]}}`},
		"dns, refused":       {"dns", `{"answer": "refused"}`, `{"packets":{"rules":[{"hook":"out","ports":[53],"to":true,"loopback":true,"early":true,"do":"reject"}]}}`},
		"duplicate":          {"duplicate", `{"share": "5%"}`, `{"packets":{"rules":[{"hook":"out","share":0.05,"do":"duplicate"}]}}`},
		"delay":              {"delay", `{"by": 5, "jitter": 2}`, `{"queue":{"match":[{"hook":"out","do":""}],"delay":5,"jitter":2}}`},
		"delay, both ways":   {"delay", `{"by": 5, "direction": "both"}`, `{"queue":{"match":[{"hook":"in","do":""},{"hook":"out","do":""}],"delay":5}}`},
		"delay, netem":       {"delay", `{"by": 5, "jitter": 2, "via": "netem"}`, `{"shape":{"delay":5,"jitter":2}}`},
		"bandwidth":          {"bandwidth", `{"rate": "10mbit"}`, `{"shape":{"bits_per_second":10000000}}`},
		"fill":               {"fill", `{"path": "/d", "leave": "1MiB", "leave_share": "5%", "host": true}`, `{"fill":{"path":"/d","leave":1048576,"leave_share":0.05,"host":true}}`},
		"readonly":           {"readonly", `{"path": "/d"}`, `{"mount":{"path":"/d"}}`},
		"hang":               {"hang", `{"process": "postgres"}`, `{"signal":{"process":"postgres","signal":19,"undo":18}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, begin(t, newWorld(), c.kind, c.spec).told()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// While a fault about others lasts, who comes is cut off too, and who goes is not.
func TestInMemoryPeersComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := begin(t, w, "partition", `{"from": {"service": "app"}, "direction": "in"}`)
	peers := func(want ...string) {
		t.Helper()
		if b.lost() {
			t.Fatal("not in force")
		}
		for _, work := range w.inForce {
			var got []string
			for _, p := range workOf[helper.Packets](work, "packets").Rules[0].Peers {
				got = append(got, p.Addr().String())
			}
			if !slices.Equal(got, want) {
				t.Errorf("cut off from %v, expected %v", got, want)
			}
		}
	}
	peers("10.0.0.3", "10.0.0.4")
	told := len(w.ordered())
	peers("10.0.0.3", "10.0.0.4")
	if now := len(w.ordered()); now != told {
		t.Errorf("the helper was told %d times of the same", now-told)
	}
	w.others = append(w.others, peer("app-3", "10.0.0.9"))
	peers("10.0.0.3", "10.0.0.4", "10.0.0.9")
	w.others = w.others[:1]
	peers("10.0.0.3")
	w.others[0].Networks = []target.Network{{Name: "n", Address: netip.MustParseAddr("10.0.0.8")}, {Name: "m"}}
	peers("10.0.0.8")
	w.others = nil
	peers("192.0.2.255") // an address that no packet has: nobody, and not everybody
}

// A role stays with whom held it when the fault began.
func TestInMemoryARoleThatMoves(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.others[0].Labels = map[string]string{"role": "leader"}
	b := begin(t, w, "partition", `{"from": {"role": "leader"}, "direction": "in"}`)
	w.others[0].Labels, w.others[1].Labels = nil, map[string]string{"role": "leader"}
	if b.lost() || !strings.Contains(b.told(), "10.0.0.3/32") || strings.Contains(b.told(), "10.0.0.4/32") {
		t.Errorf("told %s", b.told())
	}
}

func TestInMemoryHelpedRefusals(t *testing.T) {
	t.Parallel()
	t.Run("peers of whom there are none", func(t *testing.T) {
		t.Parallel()
		_, err := made(t, "partition", `{"from": {"service": "ap"}}`).Prepare(t.Context(), newWorld().open(t))
		if err == nil || !strings.Contains(err.Error(), "service ap") {
			t.Errorf("found %v", err)
		}
	})
	t.Run("what the kernel cannot", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.lacks = errors.New("no nftables")
		for _, kind := range []string{"drop", "delay", "bandwidth", "connections"} {
			if _, err := made(t, kind, specs()[kind]).Prepare(t.Context(), w.open(t)); !errors.Is(err, w.lacks) {
				t.Errorf("%s: found %v", kind, err)
			}
		}
		if _, err := made(t, "fill", specs()["fill"]).Prepare(t.Context(), w.open(t)); err != nil {
			t.Errorf("fill needs nothing of it: %v", err)
		}
	})
	t.Run("a lifeline", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.life = "by way of db-1"
		for kind, refused := range map[string]bool{"drop": true, "isolate": true, "delay": true, "bandwidth": true, "fill": false, "hang": false, "kill": false} {
			_, err := made(t, kind, specs()[kind]).Prepare(t.Context(), w.open(t))
			if refused != (err != nil) || refused && !strings.Contains(err.Error(), w.life) {
				t.Errorf("%s: found %v", kind, err)
			}
		}
	})
	t.Run("what the helper cannot", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.wrong = "the mount is busy"
		for kind, tries := range map[string]bool{"fill": true, "readonly": true, "hang": true, "process": true, "drop": false} {
			if _, err := made(t, kind, specs()[kind]).Prepare(t.Context(), w.open(t)); tries != (err != nil) || tries && !strings.Contains(err.Error(), w.wrong) {
				t.Errorf("%s: prepared: %v", kind, err)
			}
		}
		f := made(t, "drop", `{}`)
		was, err := f.Prepare(t.Context(), w.open(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Inject(t.Context(), w.open(t), was); err == nil || !strings.Contains(err.Error(), w.wrong) {
			t.Errorf("injected: %v", err)
		}
	})
}

// A fault goes with its helper, and with the component's namespaces.
func TestInMemoryAHelperThatEnds(t *testing.T) {
	t.Parallel()
	for kind, what := range map[string]func(w *world, h *memory) error{
		"drop":  func(w *world, _ *memory) error { return w.Evict(t.Context()) },
		"delay": func(w *world, h *memory) error { return errors.Join(w.Stop(t.Context()), w.Start(t.Context())) },
		"fill": func(_ *world, h *memory) error {
			s, _ := h.Attached(t.Context(), helper.Disk)
			return s.Close() // its connection was cut
		},
	} {
		w := newWorld()
		b := begin(t, w, kind, specs()[kind])
		if err := what(w, b.h); err != nil {
			t.Fatal(err)
		}
		if !b.lost() {
			t.Errorf("%s: in force without its helper", kind)
		}
		b.revert()
		if len(w.inForce) > 0 {
			t.Errorf("%s: undone, %v is in force", kind, w.inForce)
		}
	}
}

// What the kernel keeps is mended by another helper when the first is gone; not where
// the component's namespaces are gone with it.
func TestInMemoryWhatTheKernelKeeps(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"bandwidth", "readonly", "hang"} {
		w := newWorld()
		b := begin(t, w, kind, specs()[kind])
		if err := w.Evict(t.Context()); err != nil || len(w.kept) == 0 {
			t.Fatalf("%s: the kernel keeps %v (%v)", kind, w.kept, err)
		}
		b.revert()
		if len(w.kept) > 0 {
			t.Errorf("%s: undone, the kernel keeps %v", kind, w.kept)
		}
		w = newWorld()
		b = begin(t, w, kind, specs()[kind])
		if err := w.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.revert()
		if w.c.State != target.Stopped || len(w.sessions) > 0 {
			t.Errorf("%s: a helper was started beside one that is %s", kind, w.c.State)
		}
	}
}

func TestInMemoryFelt(t *testing.T) {
	t.Parallel()
	for kind, known := range map[string]bool{"drop": true, "delay": true, "fill": false, "hang": false} {
		b := begin(t, newWorld(), kind, specs()[kind])
		feeler, ok := b.Fault.(fault.Feeler)
		if !ok {
			t.Fatalf("%s cannot tell", kind)
		}
		packets, can, err := feeler.Felt(t.Context(), b.h, b.was)
		if err != nil || can != known || known && packets != 42 {
			t.Errorf("%s: %d, %v, %v", kind, packets, can, err)
		}
		b.revert()
		if _, can, err := feeler.Felt(t.Context(), b.h, b.was); can || known != (err != nil) {
			t.Errorf("%s, undone: %v, %v", kind, can, err)
		}
	}
}
