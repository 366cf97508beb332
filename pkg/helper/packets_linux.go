package helper

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// tableset is packet filters in force: tables of our own, which the kernel
// removes with the socket that made them.
type tableset struct {
	conn   *nftables.Conn
	tables []*nftables.Table
	owned  bool // by the socket: they go with it
	egress bool // what leaves is met at the device

	rules      []Rule
	end        ending
	interfaces map[int]string // at which the rules are, by number
	came       int            // counts interfaces that have come since
}

// newTables opens the socket that will own the tables.
func newTables() (*tableset, error) {
	conn, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return nil, fmt.Errorf("reach the kernel's packet filter: %w", err)
	}
	return &tableset{conn: conn, owned: true}, nil
}

var _ lasting = (*Packets)(nil)

// try has nothing to look for beforehand: whether the kernel can filter packets
// is a matter of [Features].
func (*Packets) try() error { return nil }

func (*Packets) mend() error { return mendTables() }

// begin puts all rules in force in one transaction.
func (p *Packets) begin(tag string) (effect, Reply, error) {
	t, err := newTables()
	if err != nil {
		return nil, Reply{}, err
	}
	reply, err := t.install(tag, p.Rules, Rule.action)
	if err != nil {
		return nil, reply, errors.Join(err, t.conn.CloseLasting())
	}
	return t, reply, nil
}

// install adds the rules. A kernel that is too old for owned tables, or for the
// hook that silently loses what leaves, gets the next best thing, and a note
// says so.
func (t *tableset) install(tag string, rules []Rule, end ending) (Reply, error) {
	t.rules, t.end = rules, end
	var notes []string
	for _, try := range []struct {
		t    tableset
		note string
	}{
		{tableset{owned: true, egress: true}, ""},
		{tableset{owned: true}, "senders of UDP in the target get an error at once (this kernel has no egress hook)"},
		{tableset{}, "the kernel does not undo it if the helper is killed (it has no owned tables)"},
	} {
		if try.note != "" {
			notes = append(notes, try.note)
		}
		t.owned, t.egress, t.tables = try.t.owned, try.t.egress, nil
		err := t.add(tag)
		if err == nil {
			err = t.conn.Flush()
		}
		switch {
		case err == nil:
			return Reply{Note: strings.Join(notes, "; ")}, nil
		case !errors.Is(err, syscall.EOPNOTSUPP) && !errors.Is(err, syscall.EINVAL):
			return Reply{}, fmt.Errorf("add packet filter: %w", err)
		case !t.owned:
			return Reply{}, fmt.Errorf("this kernel cannot do it: %w", err)
		}
	}
	return Reply{}, nil
}

// add tells the kernel, which does nothing before the next flush.
func (t *tableset) add(tag string) error {
	var err error
	if t.interfaces, err = interfaces(); err != nil {
		return err
	}
	at := func() ([]string, error) { return slices.Sorted(maps.Values(t.interfaces)), nil }
	if !t.egress {
		at = nil
	}
	chains, err := program(t.rules, at, t.end)
	if err != nil {
		return err
	}
	for _, c := range chains {
		if c.at.family == nftables.TableFamilyIPv6 && !speaksIPv6() {
			continue
		}
		t.hang(c, tag)
	}
	return nil
}

// hang adds a chain to the table of its family.
func (t *tableset) hang(c chain, tag string) {
	i := slices.IndexFunc(t.tables, func(known *nftables.Table) bool { return known.Family == c.at.family })
	if i < 0 {
		i = len(t.tables)
		t.table(tag, c.at.family)
	}
	table := t.tables[i]
	made := t.conn.AddChain(c.nft(table))
	for _, exprs := range c.rules {
		t.conn.AddRule(&nftables.Rule{Table: table, Chain: made, Exprs: exprs})
	}
}

// speaksIPv6 reports whether the kernel has IPv6 at all.
func speaksIPv6() bool {
	_, err := os.Stat("/proc/net/if_inet6")
	return err == nil
}

