// Package probe runs critical user journeys: their steps, their assertions, and the
// open-loop load of users. It is the only package that imports vegeta.
//
// One hit of the load is one user who walks the whole journey. Users arrive at the
// arrival rate, no matter how the system responds. A failed or slow journey is a bad
// sample. A journey that the generator itself could not send is no sample.
package probe

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// DefaultTimeout is the default timeout of a whole journey.
const DefaultTimeout = 2 * time.Second

// Journey is the content of a journey file.
type Journey struct {
	Version     int               `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"The version of this format: 1."`
	Name        string            `yaml:"name" jsonschema:"required" jsonschema_description:"The name of the journey: the file name without .yaml."`
	Timeout     time.Duration     `yaml:"timeout,omitempty" jsonschema_description:"The timeout of the whole journey, without its pauses (default: 2s)."`
	Connections string            `yaml:"connections,omitempty" jsonschema:"enum=reuse,enum=fresh" jsonschema_description:"reuse: share keep-alive connections between users; fresh: open new connections for each user (default: reuse). Reused connections hide a failed DNS failover; fresh connections hide a broken connection pool. clients: of a scenario's load replaces it."`
	Cookies     string            `yaml:"cookies,omitempty" jsonschema:"enum=on,enum=off" jsonschema_description:"on: each user keeps cookies as a browser does; off: cookies are not kept (default: on)."`
	Follow      int               `yaml:"follow,omitempty" jsonschema:"minimum=0,maximum=20" jsonschema_description:"How many redirects users follow in each step (default: 0: a redirect is a response)."`
	Gzip        bool              `yaml:"gzip,omitempty" jsonschema_description:"Ask for compressed responses, as a browser does (default: false)."`
	Let         map[string]string `yaml:"let,omitempty" jsonschema_description:"Values by name, made once for each user: constants, or templates such as order-{{uuid}}."`
	Users       *Users            `yaml:"users,omitempty" jsonschema_description:"A CSV file beside the journey whose columns are values of the users."`
	Steps       []Step            `yaml:"steps" jsonschema:"required" jsonschema_description:"The requests, in order. A user stops at the first step that fails."`
	Confirm     *Step             `yaml:"confirm,omitempty" jsonschema_description:"The request that looks up an acknowledged write after repair. {{.id}} is the acknowledged ID; what the user captured is there too. A definite response other than the expected one means that the write is lost."`
}

// Users are rows of a file: each user gets one.
type Users struct {
	File  string `yaml:"file" jsonschema:"required" jsonschema_description:"The CSV file, beside the journey. Its first line names the columns."`
	Order string `yaml:"order,omitempty" jsonschema:"enum=cycle,enum=random,enum=once" jsonschema_description:"cycle: one row after the other, from the first one again; random: any row; once: each row for one user, and the load ends with the rows (default: cycle)."`

	Columns []string   `yaml:"-" json:"columns,omitempty"`
	Rows    [][]string `yaml:"-" json:"rows,omitempty"`
}

// Short implements the short form: the file.
func (u *Users) Short(text string) { u.File = text }

// limit is the timeout of the whole journey.
func (j Journey) limit() time.Duration { return cmp.Or(j.Timeout, DefaultTimeout) }

// thinking is how long a user of the journey pauses in all, at most, and holds steps open.
func (j Journey) thinking() (all time.Duration) {
	for _, s := range j.Steps {
		all += s.Pause + s.holds()
	}
	return all
}

// Acknowledges reports whether the journey has acknowledged writes that can be looked
// up.
func (j Journey) Acknowledges() bool {
	return j.Confirm != nil && slices.ContainsFunc(j.Steps, func(s Step) bool { return s.Acknowledges != "" })
}

// Kinds are the kinds of the journey's requests that are not HTTP, in order: exec, sql.
func (j Journey) Kinds() (all []string) {
	for _, s := range j.all() {
		for key := range s.others() {
			all = append(all, key)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// all are the steps, with the look-up.
func (j Journey) all() []Step {
	if j.Confirm == nil {
		return j.Steps
	}
	return append(slices.Clip(j.Steps), *j.Confirm)
}

// Environ are the names of the environment variables that the journey's templates use, in
// order.
func (j Journey) Environ() []string {
	names := map[string]bool{}
	add := func(text string) {
		used, err := uses(text)
		if err != nil {
			return // told by Check
		}
		for _, name := range used.environ {
			names[name] = true
		}
	}
	for _, text := range j.Let {
		add(text)
	}
	for _, s := range j.all() {
		for _, text := range s.templates() {
			add(text)
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// remembered are the captured values that Confirm uses.
func (j Journey) remembered() []string {
	if j.Confirm == nil {
		return nil
	}
	names := map[string]bool{}
	for _, text := range j.Confirm.templates() {
		used, _ := uses(text) // a text that is no template fails in newWalker
		for _, name := range used.names {
			names[name] = name != "id"
		}
	}
	maps.DeleteFunc(names, func(_ string, kept bool) bool { return !kept })
	return slices.Sorted(maps.Keys(names))
}
