package helper

import "net/netip"

// Hook is where a packet is met.
type Hook string

// The hooks.
const (
	In      Hook = "in"      // coming to the target
	Out     Hook = "out"     // leaving it, also what it only passes on
	Forward Hook = "forward" // passing through it
)

// Action is what becomes of a packet.
type Action string

// The actions.
const (
	Drop      Action = "drop"      // silently
	Reject    Action = "reject"    // the sender receives the error that the port is unreachable
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
	// From restricts Ports to the port that a packet comes from, To to that it goes to.
	From     bool    `json:"from,omitempty"`
	To       bool    `json:"to,omitempty"`
	Share    float64 `json:"share,omitempty"` // of the packets, at random; all where 0
	Over     uint32  `json:"over,omitempty"`  // connections, for Limit
	Loopback bool    `json:"loopback,omitempty"`
	// Early meets packets before the engine rewrites their addresses, which it
	// does for its own DNS server at 127.0.0.11.
	Early bool   `json:"early,omitempty"`
	Do    Action `json:"do"`
}

func (*Packets) work() string { return "packets" }
