package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// engine is whether the environment can be reached, and is new enough.
type engine struct{ *Patient }

func (engine) Name() string         { return "engine" }
func (engine) Limit() time.Duration { return 2 * asking }

func (c engine) Look(context.Context) []Finding {
	d, err := c.facts()
	if errors.Is(err, target.ErrUnsupported) {
		return []Finding{unknown(err)}
	}
	if err != nil {
		return []Finding{{
			Status: Lacking, Needed: true, Found: err.Error(),
			Cost: "no game day can be run in this environment", Mend: c.mendEngine(err),
		}}
	}
	f := ok("%s at %s, on %s", d.Engine, d.Address, d.System)
	f.Needed = true
	if d.Outdated != "" {
		f.Status, f.Cost = Lacking, "gameday is not tested with it, and needs "+d.Outdated
		f.Mend = "curl -fsSL https://get.docker.com | sudo sh"
	}
	return []Finding{f}
}

// mendEngine is what helps if the engine cannot be reached: what the error says decides.
func (c engine) mendEngine(err error) string {
	switch text := err.Error(); {
	case c.Host != "" && strings.Contains(text, c.Host) && c.Host != defaultHost:
		return "unset DOCKER_HOST # or correct it: it is " + c.Host
	case strings.Contains(text, "permission denied"):
		return `sudo usermod -aG docker "$USER" # and log in again`
	}
	return "sudo systemctl start docker"
}

// defaultHost is where an engine listens that was not configured.
const defaultHost = "unix:///var/run/docker.sock"

// kinds is which kinds of faults can be injected.
type kinds struct{ *Patient }

func (kinds) Name() string         { return "faults" }
func (kinds) Limit() time.Duration { return trying + leaving }

// variant is a way of a kind that needs something of its own.
type variant struct {
	name, kind string
	spec       any
	instead    string // what works without it
}

func variants() []variant {
	var all []variant
	for _, k := range fault.Specs() {
		all = append(all, variant{name: k.Name, kind: k.Name, spec: k.New()})
		if k.Name == "delay" {
			all = append(all, variant{"delay via: netem", "delay", &fault.Delay{Via: "netem"}, "delay uses the user-space queue instead, up to about 20,000 packets a second"})
		}
	}
	return all
}

func (c kinds) Look(ctx context.Context) []Finding {
	d, err := c.facts()
	if err != nil {
		return nil // the finding of the engine says so
	}
	can, tryErr := c.abilities(ctx)
	var found []Finding
	if tryErr != nil {
		found = append(found, c.noHelper(tryErr))
	} else if can.Image != "" {
		f := ok("the helper's image is %s", can.Image)
		f.Subject, f.Needed = "helper", true
		found = append(found, f)
	}
	for _, v := range variants() {
		found = append(found, c.kind(v, d, can, tryErr))
	}
	return found
}

