package scenario

import (
	"fmt"
	"math"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/gameday-dev/gameday/internal/kind"
	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/internal/unit"
)

// Override is one --set of the command line: a dotted path, and a YAML value.
type Override struct{ Path, Value string }

// Load reads a scenario. Fault specs are of the types that kinds make.
func Load(file string, data []byte, kinds kind.Set[any], overrides ...Override) (Scenario, error) {
	doc := strictyaml.Parse(file, data)
	doc.Context = kinds
	s := Scenario{File: file}
	for _, o := range overrides {
		if err := doc.Set(o.Path, o.Value); err != nil {
			return s, fmt.Errorf("--set %w", err)
		}
	}
	doc.Decode(&s)
	if newer(doc, s.Version) {
		return s, doc.Problems.Err()
	}
	s.setDefaults()
	s.check(doc)
	s.Load = each(s.Load)
	return s, doc.Problems.Err()
}

// newer reports whether a document is of a version that this code does not know,
// in which case nothing else about it is worth saying.
func newer(doc *strictyaml.Document, version int) bool {
	if version <= Version {
		return false
	}
	at := doc.At("version")
	doc.Problems = strictyaml.FileErrors{{File: doc.File, Position: at, Text: fmt.Sprintf(
		"version: found %d, this gameday reads up to %d: use a newer gameday", version, Version)}}
	return true
}

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// IsName reports whether a scenario or a journey can have a name.
func IsName(name string) bool { return names.MatchString(name) }

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// NameOf is a text as a name: its letters and digits, with hyphens between them.
func NameOf(text string) string {
	return strings.Trim(notInNames.ReplaceAllString(strings.ToLower(text), "-"), "-")
}

var names = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// checkName holds a name against what can be a file's.
func checkName(doc *strictyaml.Document, file, name string) {
	want := strings.TrimSuffix(strings.TrimSuffix(path.Base(file), ".yaml"), ".yml")
	switch {
	case !doc.Has("name"):
	case !names.MatchString(name):
		doc.Problem("name", "name: found %q, expected lowercase letters, digits and hyphens", name)
	case path.Ext(file) != "" && name != want:
		doc.Problem("name", "name: found %q, expected %q, the file name without .yaml", name, want)
	}
}

// checkLine holds a text that stands in headings, tables and messages against one line.
func checkLine(doc *strictyaml.Document, path, text string) {
	if strings.ContainsAny(strings.TrimRight(text, "\r\n"), "\r\n") {
		doc.Problem(path, "%s: found %q, expected one line", path, text)
	}
}

// DecodeYAML implements strictyaml.Decodable: one key, which is the kind, over
// the target and the kind's own settings.
func (f *Fault) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	kinds, _ := d.Context.(kind.Set[any])
	pairs := d.Pairs(n)
	if len(pairs) != 1 {
		d.Problem(n.Path, "%s: found %d kinds, expected exactly one of %s", n.Path, len(pairs), kinds)
		return
	}
	p := pairs[0]
	k, ok := kinds.Find(p.Key)
	if !ok {
		d.ProblemAt(p.At, "unknown kind of fault %q: %s", p.Key, strictyaml.Suggest(p.Key, kinds.Names()))
		return
	}
	f.Kind, f.Spec = k.Name, k.New()
	f.Where = fmt.Sprintf("%s:%d:%d", d.File, p.At.Line, p.At.Column)
	settings := d.Pairs(p.Value)
	own := settings[:0:0]
	targeted := false
	for _, s := range settings {
		switch s.Key {
		case "target":
			targeted = true
			before := len(d.Problems)
			d.DecodeNode(s.Value, &f.Target)
			if f.Target.IsZero() && len(d.Problems) == before {
				d.Problem(p.Value.Path+".target", "%s.target: found nothing in it, expected service, name, label, zone, role, any or percent", p.Value.Path)
			}
		case "at":
			d.DecodeNode(s.Value, &f.At)
		case "for":
			d.DecodeNode(s.Value, &f.For)
		default:
			own = append(own, s)
		}
	}
	before := len(d.Problems)
	d.DecodePairs(p.Value.Path, own, f.Spec)
	if checker, ok := f.Spec.(interface{ Check() error }); ok && len(d.Problems) == before {
		if err := checker.Check(); err != nil {
			d.Problem(p.Value.Path, "%s: %v", p.Value.Path, err)
		}
	}
	if _, free := f.Spec.(Targetless); !targeted && !free {
		d.Problem(p.Value.Path, "%s lacks a target: {service: …}, {name: …}, {label: …}, {zone: …} or {role: …}", p.Value.Path)
	}
}

// Targetless is a spec of a fault that need not be about a component.
type Targetless interface{ Targetless() }

