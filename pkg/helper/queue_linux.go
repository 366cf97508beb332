package helper

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/florianl/go-nfqueue/v2"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// queue is packets held up in user space. The rules that send them here let
// them pass if no process listens, so that the end of the helper is the end of
// the delay.
type queue struct {
	*tableset
	spec   *Queue
	nf     *nfqueue.Nfqueue
	cancel context.CancelFunc
	ended  sync.WaitGroup
	held   chan packet
	fates  fates
	met    atomic.Uint64 // packets to which something was done
	closed bool
}

// heldPackets is how many packets may be held up; more are let pass by the
// kernel (fail open).
const heldPackets = 65_535

var _ lasting = (*Queue)(nil)

// try has nothing to look for beforehand: whether the kernel can queue packets
// is a matter of [Features].
func (*Queue) try() error { return nil }

// mend removes the rules; packets that were held have passed with the helper.
func (*Queue) mend() error { return mendTables() }

// begin listens first, and then sends packets here.
func (q *Queue) begin(tag string) (effect, Reply, error) {
	t, err := newTables()
	if err != nil {
		return nil, Reply{}, err
	}
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // lasts until undo, also after the order's end
	e := &queue{
		tableset: t, spec: q, cancel: cancel, held: make(chan packet, heldPackets), fates: newFates(*q),
	}
	number, err := e.listen(ctx)
	if err != nil {
		cancel()
		return nil, Reply{}, errors.Join(err, t.conn.CloseLasting())
	}
	reply, err := t.install(tag, q.Match, func(Rule, place) ([]expr.Any, error) { return toQueue(number), nil })
	if err == nil {
		return e, reply, nil
	}
	if left := e.undo(); left != nil {
		return e, reply, errors.Join(err, left)
	}
	return nil, reply, err
}

// listen binds a queue number that is free in this namespace.
func (e *queue) listen(ctx context.Context) (uint16, error) {
	copying := uint8(nfqueue.NfQnlCopyMeta)
	if e.spec.Corrupt > 0 {
		copying = nfqueue.NfQnlCopyPacket
	}
	var err error
	for range 8 {
		number := uint16(1 + rand.N(60_000)) //nolint:gosec // G404: any free number will do
		e.nf, err = nfqueue.Open(&nfqueue.Config{
			NfQueue: number, MaxPacketLen: 0xffff, MaxQueueLen: heldPackets, Copymode: copying,
			AfFamily: unix.AF_INET, Flags: nfqueue.NfQaCfgFlagFailOpen, WriteTimeout: time.Second,
		})
		if err != nil {
			return 0, fmt.Errorf("open a packet queue: %w", err)
		}
		_ = e.nf.Con.SetReadBuffer(8 << 20) // as much as the kernel allows
		if err = e.nf.RegisterWithErrorFunc(ctx, e.take, func(error) int {
			if ctx.Err() != nil {
				return 1
			}
			return 0 // a full buffer: those packets have passed
		}); err == nil {
			e.ended.Go(func() { release(ctx, e.held, e.pass) })
			return number, nil
		}
		_ = e.nf.Con.Close()
	}
	return 0, fmt.Errorf("bind a packet queue: %w", err)
}

// toQueue is the target of iptables by that name, revision 3: number, one
// queue, and the flag that lets packets pass if no process listens. Kernels that
// lack nftables' own queue have it.
func toQueue(number uint16) []expr.Any {
	info := make([]byte, 8) // six, aligned
	binary.NativeEndian.PutUint16(info, number)
	binary.NativeEndian.PutUint16(info[2:], 1)
	binary.NativeEndian.PutUint16(info[4:], 1)
	return []expr.Any{&expr.Counter{}, &expr.Target{Name: "NFQUEUE", Rev: 3, Info: (*xt.Unknown)(&info)}}
}

// take is called for every packet, one after the other.
func (e *queue) take(a nfqueue.Attribute) int {
	if a.PacketID == nil {
		return 0
	}
	var payload []byte
	if a.Payload != nil {
		payload = *a.Payload
	}
	p := packet{id: *a.PacketID, fate: e.fates.next(time.Now(), payload)}
	if p.met {
		e.met.Add(1)
	}
	if p.due.IsZero() {
		e.pass(p)
		return 0
	}
	e.held <- p // as many as the kernel holds
	return 0
}

// status counts the packets to which something was done. Others that the rules have met
// passed as they were: those that chance left out, and those that were too many.
func (e *queue) status() (Reply, error) {
	reply, err := e.tableset.status()
	reply.Packets = e.met.Load()
	return reply, err
}

func (e *queue) pass(p packet) {
	// A packet whose verdict cannot be sent passes when the queue is unbound.
	if p.altered != nil {
		_ = e.nf.SetVerdictWithOption(p.id, nfqueue.NfAccept, nfqueue.WithAlteredPacket(p.altered))
		return
	}
	_ = e.nf.SetVerdict(p.id, nfqueue.NfAccept)
}

// undo stops sending packets here, releases those that are, and only then
// unbinds: no descriptor is closed while a verdict is written to it.
func (e *queue) undo() error {
	err := e.tableset.undo()
	e.cancel()
	e.ended.Wait()
	if !e.closed {
		err = errors.Join(err, e.nf.Close())
		e.closed = true
	}
	return err
}
