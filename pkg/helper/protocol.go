package helper

import (
	"net/netip"
	"time"
)

// Name is the hidden subcommand that a helper runs.
const Name = "helper"

// Version is that of the line protocol. Both ends are of the same binary; it
// is checked all the same, as a helper may be a kept one.
const Version = 1

// Lease is how long a helper goes on without hearing from gameday.
const Lease = 10 * time.Second

// Op is what an order asks for.
type Op string

// The orders.
const (
	OpApply  Op = "apply"  // put work in force, in place of what has its name
	OpUndo   Op = "undo"   // take what has this name back
	OpMend   Op = "mend"   // take back what another helper did and left
	OpStatus Op = "status" // is it in force, and what has it met?
	OpRenew  Op = "renew"  // gameday is alive
	OpDo     Op = "do"     // something that leaves nothing to take back
	OpTry    Op = "try"    // could it be applied, or done? Nothing is changed
)

// Request is one line to a helper.
type Request struct {
	ID   uint64 `json:"id"`
	Op   Op     `json:"op"`
	Name string `json:"name,omitempty"` // of the work
	Work *Work  `json:"work,omitempty"`
}

// Reply is one line from a helper. The first, which answers nothing, has ID 0
// and says that the helper is ready.
type Reply struct {
	ID      uint64    `json:"id"`
	Version int       `json:"version,omitempty"`
	Error   string    `json:"error,omitempty"`
	At      time.Time `json:"at,omitzero"` // when it was in force, by the helper's clock
	Packets uint64    `json:"packets,omitempty"`
	Bytes   uint64    `json:"bytes,omitempty"`
	Note    string    `json:"note,omitempty"` // how it is less than what was asked for
	File    *FileSeen `json:"file,omitempty"`
	Sockets []Socket  `json:"sockets,omitempty"`
}

// Work is one thing that a helper can do: exactly one field is set.
type Work struct {
	Packets *Packets   `json:"packets,omitempty"`
	Queue   *Queue     `json:"queue,omitempty"`
	Shape   *Shape     `json:"shape,omitempty"`
	Fill    *Fill      `json:"fill,omitempty"`
	Mount   *Mount     `json:"mount,omitempty"`
	Signal  *Signal    `json:"signal,omitempty"`
	File    *File      `json:"file,omitempty"`
	Kill    *KillOrder `json:"kill,omitempty"`
	Sockets bool       `json:"sockets,omitempty"` // list them
	Check   *Features  `json:"check,omitempty"`
}

// Hook is where a packet is met.
type Hook string

// The hooks.
const (
	In      Hook = "in"      // coming to the target
	Out     Hook = "out"     // leaving it
	Forward Hook = "forward" // passing through it
)

// Action is what becomes of a packet.
type Action string

// The actions.
const (
	Drop      Action = "drop"      // nobody learns of it
	Reject    Action = "reject"    // the sender is told that the port is unreachable
	Reset     Action = "reset"     // the sender's connection is reset
	Limit     Action = "limit"     // a connection above Over at the same time is not let in
	Duplicate Action = "duplicate" // it is sent twice
)

// Packets is a set of rules, all in force at the same moment.
type Packets struct {
	Rules []Rule `json:"rules"`
}

// Rule says what becomes of some packets. Everything that is set must hold.
// Loopback traffic is never met, except where Loopback says so.
type Rule struct {
	Hook     Hook           `json:"hook"`
	Peers    []netip.Prefix `json:"peers,omitempty"`  // the other end; anybody where empty
	Except   []netip.Prefix `json:"except,omitempty"` // but not these
	Protocol string         `json:"protocol,omitempty"`
	// Ports are met at either end of a packet's way.
	Ports []uint16 `json:"ports,omitempty"`
	// From restricts Ports to the port that a packet comes from.
	From     bool    `json:"from,omitempty"`
	Share    float64 `json:"share,omitempty"` // of the packets, at random; all where 0
	Over     uint32  `json:"over,omitempty"`  // connections, for Limit
	Loopback bool    `json:"loopback,omitempty"`
	// Early meets packets before the engine rewrites their addresses, which it
	// does for its own DNS server at 127.0.0.11.
	Early bool   `json:"early,omitempty"`
	Do    Action `json:"do"`
}