// MarshalYAML writes a fault as it is read.
func (f Fault) MarshalYAML() (any, error) {
	spec, err := yaml.Marshal(f.Spec)
	if err != nil {
		return nil, err
	}
	var settings yaml.MapSlice
	if !f.Target.IsZero() {
		settings = append(settings, yaml.MapItem{Key: "target", Value: f.Target})
	}
	if f.At != 0 {
		settings = append(settings, yaml.MapItem{Key: "at", Value: f.At.String()})
	}
	if f.For != 0 {
		settings = append(settings, yaml.MapItem{Key: "for", Value: f.For.String()})
	}
	var own yaml.MapSlice
	if err := yaml.Unmarshal(spec, &own); err != nil {
		return nil, err
	}
	return yaml.MapSlice{{Key: f.Kind, Value: append(settings, own...)}}, nil
}

func (s *Scenario) setDefaults() {
	o := s.Objective.Verdict()
	s.Objective.Good, s.Objective.Within, s.Objective.Window, s.Objective.Hold = unit.Ratio(o.Good), o.Within, o.Window, o.Hold
	if s.Timing.Baseline == 0 {
		s.Timing.Baseline = DefaultBaseline
	}
	s.setByHand()
	if s.Timing.Watch == 0 {
		s.WatchByDefault = true
		s.Timing.Watch = s.Objective.RTO + s.Objective.Hold + 5*time.Second
		s.watchAlerts()
	}
	if s.Timing.Repair == 0 {
		s.Timing.Repair = DefaultRepair
	}
}

// check reports what the fields alone do not show to be wrong.
func (s *Scenario) check(doc *strictyaml.Document) {
	checkName(doc, s.File, s.Name)
	checkLine(doc, "title", s.Title)
	checkLine(doc, "suspect.component", s.Suspect.Component)
	for _, d := range []struct {
		path string
		is   time.Duration
	}{
		{"objective.rto", s.Objective.RTO},
		{"objective.within", s.Objective.Within},
		{"objective.window", s.Objective.Window},
		{"objective.hold", s.Objective.Hold},
		{"timing.baseline", s.Timing.Baseline},
		{"timing.watch", s.Timing.Watch},
		{"timing.repair", s.Timing.Repair},
	} {
		checkPositive(doc, d.path, d.is)
	}
	if s.Objective.RPO != nil && *s.Objective.RPO < 0 {
		doc.Problem("objective.rpo", "objective.rpo: found %v, expected 0 or more", *s.Objective.RPO)
	}
	if s.Objective.RTO > 0 && s.Timing.Watch > 0 && s.Timing.Watch < s.Objective.RTO {
		doc.Problem("timing.watch", "timing.watch: found %v, expected at least the RTO of %v: a shorter watch cannot show whether service recovers in time",
			s.Timing.Watch, s.Objective.RTO)
	}
	if doc.Has("faults") && len(s.Faults) == 0 {
		doc.Problem("faults", "faults: found none, expected at least one (the kind noop has no effect)")
	}
	s.checkFaults(doc)
	s.checkLoad(doc)
	s.checkPeople(doc)
	s.checkUndo(doc)
	checkMust(doc, "must", s.Must)
	checkAlerts(doc, "expect_alerts", s.ExpectAlerts, s.Timing.Watch)
	checkObserve(doc, "observe", s.Observe)
	for i, rule := range s.AbortWhen {
		at := index("abort_when", i)
		if rule.GoodBelow == 0 && rule.Failed == 0 && rule.HTTPFails == nil && rule.Prometheus == nil {
			doc.Problem(at, "%s: expected good_below (with for), failed, http_fails or prometheus", at)
		}
		checkGates(doc, at, rule.HTTPFails, rule.Prometheus)
	}
}

// checkFaults holds the moments of faults against each other and the watch.
func (s *Scenario) checkFaults(doc *strictyaml.Document) {
	first := time.Duration(math.MaxInt64)
	for i, f := range s.Faults {
		at := index("faults", i)
		first = min(first, f.At)
		switch {
		case f.At < 0:
			doc.Problem(at, "%s: at: found %v, expected 0 or more", at, f.At)
		case f.For < 0:
			doc.Problem(at, "%s: for: found %v, expected more than 0", at, f.For)
		case s.Timing.Watch > 0 && f.At+f.For >= s.Timing.Watch:
			doc.Problem(at, "%s: the fault lasts until %v after the first fault, but the watch ends at %v: use a longer watch, or an earlier or shorter fault",
				at, f.At+f.For, s.Timing.Watch)
		}
	}
	if len(s.Faults) > 0 && first > 0 {
		doc.Problem("faults", "faults: the first fault starts at %v, expected at least one at 0: all other times are relative to it", first)
	}
}
