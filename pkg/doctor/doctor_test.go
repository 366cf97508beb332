package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/internal/toyenv"
	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/doctor"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
	"github.com/gameday-dev/gameday/scenarios"
)

// site is an environment with made-up facts.
type site struct {
	*toyenv.Env

	facts   target.Diagnosis
	asked   error // why the facts cannot be had
	lacks   map[helper.Features]error
	refuses map[helper.Power]error
	tried   error // why no helper starts
	closed  atomic.Int64
}

func (s *site) Diagnose(context.Context) (target.Diagnosis, error) { return s.facts, s.asked }

func (s *site) Abilities(context.Context, []helper.Features, []helper.Power) (target.Abilities, error) {
	return target.Abilities{Image: "gameday/helper:1", Features: s.lacks, Powers: s.refuses}, s.tried
}

func (s *site) Close() error { s.closed.Add(1); return nil }

// component can do all that a component can.
type component struct {
	target.Handle
	target.Killer
	target.Stopper
	target.Pauser
	target.Crasher
	target.Limiter
	target.Execer
	target.Attacher
}

// stock is a lab with what there is for it.
type stock struct {
	target.Provisioner

	is target.Stock
}

func (s stock) Stock(context.Context, target.Lab) (target.Stock, error) { return s.is, nil }

// world is a machine and an environment that have all that is needed. A test takes
// something away.
type world struct {
	doctor.Patient

	site     *site
	unopened error
	stock    target.Stock
}

func whole() *world {
	w := &world{
		site: &site{facts: target.Diagnosis{
			Engine: "Docker Engine 28", System: "Debian", Address: "unix:///x",
			Limits: target.Limitable{CPU: true, Memory: true, PIDs: true},
			Room:   target.Room{Path: "/var/lib/docker", Free: 100 << 30},
			Ahead:  target.Bounds{Lo: -time.Millisecond, Hi: time.Millisecond, Known: true},
			Handle: component{},
		}},
		stock: target.Stock{There: []string{"gameday/lab-checkout-haproxy:1"}, Base: "debian", Tool: "docker compose 5"},
	}
	w.Patient = doctor.Patient{
		Open:   func(context.Context) (target.Site, error) { return w.site, w.unopened },
		Labs:   func(target.Site) (target.Provisioner, error) { return stock{is: w.stock}, nil },
		Lab:    target.Lab{Name: "checkout"},
		Demand: doctor.Demand{Specs: map[string][]any{"delay": {&fault.Delay{}}, "crash": {&fault.Crash{}}, "cpu": {&fault.CPU{}}}, Rate: 100, Hold: 2 * time.Second, Source: "scenario x"},
		Out:    "gameday-runs",
		Machine: doctor.Machine{
			Files: func() (uint64, error) { return 1 << 20, nil }, Ports: func() (int, int, error) { return 32768, 60999, nil },
			Free: func(string) (uint64, error) { return 100 << 30, nil }, Synced: func() (doctor.Synced, error) { return doctor.Synced{Is: true}, nil },
			Find: func(string) error { return nil },
		},
	}
	return w
}

func (w *world) examine(t *testing.T) []doctor.Finding {
	t.Helper()
	found := doctor.Examine(t.Context(), w.Checks(t.Context()), func([]string) {})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	return found
}

var (
	errAway = errors.New("it is not there")
	errFar  = errors.New("no Docker engine answers at tcp://far:1: start it")
)

