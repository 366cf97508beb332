package probe

import (
	"cmp"
	"regexp"
)

// DNSPort is the port of DNS servers.
const DNSPort = 53

// DNS is one question for a DNS server.
type DNS struct {
	Name   string `yaml:"name" jsonschema:"required" jsonschema_description:"The name to look up, as a template. It is complete: no search domain is added."`
	Type   string `yaml:"type,omitempty" jsonschema:"enum=A,enum=AAAA,enum=CNAME,enum=MX,enum=NS,enum=PTR,enum=SRV,enum=TXT" jsonschema_description:"The type of the records (default: A)."`
	Server string `yaml:"server" jsonschema:"required" jsonschema_description:"The DNS server: HOST:PORT (default port: 53). It is the same for all users. The response is {rcode, answers: [{name, type, value, ttl}]} as JSON; its status is the response code, such as NOERROR, NXDOMAIN or SERVFAIL, and NODATA if the name has no record of the type."`
}

var _ Request = (*DNS)(nil)

// hostName matches a name of at most 253 bytes whose labels have at most 63.
var hostName = regexp.MustCompile(`^([A-Za-z0-9_*-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?$`)

// Kind is the type of the records.
func (d *DNS) Kind() string { return cmp.Or(d.Type, "A") }

// Title implements [Request].
func (d *DNS) Title() string { return short("dns " + d.Kind() + " " + d.Name) }

// Check implements [Request].
func (d *DNS) Check(problem func(key, format string, args ...any)) {
	if !isTemplate(d.Name) && (!hostName.MatchString(d.Name) || len(d.Name) > 253) {
		problem("name", "found %q, expected a name such as shop.example", d.Name)
	}
	if err := checkAddress(d.Server, DNSPort); err != nil {
		problem("server", "%v", err)
	}
	if err := checkConstant(d.Server); err != nil {
		problem("server", "%v", err)
	}
}

// Texts implements [Request].
func (d *DNS) Texts() map[string]string {
	return map[string]string{"name": d.Name, "server": d.Server}
}

// Example is a step of this kind.
func (DNS) Example() string {
	return `name: resolve
dns: {name: shop.example, type: A, server: 192.0.2.53}
expect:
  status: NOERROR
  json: {"$.answers[?@.type == 'A'].value": 192.0.2.10}
`
}
