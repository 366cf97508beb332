package steps

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// dnsProtocol performs questions for DNS servers.
type dnsProtocol struct{}

var _ probe.Protocol = dnsProtocol{}

// Open implements [probe.Protocol].
func (dnsProtocol) Open(s probe.Step, o probe.Opening) (probe.Action, error) {
	server, err := o.Constant(s.DNS.Server)
	if err != nil {
		return nil, fmt.Errorf("dns.server: %w", err)
	}
	return &dnsAction{
		name: o.Templates.Parse(s.DNS.Name), kind: dns.StringToType[s.DNS.Kind()], server: addressOf(server, probe.DNSPort),
		dial: o.Dialer(), client: dns.Client{Timeout: o.Timeout, UDPSize: udpSize},
	}, nil
}

// addressOf is an address with a port.
func addressOf(address string, port int) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), strconv.Itoa(port))
}

// udpSize is the size of the largest answer by UDP, in bytes, that passes all networks; it
// is what resolvers use since 2020.
const udpSize = 1232

// dnsAction is a question that is ready to be asked.
type dnsAction struct {
	name   *probe.Template
	kind   uint16
	server string
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	client dns.Client
}

// Do implements [probe.Action]: by UDP, and by TCP if the answer is too large for it.
func (a *dnsAction) Do(ctx context.Context, u *probe.User) (got probe.Answer, err error) {
	name, err := u.Render(a.name)
	if err != nil {
		return got, err
	}
	question := new(dns.Msg).SetQuestion(dns.Fqdn(name), a.kind)
	question.SetEdns0(udpSize, false)
	if _, err := question.Pack(); err != nil {
		return got, probe.Failure("dns: the name is not valid", name)
	}
	response, err := a.ask(ctx, "udp", question)
	if err == nil && response.Truncated {
		response, err = a.ask(ctx, "tcp", question)
	}
	if err != nil {
		return got, err
	}
	got, err = a.answer(response)
	got.Sent = question.Len()
	return got, err
}

// Close implements [probe.Action]: each question has a connection of its own, as a stub
// resolver's.
func (a *dnsAction) Close() error { return nil }

// ask asks once.
func (a *dnsAction) ask(ctx context.Context, network string, question *dns.Msg) (*dns.Msg, error) {
	inner, err := a.dial(ctx, network, a.server)
	if err != nil {
		return nil, err
	}
	defer inner.Close()
	stop := context.AfterFunc(ctx, func() { _ = inner.Close() })
	defer stop()
	response, _, err := a.client.ExchangeWithConnContext(ctx, question, &dns.Conn{Conn: inner, UDPSize: udpSize})
	if err == nil {
		if !response.Response || response.Id != question.Id || len(response.Question) > 0 && !sameQuestion(response.Question[0], question.Question[0]) {
			return nil, probe.Failure("dns: the response is to another question", "")
		}
		return response, nil
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("dns: %w", ctx.Err())
	}
	if _, ok := errors.AsType[net.Error](err); ok || ended(err) {
		return nil, err
	}
	return nil, probe.Failure("dns: malformed response", err.Error())
}

func sameQuestion(a, b dns.Question) bool {
	return strings.EqualFold(a.Name, b.Name) && a.Qtype == b.Qtype && a.Qclass == b.Qclass
}

// statusNoData is the status of a good response without a record of the type.
const statusNoData = "NODATA"

// answer is the response as JSON.
func (a *dnsAction) answer(response *dns.Msg) (probe.Answer, error) {
	status, ok := dns.RcodeToString[response.Rcode]
	if !ok {
		status = "RCODE_" + strconv.Itoa(response.Rcode)
	}
	answers := []any{}
	found := false
	for _, record := range response.Answer {
		h := record.Header()
		found = found || h.Rrtype == a.kind
		answers = append(answers, map[string]any{
			"name": strings.TrimSuffix(h.Name, "."), "type": dns.Type(h.Rrtype).String(), "ttl": int64(h.Ttl), "value": recordValue(record),
		})
	}
	value := map[string]any{"rcode": status, "answers": answers}
	if response.Rcode == dns.RcodeSuccess && !found {
		status = statusNoData
	}
	got, err := valued(status, value)
	got.Absent = status == statusNoData || response.Rcode == dns.RcodeNameError
	return got, err
}

// recordValue is the data of a record in the presentation format, but names without the
// last dot and texts without quotes.
func recordValue(record dns.RR) string {
	if text, ok := record.(*dns.TXT); ok {
		return strings.Join(text.Txt, "")
	}
	return strings.TrimSuffix(strings.TrimPrefix(record.String(), record.Header().String()), ".")
}