// Each lack has its cost and the command that mends it, and is needed only if game days in
// this environment need it.
func TestEachLackHasItsCostAndItsCommand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		take       func(*world)
		subject    string // of the finding, with its check
		needed     bool
		found      string
		cost, mend string
		unknown    bool
	}{
		"the engine":           {take: func(w *world) { w.site.asked = errAway }, subject: "engine", needed: true, found: "not there", cost: "no game day can be run", mend: "systemctl start docker"},
		"the way to it":        {take: func(w *world) { w.unopened = errAway }, subject: "engine", needed: true, found: "not there", cost: "no game day can be run", mend: "systemctl start docker"},
		"another engine":       {take: func(w *world) { w.Host, w.unopened = "tcp://far:1", errFar }, subject: "engine", needed: true, found: "no Docker engine answers at tcp://far:1", cost: "no game day can be run", mend: "unset DOCKER_HOST # or correct it: it is tcp://far:1"},
		"of gameday.yaml":      {take: func(w *world) { w.Host, w.unopened = "tcp://near:1", errFar }, subject: "engine", needed: true, cost: "no game day can be run", mend: "sudo systemctl start docker"},
		"no right to use it":   {take: func(w *world) { w.unopened = fmt.Errorf("%w: permission denied", errAway) }, subject: "engine", needed: true, cost: "no game day can be run", mend: "usermod -aG docker"},
		"an old engine":        {take: func(w *world) { w.site.facts.Outdated = "Docker 20.10" }, subject: "engine", needed: true, cost: "needs Docker 20.10", mend: "get.docker.com"},
		"netem":                {take: lacks(helper.Features{Netem: true}), subject: "faults delay via: netem", cost: "delay uses the user-space queue instead", mend: "modprobe -a sch_netem"},
		"the queue, used":      {take: lacks(helper.Features{Queue: true}), subject: "faults delay", needed: true, cost: "a plan with it is refused; scenarios of this environment use it", mend: "xt_NFQUEUE"},
		"the queue, unused":    {take: func(w *world) { w.Demand.Specs = nil; lacks(helper.Features{Queue: true})(w) }, subject: "faults corrupt", cost: "a plan with it is refused", mend: "nfnetlink_queue"},
		"nftables":             {take: lacks(helper.Features{Packets: true}), subject: "faults partition", found: "it is not there", cost: "refused", mend: "nf_tables"},
		"nft_connlimit":        {take: lacks(helper.Features{Limit: true}), subject: "faults connections", cost: "refused", mend: "nft_connlimit"},
		"nft_dup":              {take: lacks(helper.Features{Duplicate: true}), subject: "faults duplicate", cost: "refused", mend: "nft_dup_ipv4"},
		"tbf":                  {take: lacks(helper.Features{Shape: true}), subject: "faults bandwidth", cost: "refused", mend: "sch_tbf"},
		"the host's processes": {take: func(w *world) { w.site.refuses = map[helper.Power]error{helper.Host: errAway} }, subject: "faults crash", needed: true, found: "the power host", cost: "refused", mend: "SecurityOptions"},
		"quotas":               {take: func(w *world) { w.site.facts.Limits.CPU = false }, subject: "faults cpu", needed: true, found: "cannot limit CPU", cost: "refused", mend: "Delegate="},
		"memory limits":        {take: func(w *world) { w.site.facts.Limits.Memory = false }, subject: "faults memory", cost: "refused", mend: "Delegate="},
		"a capability":         {take: func(w *world) { w.site.facts.Handle, w.Demand.Specs = struct{ target.Handle }{}, nil }, subject: "faults pause", found: "pausing is not supported", cost: "refused", mend: "gameday faults"},
		"helpers":              {take: func(w *world) { w.site.tried = errAway }, subject: "faults helper", needed: true, cost: "the helper's image", mend: "all files of a release"},
		"images":               {take: func(w *world) { w.stock.Missing = []string{"x"} }, subject: "lab images", found: "1 of 2 images", cost: "a few minutes", mend: "gameday lab up checkout"},
		"their base":           {take: func(w *world) { w.stock.Missing, w.stock.Base = []string{"x"}, "" }, subject: "lab images", cost: "debian:bookworm-slim", mend: "gameday lab up checkout"},
		"compose":              {take: func(w *world) { w.stock.NoTool = errAway }, subject: "lab compose", needed: true, cost: "labs cannot be started", mend: "install -y docker-compose"},
		"room for runs":        {take: full("gameday-runs"), subject: "disk runs", needed: true, cost: "the record", mend: "gameday history prune"},
		"room on the engine":   {take: func(w *world) { w.site.facts.Room.Free = 1 << 20 }, subject: "disk engine", needed: true, found: "1MiB free", cost: "images cannot be built", mend: "docker system prune"},
		"room to build":        {take: func(w *world) { w.site.facts.Room.Free, w.stock.Missing = 2<<30, []string{"x"} }, subject: "disk engine", needed: true, found: "of 3GiB needed", mend: "docker system prune"},
		"another machine":      {take: func(w *world) { w.site.facts.Room.Why = errAway }, subject: "disk engine", unknown: true, found: "not there"},
		"files":                {take: func(w *world) { w.Files = func() (uint64, error) { return 300, nil } }, subject: "sockets files", needed: true, found: "100 users a second (scenario x) need 456", cost: "above 22 users a second", mend: "ulimit -n 912"},
		"ports":                {take: func(w *world) { w.Ports = func() (int, int, error) { return 40000, 40619, nil } }, subject: "sockets ports", needed: true, found: "620 local ports", cost: "above 10 users a second", mend: "ip_local_port_range"},
		"another system":       {take: func(w *world) { w.Ports = func() (int, int, error) { return 0, 0, errAway } }, subject: "sockets ports", unknown: true, found: "not there"},
		"time":                 {take: func(w *world) { w.Synced = func() (doctor.Synced, error) { return doctor.Synced{}, nil } }, subject: "clock this machine", cost: "recovery times do not depend on it", mend: "timedatectl set-ntp true"},
		"the same time": {take: func(w *world) {
			w.site.facts.Ahead = target.Bounds{Lo: 3 * time.Second, Hi: 4 * time.Second, Known: true}
		}, subject: "clock engine", found: "3s to 4s", cost: "the engine's events", mend: "on the engine's machine"},
		"a time before": {take: func(w *world) {
			w.site.facts.Ahead = target.Bounds{Lo: -4 * time.Second, Hi: -3 * time.Second, Known: true}
		}, subject: "clock engine", cost: "the engine's events", mend: "on the engine's machine"},
		"a browser": {take: func(w *world) { w.Find = func(string) error { return errAway } }, subject: "browser", found: "chromium", cost: "PDF", mend: "install -y chromium"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := whole()
			c.take(w)
			all := w.examine(t)
			f := finding(t, all, c.subject)
			status := doctor.Lacking
			if c.unknown {
				status = doctor.Unknown
			}
			if f.Status != status || f.Needed != c.needed || !strings.Contains(f.Found, c.found) || !strings.Contains(f.Cost, c.cost) || !strings.Contains(f.Mend, c.mend) {
				t.Errorf("%+v", f)
			}
			if !c.unknown && (f.Cost == "" || f.Mend == "") {
				t.Errorf("it has no cost or no command: %+v", f)
			}
			if missing := len(doctor.Missing(all)) > 0; missing != c.needed {
				t.Errorf("missing: %+v", doctor.Missing(all))
			}
			text := doctor.Text("staging", "Next: gameday run", all)
			if c.needed && (!strings.Contains(text, "MISSING") || !strings.Contains(text, "missing: see")) || !c.needed && !strings.Contains(text, "is there. Next: gameday run") {
				t.Error(text)
			}
		})
	}
}