// Queue holds packets up in user space.
type Queue struct {
	Match   []Rule        `json:"match"` // which packets; their Do is not read
	Delay   time.Duration `json:"delay,omitempty"`
	Jitter  time.Duration `json:"jitter,omitempty"`  // up to so much more or less
	Corrupt float64       `json:"corrupt,omitempty"` // share of packets of which a byte is changed
	Reorder float64       `json:"reorder,omitempty"` // share of packets that overtake the delayed ones
	Seed    uint64        `json:"seed,omitempty"`
}

// Shape changes how packets leave the target, by the kernel's own queues.
type Shape struct {
	BitsPerSecond uint64        `json:"bits_per_second,omitempty"` // a bound on them; or, by netem,
	Delay         time.Duration `json:"delay,omitempty"`           // how much later they leave
	Jitter        time.Duration `json:"jitter,omitempty"`          // up to so much more or less
}

// Fill fills the file system that holds a folder.
type Fill struct {
	Path string `json:"path"` // in the target
	// Leave is how much stays free, in bytes; LeaveShare as a share of the whole.
	Leave      uint64  `json:"leave,omitempty"`
	LeaveShare float64 `json:"leave_share,omitempty"`
	// Host allows the host's own file system, of which a tenth is always left.
	Host bool `json:"host,omitempty"`
}

// Mount remounts a mount of the target read-only.
type Mount struct {
	Path string `json:"path"`
}

// Signal signals processes of the target.
type Signal struct {
	Process string `json:"process"` // the name of its program, without folders
	Signal  int    `json:"signal"`
	Undo    int    `json:"undo,omitempty"` // the signal that takes it back, if one does
}

// Socket is one end of a TCP connection of the target, or a port that it listens
// on, which has no remote end.
type Socket struct {
	Local  netip.AddrPort `json:"local"`
	Remote netip.AddrPort `json:"remote,omitzero"`
	Via    netip.Addr     `json:"via,omitzero"`    // the gateway by which the remote end is reached, if any
	Ended  bool           `json:"ended,omitempty"` // it has ended, a minute ago at most
}

// FileOp is what is done to a file.
type FileOp string

// What can be done to a file.
const (
	FileRead   FileOp = "read"
	FileRemove FileOp = "remove"
	FileWrite  FileOp = "write"
)

// File reads, removes or writes a file of the target.
type File struct {
	Path  string    `json:"path"` // in the target; its symbolic links lead nowhere else
	Op    FileOp    `json:"op"`
	Write *FileSeen `json:"write,omitempty"` // all of what the file shall be
}

// FileSeen is a file: its content and what stands beside it in the directory.
type FileSeen struct {
	Exists   bool      `json:"exists"`
	Content  []byte    `json:"content,omitempty"`
	Mode     uint32    `json:"mode,omitempty"` // permission bits, with setuid and its like
	UID      int       `json:"uid,omitempty"`
	GID      int       `json:"gid,omitempty"`
	Modified time.Time `json:"modified,omitzero"`
	Accessed time.Time `json:"accessed,omitzero"`
}

// MaxFile is the greatest file that is read, in bytes: its content has a place
// in the journal.
const MaxFile = 1 << 20

// Features are what a kernel must be able to do.
type Features struct {
	Packets   bool `json:"packets,omitempty"`
	Limit     bool `json:"limit,omitempty"`
	Duplicate bool `json:"duplicate,omitempty"`
	Queue     bool `json:"queue,omitempty"`
	Shape     bool `json:"shape,omitempty"`
	Netem     bool `json:"netem,omitempty"`
}

// Power is what a helper is given: namespaces, and the one capability that its
// work needs.
type Power string

// The powers.
const (
	Network Power = "network" // the target's network namespace, CAP_NET_ADMIN
	Process Power = "process" // the target's PID namespace, CAP_KILL
	Disk    Power = "disk"    // the target's files by way of its PID namespace, CAP_SYS_PTRACE and CAP_DAC_OVERRIDE
	Files   Power = "files"   // as Disk, and it may give files to their owners
	Mounts  Power = "mounts"  // the target's mounts by way of its PID namespace, CAP_SYS_ADMIN, CAP_SYS_PTRACE and CAP_SYS_CHROOT
	Host    Power = "host"    // the host's PID namespace, CAP_KILL: to end a main process from outside of its own
	Kernel  Power = "kernel"  // a network namespace of its own, CAP_NET_ADMIN: to find out what the kernel can do
)
