// Package rig is a Docker engine for tests that need none: it gives the answers that a
// real engine gave, and its containers change as orders come.
//
// All that it says is in testdata/recording.json, which TestTheRecording makes on a real
// engine, and compares with it:
//
//	go test ./internal/enginetest/rig -run TestTheRecording -update
//
// A table in the recording has, for each state of a container and each order, the status of
// the answer, its message, the state after it, and the events that were sent. Beside that, the
// rig knows the answers about images and about what is not there. A test that needs another answer prepares it with
// [Engine.Handle].
package rig

import (
	_ "embed"
	"encoding/json"
)

// Object is a JSON object.
type Object = map[string]any

// Recording is what a real engine answered. Container IDs, names, addresses and times are
// replaced by fixed ones.
type Recording struct {
	Ping      Object            `json:"ping"` // headers
	Info      Object            `json:"info"`
	Version   Object            `json:"version"`
	Network   Object            `json:"network"`   // a network with one container on it
	Container Object            `json:"container"` // as inspect shows one that runs
	Summary   Object            `json:"summary"`   // as the list shows it
	Health    map[string]Object `json:"health"`    // State.Health, by its status
	States    map[string]Object `json:"states"`    // State, by its status
	// Orders are the answers by the status of the container, and the order.
	Orders map[string]map[string]Answer `json:"orders"`
	// Vanishing are the orders to a container that the engine removes when it stops.
	Vanishing map[string]Answer `json:"vanishing"`
	// Missing is the answer to an order to a container that is not there. The rig answers with
	// its status to whatever is about such a container.
	Missing Answer `json:"missing"`
	// Taken is the answer to a name that another container has.
	Taken Answer `json:"taken"`
}

// Answer is what an engine answers to an order, and what it does.
type Answer struct {
	Status  int      `json:"status"`
	Message string   `json:"message,omitempty"` // of a refusal
	Gone    bool     `json:"gone,omitempty"`    // the container is removed
	State   Object   `json:"state,omitempty"`   // of the container, if it has changed
	Host    Object   `json:"host,omitempty"`    // what has changed of its HostConfig
	Events  []Object `json:"events,omitempty"`
}

// What stands in the recording instead of what differs from one container to another.
const (
	recordedID   = "077a3d9b1922045bd656e83951670942a61fbdebd0d3ddca396922ebc59f07c7"
	recordedName = "shop-db-1"
)

//go:embed testdata/recording.json
var recording []byte

// Recorded returns a copy of the recording, which a test may change.
func Recorded() Recording {
	var r Recording
	if err := json.Unmarshal(recording, &r); err != nil {
		panic(err)
	}
	return r
}

// What a recorded state has for a time: that of the order, or what it was before.
const (
	Now    = "now"
	Before = "before"
)