func lacks(one helper.Features) func(*world) {
	return func(w *world) { w.site.lacks = map[helper.Features]error{one: errAway} }
}

func full(folder string) func(*world) {
	return func(w *world) {
		w.Free = func(path string) (uint64, error) {
			if path == folder {
				return 1 << 20, nil
			}
			return 100 << 30, nil
		}
	}
}

// finding is the one about a check and a subject.
func finding(t *testing.T, all []doctor.Finding, of string) doctor.Finding {
	t.Helper()
	for _, f := range all {
		if strings.TrimSpace(f.Check+" "+f.Subject) == of {
			return f
		}
	}
	t.Fatalf("there is no finding %q in %+v", of, all)
	return doctor.Finding{}
}

func TestWhatIsWholeLacksNothing(t *testing.T) {
	t.Parallel()
	w := whole()
	all := w.examine(t)
	kinds := 0
	for _, f := range all {
		if f.Status != doctor.OK || f.Cost != "" || f.Mend != "" || f.Check == "" {
			t.Errorf("%+v", f)
		}
		if f.Check == "faults" && f.Subject != "helper" && f.Subject != "delay via: netem" {
			kinds++
		}
	}
	if kinds != len(fault.Specs()) {
		t.Errorf("%d kinds were looked at, expected %d", kinds, len(fault.Specs()))
	}
	if text := doctor.Text("staging", "Next: gameday run", all); !strings.Contains(text, "28 of 28 kinds of faults can be injected") {
		t.Error(text)
	}
	if n := w.site.closed.Load(); n != 1 {
		t.Errorf("the environment was closed %d times", n)
	}
}

// Kinds that lack the same are one entry in the text.
func TestTheSameLackIsShownOnce(t *testing.T) {
	t.Parallel()
	w := whole()
	w.site.lacks = map[helper.Features]error{{Packets: true}: errAway}
	w.Demand.Specs["dns"] = []any{&fault.DNS{}}
	text := doctor.Text("staging", "", w.examine(t))
	for _, want := range []string{"limited  faults   connections, drop, duplicate, isolate, partition, reject: it is not there", "MISSING  faults   dns: it is not there", "21 of 28 kinds"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// stuck is a check that does not end in time, and does not hear that it should.
type stuck struct{ until chan struct{} }

func (stuck) Name() string                            { return "stuck" }
func (stuck) Limit() time.Duration                    { return 20 * time.Second }
func (s stuck) Look(context.Context) []doctor.Finding { <-s.until; return nil }

// quick is a check that ends at once, and whose finding holds a secret.
type quick struct{}

func (quick) Name() string         { return "quick" }
func (quick) Limit() time.Duration { return time.Second }
func (quick) Look(context.Context) []doctor.Finding {
	return []doctor.Finding{{Status: doctor.OK, Found: "https://bob:S3cretPW@host"}}
}

// A check that hangs is given up on, and named while it is waited for; the others are not
// held up by it.
func TestAStuckCheckIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := stuck{make(chan struct{})}
		defer close(s.until)
		began := time.Now()
		var named []string
		found := doctor.Examine(t.Context(), []doctor.Check{s, quick{}}, func(names []string) { named = append(named, names...) })
		if len(found) != 2 || found[0].Status != doctor.Unknown || !strings.Contains(found[0].Found, "no answer within 20s") || time.Since(began) > 22*time.Second {
			t.Errorf("%+v after %v", found, time.Since(began))
		}
		if strings.Contains(found[1].Found, "S3cretPW") {
			t.Errorf("a secret is shown: %s", found[1].Found)
		}
		// The last time to name it is the moment at which it is given up: either comes first.
		if all := strings.Join(named, " "); all != "stuck stuck" && all != "stuck stuck stuck" {
			t.Errorf("named while they go on: %q", named)
		}
	})
}

