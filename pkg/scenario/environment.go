package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/target"
)

// EnvironmentFile is the name of the file that declares environments.
const EnvironmentFile = "gameday.yaml"

// DefaultMaxTargets is how many components a run may touch at once where an
// environment says nothing.
const DefaultMaxTargets = 3

// Environments is a gameday.yaml.
type Environments struct {
	Version      int                    `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"The version of this format: 1."`
	Environments map[string]Environment `yaml:"environments" jsonschema:"required" jsonschema_description:"Environments by name."`
	Schedules    []Schedule             `yaml:"schedules,omitempty" jsonschema_description:"Scheduled game days."`
}

// Environment is where game days may happen, and what lies outside the fence.
type Environment struct {
	Entry        string            `yaml:"entry" jsonschema:"required" jsonschema_description:"Base URL of the journeys, without user, password and query."`
	Connect      *probe.Connect    `yaml:"connect,omitempty" jsonschema_description:"How users connect: TLS, HTTP/2, a proxy, addresses."`
	Inside       *Inside           `yaml:"inside,omitempty" jsonschema_description:"A network of the environment that users come from, so that their requests do not pass through gameday's machine. If it is set, they come from it unless a scenario's load says from: outside."`
	Roles        map[string]Role   `yaml:"roles,omitempty" jsonschema_description:"Roles that one of several components holds, such as the primary of a database. gameday resolves them when a fault is injected."`
	Protect      []target.Selector `yaml:"protect,omitempty" jsonschema_description:"Components that gameday never touches, besides those with the label gameday.protect=true."`
	Redact       []string          `yaml:"redact,omitempty" jsonschema_description:"Regular expressions of secrets to redact, in addition to Authorization headers, cookies, passwords, tokens and credentials in URLs."`
	Notify       []Notice          `yaml:"notify,omitempty" jsonschema_description:"Who receives messages about runs."`
	Grafana      string            `yaml:"grafana,omitempty" jsonschema_description:"Base URL of a Grafana server whose dashboards gameday annotates, from the injection to the revert of each fault. Needs the environment variable GRAFANA_TOKEN."`
	Variables    []string          `yaml:"variables,omitempty" jsonschema_description:"Names of environment variables of gameday that journeys may use as {{env \"NAME\"}}: passwords and keys. Their values are redacted everywhere."`
	Prometheus   string            `yaml:"prometheus,omitempty" jsonschema_description:"Base URL of the Prometheus server for queries that name none: http://prometheus:9090."`
	Must         []Must            `yaml:"must,omitempty" jsonschema_description:"Conditions that must be met, in every run in this environment."`
	Observe      []Metric          `yaml:"observe,omitempty" jsonschema_description:"Metrics that reports draw beside the users, in every run in this environment, at most 8 with those of a scenario. They change no verdict."`
	ExpectAlerts []ExpectedAlert   `yaml:"expect_alerts,omitempty" jsonschema_description:"Alerts that must fire because of a fault, in every run in this environment."`

	MaxTargets int `yaml:"max_targets,omitempty" jsonschema:"minimum=1" jsonschema_description:"How many components a run may touch (default: 3)."`

	// Kind is the driver's, and Settings are the driver's own: in the file, the kind
	// is the key and the settings its value.
	Kind     string          `yaml:"-"`
	Settings target.Settings `yaml:"-"`

	Name string `yaml:"-"` // its name

	// Environ are the values of Variables, as far as they are set.
	Environ map[string]string `yaml:"-" json:"-"`
}

// Inside is how users on one of the environment's own networks reach the system.
type Inside struct {
	Network string         `yaml:"network" jsonschema:"required" jsonschema_description:"The network, as the compose file names it, or the engine."`
	Entry   string         `yaml:"entry,omitempty" jsonschema_description:"Base URL of the journeys there (default: the environment's)."`
	DNS     []string       `yaml:"dns,omitempty" jsonschema_description:"Addresses of the DNS servers that resolve the entry's host name, once per connection (default: those of the network)."`
	CA      string         `yaml:"ca,omitempty" jsonschema_description:"The trusted CA certificates, as PEM. Without them, no certificate is trusted there."`
	Connect *probe.Connect `yaml:"connect,omitempty" jsonschema_description:"How users connect from there (default: as the environment's connect says, without resolve, proxy, source and ip)."`
}

// Notice is a receiver of messages about runs.
type Notice struct {
	To string   `yaml:"to" jsonschema:"required" jsonschema_description:"github:owner/repo#N, jira:KEY-1, slack:, slack:#channel or webhook:URL; or for findings github-issues:owner/repo, gitlab-issues:group/project or jira-issues:KEY. Tokens come from the environment, never from here."`
	On []string `yaml:"on,omitempty" jsonschema_description:"Which events: start, verdict, abort, approval (a run waits for approval), missed (a scheduled run did not begin), finding (a run has proven or disproved something) (default: all of them but finding)."`
}

