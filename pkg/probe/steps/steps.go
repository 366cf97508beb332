// Package steps performs the steps of journeys that are not HTTP. Each kind is one file;
// its settings are in pkg/probe. What they need is heavy, and stays out of programs that
// only read journeys.
package steps

import "github.com/gameday-dev/gameday/pkg/probe"

// All are the protocols of all kinds of steps, by key.
func All() probe.Protocols {
	return probe.Protocols{
		"grpc":      GRPC{},
		"tcp":       TCP{},
		"websocket": WebSocket{},
	}
}
