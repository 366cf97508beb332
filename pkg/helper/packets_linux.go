package helper

import (
	"errors"
	"fmt"
	"net"
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
		err := t.add(tag, rules, end)
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
func (t *tableset) add(tag string, rules []Rule, end ending) error {
	at := devices
	if !t.egress {
		at = nil
	}
	chains, err := program(rules, at, end)
	if err != nil {
		return err
	}
	tables := map[nftables.TableFamily]*nftables.Table{}
	for _, c := range chains {
		table := tables[c.at.family]
		if table == nil {
			table = t.table(tag, c.at.family)
			tables[c.at.family] = table
		}
		made := t.conn.AddChain(c.nft(table))
		for _, exprs := range c.rules {
			t.conn.AddRule(&nftables.Rule{Table: table, Chain: made, Exprs: exprs})
		}
	}
	return nil
}

func (t *tableset) table(tag string, family nftables.TableFamily) *nftables.Table {
	table := &nftables.Table{Name: tag, Family: family}
	if t.owned {
		table.Flags = nftables.TableFlagOwner
	}
	t.tables = append(t.tables, table)
	return t.conn.AddTable(table)
}

// status counts what the rules have met.
func (t *tableset) status() (Reply, error) {
	var reply Reply
	rules, err := t.rules()
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

// rules are all of ours that the kernel has.
func (t *tableset) rules() ([]*nftables.Rule, error) {
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

// devices are the network interfaces of the target but its loopback.
func devices() ([]string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	var names []string
	for _, i := range all {
		if i.Flags&net.FlagLoopback == 0 && i.Flags&net.FlagUp != 0 {
			names = append(names, i.Name)
		}
	}
	return names, nil
}
