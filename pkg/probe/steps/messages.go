package steps

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/probe"
)

func errMessageTooLarge() error {
	return probe.Failure(fmt.Sprintf("a message of the response is larger than %d MiB", probe.MaxKept>>20), "")
}

// received are the messages that a step has received, as JSON. What does not fit into
// [probe.MaxKept] is counted, and not kept.
type received struct {
	kept  bytes.Buffer
	size  int64
	count int
	all   int64 // bytes that came over the network
}

// full reports whether no more messages are kept.
func (r *received) full() bool { return r.size > int64(r.kept.Len()) }

// add adds a message: what is not JSON is added as a text.
func (r *received) add(message []byte) {
	r.count++
	var compact bytes.Buffer
	if json.Compact(&compact, message) != nil {
		quoted, _ := json.Marshal(string(message)) // a string is always one of JSON
		compact.Reset()
		compact.Write(quoted)
	}
	r.size += int64(compact.Len()) + 1
	if r.size > probe.MaxKept {
		return
	}
	if r.kept.Len() > 0 {
		r.kept.WriteByte(',')
	} else {
		r.size--
	}
	r.kept.Write(compact.Bytes())
}

// arrived counts what came over the network, and reports whether it is too much.
func (r *received) arrived(n int) error {
	if r.all += int64(n); r.all > maxAnswer {
		return errEndless()
	}
	return nil
}

// list puts the messages into an answer, as a list.
func (r *received) list(a *probe.Answer) {
	a.Body = append(append([]byte{'['}, r.kept.Bytes()...), ']')
	a.Size = r.size + 2
}

// only puts the only message into an answer.
func (r *received) only(a *probe.Answer) {
	a.Body, a.Size = r.kept.Bytes(), r.size
}