// Where users come from, in a scenario's load.
const (
	FromInside  = "inside"
	FromOutside = "outside"
)

// Comes is where users of a load come from in this environment.
func (e Environment) Comes(l JourneyLoad) string {
	return cmp.Or(l.From, map[bool]string{true: FromInside, false: FromOutside}[e.Inside != nil])
}

// Way is how users of a load reach the system.
func (e Environment) Way(l JourneyLoad) probe.Way {
	if e.Comes(l) == FromOutside || e.Inside == nil {
		return e.Connect.Apply(probe.Way{Entry: e.Entry, Environ: e.Environ})
	}
	return e.connectInside().Apply(probe.Way{Entry: cmp.Or(e.Inside.Entry, e.Entry), CA: e.Inside.CA, DNS: e.Inside.DNS, Environ: e.Environ})
}

// ReadVariables reads the values of the environment's variables.
func (e *Environment) ReadVariables() {
	e.Environ = map[string]string{}
	for _, name := range e.Variables {
		if value, ok := os.LookupEnv(name); ok {
			e.Environ[name] = value
		}
	}
}

// leastSecret is the length of the shortest value of a variable that is redacted, in
// bytes: a shorter one would take single letters out of all texts.
const leastSecret = 4

// Secrets takes the environment's secrets out of texts: those that redact: names, the
// values of its variables, its keys and the passwords of its proxies.
func (e Environment) Secrets() (*redact.Redactor, error) {
	secrets := slices.Sorted(maps.Values(e.Environ))
	secrets = append(secrets, e.Connect.Secrets()...) // nil has none
	if e.Inside != nil {
		secrets = append(secrets, e.Inside.Connect.Secrets()...)
	}
	patterns := slices.Clone(e.Redact)
	for _, secret := range secrets {
		if len(secret) >= leastSecret {
			patterns = append(patterns, regexp.QuoteMeta(secret))
		}
	}
	return redact.New(patterns...)
}

// Receiver checks the address of a notice: packages of higher floors know their kinds.
type Receiver func(to string) error

// LoadEnvironments reads a gameday.yaml. The settings of an environment are of the
// types that drivers make. Without a known [Receiver], any address of a notice will do.
func LoadEnvironments(file string, data []byte, drivers target.Drivers, known ...Receiver) (Environments, error) {
	doc := strictyaml.Parse(file, data)
	doc.Context = drivers
	var e Environments
	doc.Decode(&e)
	if newer(doc, e.Version) {
		return e, doc.Problems.Err()
	}
	for _, name := range slices.Sorted(maps.Keys(e.Environments)) {
		env := e.Environments[name]
		env.Name = name
		env.check(doc, "environments."+name, known)
		if env.MaxTargets == 0 {
			env.MaxTargets = DefaultMaxTargets
		}
		e.Environments[name] = env
	}
	e.checkSchedules(doc, known)
	return e, doc.Problems.Err()
}

func (e Environment) check(doc *strictyaml.Document, path string, known []Receiver) {
	if e.Settings != nil {
		e.Settings.Check(func(key, text string) {
			at := path + "." + e.Kind
			if key != "" {
				at += "." + key
			}
			doc.Problem(at, "%s: %s", at, text)
		})
	}
	checkBase(doc, path+".entry", probe.CheckEntry(e.Entry))
	checkBase(doc, path+".grafana", probe.CheckBase(e.Grafana, "set GRAFANA_TOKEN"))
	e.checkConnect(doc, path)
	checkBase(doc, path+".prometheus", probe.CheckBase(e.Prometheus, "use a server that needs none"))
	checkMust(doc, path+".must", e.Must)
	checkAlerts(doc, path+".expect_alerts", e.ExpectAlerts, 0)
	checkObserve(doc, path+".observe", e.Observe)
	e.checkServers(doc, path+".observe")
	for i, name := range e.Variables {
		if !probe.IsName(name) {
			at := index(path+".variables", i)
			doc.Problem(at, "%s: found %q, expected the name of an environment variable", at, name)
		}
	}
	e.checkRoles(doc, path)
	e.checkTold(doc, path, known)
	for i, p := range e.Protect {
		if p.IsZero() || p.Role != "" || p.Any != 0 {
			doc.Problem(index(path+".protect", i), "%s: expected service, name, label or zone", index(path+".protect", i))
		}
	}
}