// What scenarios ask for is what is checked: their kinds with their settings, and the users
// who come from this machine.
func TestDemand(t *testing.T) {
	t.Parallel()
	l := scenario.Library{Scenarios: scenarios.Files, Labs: labs.Files, Dir: t.TempDir(), Kinds: fault.Specs(), Drivers: target.Drivers{docker.Driver(nil)}}
	for name, c := range map[string]struct {
		kind   string
		source string
	}{
		"lab/checkout":        {"partition", "assumed"}, // its users come from inside
		"lab/checkout-backup": {"command", ""},
		"lab/checkout-ha":     {"connections", ""}, // of a scenario with a weakness
	} {
		env, err := l.Environment(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := doctor.DemandOf(l, env)
		if err != nil || len(d.Specs[c.kind]) == 0 || !strings.HasPrefix(d.Source, c.source) || d.Rate <= 0 || d.Hold <= 0 {
			t.Errorf("%s: %+v %v", name, d, err)
		}
	}
}

// A rate that grows after the fault counts at its highest.
func TestDemandOfStages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"gameday.yaml":        "version: 1\nenvironments: {staging: {docker: {project: shop}, entry: http://127.0.0.1:1}}\n",
		"journeys/home.yaml":  "version: 1\nname: home\nsteps: [{get: /}]\n",
		"scenarios/loss.yaml": "version: 1\nname: loss\nenvironment: staging\nobjective: {rto: 5s}\nload: [{journey: home, rate: 50/s, critical: true, stages: [{to: 500/s, over: 5s}, {to: 20/s}]}]\nfaults: [kill: {target: {service: db}}]\n",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	l := scenario.Library{Scenarios: os.DirFS(t.TempDir()), Labs: labs.Files, Dir: dir, Kinds: fault.Specs(), Drivers: target.Drivers{docker.Driver(nil)}}
	env, err := l.Environment("staging")
	if err != nil {
		t.Fatal(err)
	}
	if d, err := doctor.DemandOf(l, env); err != nil || d.Rate != 500 || d.Source != "scenario loss" {
		t.Errorf("%+v %v", d, err)
	}
}

// A driver without helpers is checked like any other: what it cannot do is one finding for
// each kind, and nothing fails.
func TestAToyEnvironment(t *testing.T) {
	t.Parallel()
	env, err := toyenv.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := whole()
	w.Open, w.Lab = func(context.Context) (target.Site, error) { return env, nil }, target.Lab{}
	w.Demand.Specs = map[string][]any{"kill": {&fault.Kill{}}}
	all := w.examine(t)
	for subject, want := range map[string]doctor.Status{
		"engine": doctor.OK, "faults kill": doctor.OK, "faults pause": doctor.OK, "faults stop": doctor.Lacking, "faults delay": doctor.Lacking, "faults cpu": doctor.Lacking, "disk engine": doctor.OK,
	} {
		if f := finding(t, all, subject); f.Status != want {
			t.Errorf("%s: %+v", subject, f)
		}
	}
	if missing := doctor.Missing(all); len(missing) > 0 {
		t.Errorf("missing: %+v", missing)
	}
}

// Every feature of a kernel is tried by itself, and has modules to load.
func TestEveryFeatureIsTried(t *testing.T) {
	t.Parallel()
	var all helper.Features
	fields := reflect.ValueOf(&all).Elem()
	for _, field := range fields.Fields() {
		field.SetBool(true)
	}
	single := doctor.Single(all)
	if len(single) != fields.NumField() {
		t.Errorf("%d of %d features are tried", len(single), fields.NumField())
	}
	for _, one := range single {
		if len(doctor.ModulesOf(one)) == 0 {
			t.Errorf("%+v has no modules", one)
		}
	}
}