// abilities are tried in less time than the check has, so that what is tried can be taken
// away.
func (c kinds) abilities(ctx context.Context) (target.Abilities, error) {
	diagnoser, err := c.diagnoser()
	if err != nil {
		return target.Abilities{}, err
	}
	features, powers := map[helper.Features]bool{}, map[helper.Power]bool{}
	for _, v := range variants() {
		need := fault.NeedOf(v.spec)
		for _, one := range single(need.Features) {
			features[one] = true
		}
		if need.Power != "" {
			powers[need.Power] = true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, trying)
	defer cancel()
	return diagnoser.Abilities(ctx, slices.Collect(maps.Keys(features)), slices.Sorted(maps.Keys(powers)))
}

// noHelper is the finding that no helper could be started. Whether it is needed is for the
// scenarios to say.
func (c kinds) noHelper(err error) Finding {
	f := unknown(err)
	f.Subject = "helper"
	f.Needed = c.Demand.needs(func(n fault.Need) bool { return n.Power != "" })
	if errors.Is(err, target.ErrUnsupported) {
		f.Needed = false // each kind says it
		return f
	}
	f.Status, f.Cost = Lacking, "faults inside containers, load from inside and the lock of environments need the helper's image"
	f.Mend = "go version || sudo apt-get install -y golang-go # or use all files of a release, which has gameday-helper"
	return f
}

// kind is whether one can be injected.
func (c kinds) kind(v variant, d target.Diagnosis, can target.Abilities, tryErr error) Finding {
	need := fault.NeedOf(v.spec)
	f := ok("can be injected")
	switch {
	case need.Capability(d.Handle) != nil:
		f = Finding{Status: Lacking, Found: need.Capability(d.Handle).Error(), Mend: "gameday faults # lists the others"}
	case need.Power != "" && tryErr != nil:
		f = Finding{Status: Unknown, Found: "no helper could be started"}
	case need.Power != "":
		f = refused(need, can, f)
	case need.Limit != "" && !limitable(d.Limits, need.Limit):
		f = Finding{
			Status: Lacking, Found: fmt.Sprintf("the engine cannot limit %s: the control group's controller is off", need.Limit),
			Mend: delegate,
		}
	}
	f.Subject = v.name
	f.Needed = c.wanted(v)
	if v.name == v.kind {
		f.of = "kinds of faults can be injected"
	}
	if f.Status == Lacking {
		f.Cost = "a plan with it is refused"
		if v.instead != "" {
			f.Cost = v.instead
		}
		if f.Needed {
			f.Cost += "; scenarios of this environment use it"
		}
	}
	return f
}

// delegate hands controllers over to engines without root, whose limits are off by default.
const delegate = `sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\nDelegate=cpu cpuset io memory pids\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload`

// wanted reports whether a scenario of the environment uses the variant.
func (c kinds) wanted(v variant) bool {
	need := fault.NeedOf(v.spec)
	for _, spec := range c.Demand.Specs[v.kind] {
		if fault.NeedOf(spec).Features == need.Features {
			return true
		}
	}
	return false
}

// refused is the finding about a kind that needs a helper.
func refused(need fault.Need, can target.Abilities, good Finding) Finding {
	if err := can.Powers[need.Power]; err != nil {
		return Finding{
			Status: Lacking, Found: fmt.Sprintf("the engine starts no helper with the power %s: %v", need.Power, err),
			Mend: "docker info --format '{{.SecurityOptions}}' # userns-remap and policies can forbid it",
		}
	}
	var why, modules []string
	for _, one := range single(need.Features) {
		if err := can.Features[one]; err != nil {
			why, modules = append(why, strings.TrimPrefix(err.Error(), "helper: do: ")), append(modules, modulesOf(one)...)
		}
	}
	if len(why) == 0 {
		return good
	}
	return Finding{
		Status: Lacking, Found: strings.Join(why, "; "),
		Mend: "sudo modprobe -a " + strings.Join(modules, " ") + " || sudo apt-get install -y linux-modules-extra-$(uname -r) # on the engine's machine",
	}
}

// single are features one by one, so that each has its own reason.
func single(f helper.Features) []helper.Features {
	var all []helper.Features
	for _, one := range []struct {
		is   bool
		only helper.Features
	}{
		{f.Packets, helper.Features{Packets: true}},
		{f.Limit, helper.Features{Limit: true}},
		{f.Duplicate, helper.Features{Duplicate: true}},
		{f.Queue, helper.Features{Queue: true}},
		{f.Shape, helper.Features{Shape: true}},
		{f.Netem, helper.Features{Netem: true}},
	} {
		if one.is {
			all = append(all, one.only)
		}
	}
	return all
}

// modulesOf are the kernel modules of a feature.
func modulesOf(one helper.Features) []string {
	switch {
	case one.Packets:
		return []string{"nf_tables", "nft_numgen"}
	case one.Limit:
		return []string{"nft_connlimit"}
	case one.Duplicate:
		return []string{"nft_dup_ipv4", "nft_dup_ipv6"}
	case one.Queue:
		return []string{"nfnetlink_queue", "nft_compat", "xt_NFQUEUE"}
	case one.Shape:
		return []string{"sch_tbf"}
	case one.Netem:
		return []string{"sch_netem"}
	}
	return nil
}

func limitable(l target.Limitable, what fault.Limit) bool {
	return map[fault.Limit]bool{fault.LimitCPU: l.CPU, fault.LimitMemory: l.Memory, fault.LimitPIDs: l.PIDs}[what]
}