// checkTold holds what leaves gameday against what can: to whom, and without what.
func (e Environment) checkTold(doc *strictyaml.Document, path string, known []Receiver) {
	checkNotices(doc, path, e.Notify, known)
	for i, text := range e.Redact {
		if _, err := redact.New(text); err != nil {
			doc.Problem(index(path+".redact", i), "%s: %v", index(path+".redact", i), err)
		}
	}
}

// checkNotices checks that the receivers and the events of notices exist.
func checkNotices(doc *strictyaml.Document, path string, all []Notice, known []Receiver) {
	for i, n := range all {
		for _, check := range known {
			at := index(path+".notify", i) + ".to"
			if err := check(n.To); err != nil && doc.Has(at) {
				doc.Problem(at, "%s: %v", at, err)
			}
		}
		at := index(path+".notify", i)
		for _, event := range n.On {
			switch {
			case !slices.Contains(events(), event):
				doc.Problem(at+".on", "%s.on: found %q, expected one of %s", at, event, strings.Join(events(), ", "))
			case n.Tracks() && event != FindingEvent:
				doc.Problem(at+".on", "%s.on: found %q, expected on: [%s]: issues are about findings", at, event, FindingEvent)
			}
		}
	}
}

// FindingEvent is the event of a run that has proven or disproved something.
const FindingEvent = "finding"

// Tracks reports whether a receiver is a tracker of issues, which takes findings and no other
// messages.
func (n Notice) Tracks() bool {
	kind, _, _ := strings.Cut(n.To, ":")
	return strings.HasSuffix(kind, "-issues")
}

// events are all that a message can be about.
func events() []string {
	return []string{"start", "verdict", "abort", "approval", "missed", FindingEvent}
}

// checkBase reports what is wrong with a base URL, if there is one.
func checkBase(doc *strictyaml.Document, path string, err error) {
	if err != nil && doc.Has(path) {
		doc.Problem(path, "%s: %v", path, err)
	}
}

// CheckLoad checks that the users of a scenario can come from where it says.
func (s Scenario) CheckLoad(env Environment) error {
	for _, l := range s.Load {
		if l.From == FromInside && env.Inside == nil {
			return fmt.Errorf("journey %s has from: inside, but environment %s has no inside: add inside: with the network that users come from", l.Journey, env.Name)
		}
	}
	return nil
}

// CheckKinds checks that users can take the steps of their journeys from where they come
// from. journeys are those of the load, in order.
func (s Scenario) CheckKinds(env Environment, journeys []probe.Journey) error {
	var errs []error
	for i, j := range journeys {
		if env.Comes(s.Load[i]) == FromInside && slices.Contains(j.Kinds(), "exec") {
			errs = append(errs, fmt.Errorf("journey %s runs a command (exec:), but its users come from inside environment %s, where a load worker has no programs: add from: outside to the journey in the scenario's load", j.Name, env.Name))
		}
	}
	return errors.Join(errs...)
}

// CheckVariables checks that an environment lets journeys use the variables that they do.
func (e Environment) CheckVariables(journeys []probe.Journey) error {
	var errs []error
	for _, j := range journeys {
		errs = append(errs, e.unnamed("journey "+j.Name, j.Environ())...)
	}
	return errors.Join(errs...)
}

// unnamed are errors about the variables that are used and that the environment does not name.
func (e Environment) unnamed(user string, used []string) (errs []error) {
	for _, name := range used {
		if !slices.Contains(e.Variables, name) {
			errs = append(errs, fmt.Errorf("%s uses {{env %q}}, but environment %s does not name it: add variables: [%s] to the environment", user, name, e.Name, name))
		}
	}
	return errs
}

// CheckEnviron checks that the variables that journeys use, and that the environment names,
// are set.
func (e Environment) CheckEnviron(journeys []probe.Journey) error {
	var errs []error
	for _, j := range journeys {
		for _, name := range j.Environ() {
			if _, ok := e.Environ[name]; !ok && slices.Contains(e.Variables, name) {
				errs = append(errs, fmt.Errorf("journey %s uses the environment variable %s, which is not set: export it, and run this again", j.Name, name))
			}
		}
	}
	return errors.Join(errs...)
}

// CheckRoles holds the roles that a scenario asks for against those that its
// environment declares.
func (s Scenario) CheckRoles(env Environment) error {
	var errs []error
	for _, f := range s.Faults {
		if _, ok := env.Roles[f.Target.Role]; f.Target.Role != "" && !ok {
			known := slices.Sorted(maps.Keys(env.Roles))
			errs = append(errs, fmt.Errorf("%s: environment %s declares no role %q: %s", f.Where, env.Name, f.Target.Role, strictyaml.Suggest(f.Target.Role, known)))
		}
	}
	return errors.Join(errs...)
}
