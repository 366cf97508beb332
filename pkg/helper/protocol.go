package helper

import "time"

// CommandServe is the command of gameday-helper: take orders on the standard input.
const CommandServe = "serve"

// Version is that of the line protocol. Both ends are of the same release; it is checked
// anyway, as the helper is a program of its own.
const Version = 2

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
	Work Order  `json:"work,omitempty"`
}

// Reply is one line from a helper. The first, which answers nothing, has ID 0
// and says that the helper is ready.
type Reply struct {
	ID        uint64     `json:"id"`
	Version   int        `json:"version,omitempty"`
	Error     string     `json:"error,omitempty"`
	At        time.Time  `json:"at,omitzero"` // when it was in force, by the helper's clock
	Packets   uint64     `json:"packets,omitempty"`
	Bytes     uint64     `json:"bytes,omitempty"`
	Note      string     `json:"note,omitempty"` // how it is less than what was asked for
	File      *FileSeen  `json:"file,omitempty"`
	Sockets   []Socket   `json:"sockets,omitempty"`
	Neighbors []Neighbor `json:"neighbors,omitempty"`
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
