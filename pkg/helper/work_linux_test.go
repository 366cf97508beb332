package helper

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// specimens are one of each work, and how it stands on the wire: both ends of a
// helper, and those who read its orders in a log, know it by that.
func specimens() map[string]Work {
	return map[string]Work{
		`{"packets":{"rules":[{"hook":"in","peers":["10.0.0.0/8"],"protocol":"tcp","ports":[80],"share":0.5,"do":"drop"}]}}`: &Packets{Rules: []Rule{
			{Hook: In, Peers: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Protocol: "tcp", Ports: []uint16{80}, Share: 0.5, Do: Drop},
		}},
		`{"packets":{"rules":[{"hook":"forward","except":["::1/128"],"from":true,"over":7,"loopback":true,"early":true,"do":"limit"}]}}`: &Packets{Rules: []Rule{
			{Hook: Forward, Except: []netip.Prefix{netip.MustParsePrefix("::1/128")}, From: true, Over: 7, Loopback: true, Early: true, Do: Limit},
		}},
		`{"queue":{"match":[{"hook":"out","do":""}],"delay":1000000,"jitter":1000,"corrupt":0.1,"reorder":0.2,"seed":7}}`: &Queue{
			Match: []Rule{{Hook: Out}}, Delay: time.Millisecond, Jitter: time.Microsecond, Corrupt: 0.1, Reorder: 0.2, Seed: 7,
		},
		`{"shape":{"bits_per_second":8000}}`:                          &Shape{BitsPerSecond: 8000},
		`{"shape":{"delay":5,"jitter":4}}`:                            &Shape{Delay: 5, Jitter: 4},
		`{"fill":{"path":"/data","leave":1,"leave_share":0.5}}`:       &Fill{Path: "/data", Leave: 1, LeaveShare: 0.5},
		`{"fill":{"path":"/","host":true}}`:                           &Fill{Path: "/", Host: true},
		`{"mount":{"path":"/data"}}`:                                  &Mount{Path: "/data"},
		`{"signal":{"process":"worker","signal":19,"undo":18}}`:       &Signal{Process: "worker", Signal: 19, Undo: 18},
		`{"file":{"path":"/etc/hosts","op":"read"}}`:                  &File{Path: "/etc/hosts", Op: FileRead},
		`{"file":{"path":"/x","op":"write","write":{"exists":true}}}`: &File{Path: "/x", Op: FileWrite, Write: &FileSeen{Exists: true}},
		`{"kill":{"pid":7,"container":"abc"}}`:                        &KillOrder{PID: 7, Container: "abc"},
		`{"sockets":true}`:                                            Sockets(true),
		`{"neighbors":true}`:                                          Neighbors(true),
		`{"check":{"packets":true,"limit":true,"duplicate":true}}`:    &Features{Packets: true, Limit: true, Duplicate: true},
		`{"check":{"queue":true,"shape":true,"netem":true}}`:          &Features{Queue: true, Shape: true, Netem: true},
	}
}

func TestTheWire(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for want, work := range specimens() {
		o, err := order(work)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(o)
		if err != nil || string(got) != want {
			t.Errorf("%v, written\n%s, expected\n%s", err, got, want)
		}
		seen[work.work()] = true

		var there Order
		if err := json.Unmarshal([]byte(want), &there); err != nil {
			t.Fatal(err)
		}
		var again Work
		if again, err = works().last(there); err != nil {
			again, err = works().moment(there)
		}
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		switch listed := again.(type) {
		case *Sockets:
			again = *listed
		case *Neighbors:
			again = *listed
		}
		if diff := cmp.Diff(work, again, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Errorf("%s is read as another one (-written +read):\n%s", want, diff)
		}
	}
	for name := range works().lasting {
		if !seen[name] {
			t.Errorf("no specimen of %s", name)
		}
	}
	for name := range works().momentary {
		if !seen[name] {
			t.Errorf("no specimen of %s", name)
		}
	}
}

// The name in the registry is the one that the work has on the wire, and each
// order is a value of its own.
func TestTheRegistry(t *testing.T) {
	t.Parallel()
	for name, blank := range works().lasting {
		if got := blank().work(); got != name || blank() == blank() {
			t.Errorf("%s makes %s", name, got)
		}
	}
	for name, blank := range works().momentary {
		if got := blank().work(); got != name || blank() == blank() {
			t.Errorf("%s makes %s", name, got)
		}
	}
	if o, err := order(nil); o != nil || err != nil {
		t.Errorf("no work is written as %v, %v", o, err)
	}
}

func TestAnOrderThatIsNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order  string
		want   string
		moment bool
	}{
		"nothing":                   {`{}`, "an order is one work, and this is 0", false},
		"null":                      {`null`, "an order is one work, and this is 0", false},
		"two works":                 {`{"mount":{"path":"/"},"shape":{}}`, "an order is one work, and this is 2", false},
		"an unknown one":            {`{"earthquake":{}}`, `found "earthquake", expected one of [fill mount packets queue shape signal]`, false},
		"one that does not last":    {`{"kill":{"pid":1}}`, `found "kill", expected one of [fill`, false},
		"one that lasts":            {`{"mount":{"path":"/"}}`, `found "mount", expected one of [check file kill neighbors signal sockets]`, true},
		"of another type":           {`{"mount":["/"]}`, "read an order of mount: json: cannot unmarshal array", false},
		"half understood":           {`{"mount":{"path":"/","flags":7}}`, `read an order of mount: json: unknown field "flags"`, false},
		"a peer that is no network": {`{"packets":{"rules":[{"hook":"in","peers":["everybody"],"do":"drop"}]}}`, "read an order of packets", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o Order
			if err := json.Unmarshal([]byte(c.order), &o); err != nil {
				t.Fatal(err)
			}
			_, err := works().last(o)
			if c.moment {
				_, err = works().moment(o)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, expected %q", err, c.want)
			}
			if known := strings.Contains(c.want, "read an order"); errors.Is(err, errNoWork) == known {
				t.Errorf("%v: is it a work that this helper does not know?", err)
			}
		})
	}
}
