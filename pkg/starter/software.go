package starter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Role is a role that one of several components holds, and how to ask for it.
type Role struct {
	Name    string
	Service string
	YAML    string        // as gameday.yaml has it
	Check   scenario.Role // the same
	Problem string        // why it cannot be used, if it cannot
}

// software is a program whose members have roles, and how each of them tells its own.
type software struct {
	images  []string // words in the names of its images
	role    string   // what the holder is called
	command string   // for sh, inside a member: exit code 0 if it has the role
	http    *scenario.RoleHTTP
}

// known are the programs that init recognizes, the more special ones first.
func known() []software {
	return []software{
		{images: []string{"patroni", "spilo"}, role: "leader", http: &scenario.RoleHTTP{Port: 8008, Path: "/primary"}},
		{images: []string{"postgres", "timescale", "pgvector", "postgis"}, role: "primary", command: `psql -U "${POSTGRES_USER:-postgres}" -tAc 'SELECT NOT pg_is_in_recovery()' | grep -qx t`},
		{images: []string{"mariadb", "mysql", "percona"}, role: "primary", command: `M=$(command -v mariadb || command -v mysql); MYSQL_PWD="${MARIADB_ROOT_PASSWORD:-$MYSQL_ROOT_PASSWORD}" "$M" -uroot -Ne 'SELECT @@global.read_only' | grep -qx 0`},
		{images: []string{"redis", "valkey"}, role: "master", command: `C=$(command -v valkey-cli || command -v redis-cli); REDISCLI_AUTH="${REDIS_PASSWORD:-}" "$C" role | head -n 1 | grep -q master`},
		{images: []string{"rabbitmq"}, role: "queue-leader", command: `rabbitmqctl -q list_queues leader | grep -q "@$(hostname)"`},
		{images: []string{"etcd"}, role: "leader", http: &scenario.RoleHTTP{Port: 2379, Path: "/metrics", Expect: probe.Expect{Contains: probe.Texts{"etcd_server_is_leader 1"}}}},
	}
}

// roles are the roles of what runs: those that labels declare, and those of programs that
// are recognized by their images and have several members. A single one needs no role.
func roles(services []target.DiscoveredService) (found []Role) {
	names := map[string]bool{}
	add := func(r Role) {
		if !names[r.Name] {
			names[r.Name] = true
			found = append(found, r)
		}
	}
	for _, s := range services {
		for _, label := range s.Roles {
			_, name, _ := strings.Cut(label, "=")
			add(Role{name, s.Name, fmt.Sprintf("{label: %q}", label), scenario.Role{Label: label}, ""})
		}
	}
	all := known()
	for i, k := range all {
		members := slices.DeleteFunc(slices.Clone(services), func(s target.DiscoveredService) bool {
			return slices.IndexFunc(all, func(k software) bool { return k.is(s.Image) }) != i
		})
		count := 0
		for _, s := range members {
			count += s.Components
		}
		if count < 2 {
			continue
		}
		for _, s := range members {
			name := s.Name + "-" + k.role
			if len(members) > 1 && s.Components == 1 {
				continue // each is a service of its own: told apart by name below
			}
			add(k.among(name, s.Name))
		}
		if all := singles(members); len(all) > 1 {
			add(k.among(prefix(all)+k.role, ""))
		}
	}
	return found
}

// is reports whether an image is of this program.
func (k software) is(image string) bool {
	name := strings.ToLower(image)
	if slash := strings.LastIndex(name, "/"); slash >= 0 {
		name = name[slash+1:]
	}
	return slices.ContainsFunc(k.images, func(word string) bool { return strings.Contains(name, word) })
}

// among is the role of the program, among a service; "" is all components.
func (k software) among(name, service string) Role {
	within, in := "", target.Selector{Service: service}
	if service != "" {
		within = fmt.Sprintf("among: {service: %q}, ", service)
	}
	if k.http != nil {
		more := ""
		for _, text := range k.http.Contains {
			more = fmt.Sprintf(", contains: %q", text)
		}
		return Role{name, service, fmt.Sprintf("{%shttp: {port: %d, path: %s%s}}", within, k.http.Port, k.http.Path, more), scenario.Role{Among: in, HTTP: k.http}, ""}
	}
	return Role{
		name, service, fmt.Sprintf("{%scommand: [sh, -c, %q]}", within, k.command),
		scenario.Role{Among: in, Command: []string{"sh", "-c", k.command}},
		"",
	}
}

// singles are the names of services with one component.
func singles(services []target.DiscoveredService) (names []string) {
	for _, s := range services {
		if s.Components == 1 {
			names = append(names, s.Name)
		}
	}
	return names
}

// prefix is what names have in common, as the beginning of a name: db- of db1 and db2.
func prefix(names []string) string {
	common := names[0]
	for _, name := range names[1:] {
		for !strings.HasPrefix(name, common) {
			common = common[:len(common)-1]
		}
	}
	if common = strings.Trim(common, "-_0123456789"); common == "" {
		return ""
	}
	return common + "-"
}