// follow adds the rules to interfaces that the target got since, such as those of a
// network that it was attached to: else what leaves there would pass.
func (t *tableset) follow() error {
	if !slices.ContainsFunc(t.tables, func(known *nftables.Table) bool { return known.Family == nftables.TableFamilyNetdev }) {
		return nil // no rule is at an interface
	}
	now, err := interfaces()
	if err != nil {
		return err
	}
	came := added(t.interfaces, now)
	if len(came) == 0 {
		return nil
	}
	chains, err := program(t.rules, func() ([]string, error) { return came, nil }, t.end)
	if err != nil {
		return err
	}
	for _, c := range chains {
		if c.at.family != nftables.TableFamilyNetdev {
			continue
		}
		t.came++
		c.name = fmt.Sprintf("came_%d", t.came)
		t.hang(c, "")
	}
	if err := t.conn.Flush(); err != nil {
		return fmt.Errorf("the target got another interface (%s), to which the fault could not be extended: %w", strings.Join(came, ", "), err)
	}
	t.interfaces = now
	return nil
}

// added are the names of the interfaces that have come, in a fixed order. One that was
// made again has the same name and another number.
func added(before, now map[int]string) []string {
	var names []string
	for number, name := range now {
		if before[number] != name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// table adds a table of a family.
func (t *tableset) table(tag string, family nftables.TableFamily) {
	table := &nftables.Table{Name: tag, Family: family}
	if t.owned {
		table.Flags = nftables.TableFlagOwner
	}
	t.tables = append(t.tables, table)
	t.conn.AddTable(table)
}

// status counts what the rules have met.
func (t *tableset) status() (Reply, error) {
	var reply Reply
	if err := t.follow(); err != nil {
		return reply, err
	}
	rules, err := t.inKernel()
	if err != nil {
		return reply, fmt.Errorf("list packet filters: %w", err)
	}
	if len(rules) == 0 {
		return reply, errors.New("the packet filter is no longer there")
	}
	for _, rule := range rules {
		for _, e := range rule.Exprs {
			if c, ok := e.(*expr.Counter); ok {
				reply.Packets += c.Packets
				reply.Bytes += c.Bytes
			}
		}
	}
	return reply, nil
}

// inKernel are all rules of ours that the kernel has.
func (t *tableset) inKernel() ([]*nftables.Rule, error) {
	var all []*nftables.Rule
	for _, table := range t.tables {
		chains, err := t.conn.ListChainsOfTableFamily(table.Family)
		if err != nil {
			return nil, err
		}
		for _, chain := range chains {
			if chain.Table.Name != table.Name {
				continue
			}
			found, err := t.conn.GetRules(table, chain)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

// undo removes the tables with all that is in them. In one transaction, so that
// no packet meets a part of them; that fails as a whole if a table is gone, and
// then each is removed by itself.
func (t *tableset) undo() error {
	err := t.remove(t.tables...)
	if err != nil {
		var errs []error
		for _, table := range t.tables {
			if err := t.remove(table); err != nil && !errors.Is(err, syscall.ENOENT) {
				errs = append(errs, fmt.Errorf("remove packet filter: %w", err))
			}
		}
		err = errors.Join(errs...)
	}
	closed := t.conn.CloseLasting()
	if t.owned {
		return closed // what is left went with the socket
	}
	return errors.Join(err, closed)
}

func (t *tableset) remove(tables ...*nftables.Table) error {
	for _, table := range tables {
		t.conn.DelTable(table)
	}
	return t.conn.Flush()
}

// mendTables removes the tables of a helper that is gone, which the kernel has
// kept only where it knows no owners.
func mendTables() error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("reach the kernel's packet filter: %w", err)
	}
	tables, err := conn.ListTables()
	if err != nil {
		return fmt.Errorf("list packet filters: %w", err)
	}
	for _, table := range tables {
		if strings.HasPrefix(table.Name, "gameday_") && table.Owner == 0 {
			conn.DelTable(table)
		}
	}
	return conn.Flush()
}

// interfaces are the network interfaces of the target but its loopback, by number.
func interfaces() (map[int]string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	found := map[int]string{}
	for _, i := range all {
		if i.Flags&net.FlagLoopback == 0 && i.Flags&net.FlagUp != 0 {
			found[i.Index] = i.Name
		}
	}
	return found, nil
}
