// Package steps performs the steps of journeys that are not HTTP: a kind is a
// [probe.Protocol] in a file of its own. pkg/probe has their settings; this package has the
// libraries that speak the protocols.
//
// All kinds follow the same rules. A step ends with its context, however silent the server
// is. An error is in gameday's own words, of one class for all users, without the server's
// texts. A response is read to its end, up to a bound. And users never wait for each other:
// an open-loop load that queues in its own pool would measure itself.
package steps

import (
	"encoding/json"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// All are the protocols beside HTTP, by the key of a step.
func All() probe.Protocols {
	return probe.Protocols{
		"dns":       dnsProtocol{},
		"exec":      execProtocol{},
		"grpc":      GRPC{},
		"redis":     redisProtocol{},
		"sql":       sqlProtocol{},
		"tcp":       TCP{},
		"websocket": WebSocket{},
	}
}

// The statuses that several kinds share.
const (
	statusOK       = "OK"
	statusNotFound = "NOT_FOUND"
)

// valued is an answer whose value is JSON. Its body is the JSON text.
func valued(status string, v any) (probe.Answer, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return probe.Answer{}, fmt.Errorf("encode the response: %w", err)
	}
	return probe.Answer{Status: status, Value: v, Valued: true, Body: body, Size: int64(len(body))}, nil
}

// cut is the answer whose size is more than [probe.MaxKept]: assertions that look at it fail.
func cut(status string, size int64) probe.Answer { return probe.Answer{Status: status, Size: size} }
