package steps

import (
	"bytes"
	"net"
	"strconv"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// guarded is a connection to a server of Redis. The library allocates what a reply only
// announces, and follows lists within lists by recursion: a few bytes could take all of
// gameday's memory. So what comes is looked at first, as far as lengths go.
type guarded struct {
	net.Conn

	failed func(error) error // remembers an error

	head []byte // of a reply that is announced: its type and its length
	skip int    // bytes of a text that are still to come, with their line break
	open []int  // items of lists within lists that are still to come
	room int    // items that the whole reply may still have
}

// The limits of a reply. Sixteen bytes are kept for each item of a list.
const (
	maxDepth = 64
	maxItems = 4 << 20
	maxHead  = 64 << 10
)

func errMalformed() error { return probe.Failure("redis: malformed response", "") }

// Read implements [net.Conn].
func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if wrong := g.look(p[:n]); wrong != nil {
		return 0, g.failed(wrong)
	}
	return n, err
}

// look follows the bytes of replies.
func (g *guarded) look(p []byte) error {
	for len(p) > 0 {
		if g.skip > 0 {
			n := min(g.skip, len(p))
			g.skip -= n
			p = p[n:]
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			g.head = append(g.head, p...)
			if len(g.head) > maxHead {
				return errMalformed()
			}
			return nil
		}
		line := bytes.TrimSuffix(append(g.head, p[:end]...), []byte("\r"))
		g.head, p = nil, p[end+1:]
		if err := g.item(line); err != nil {
			return err
		}
	}
	return nil
}

// item is the head of an item.
func (g *guarded) item(line []byte) error {
	if len(g.open) == 0 {
		g.room = maxItems
	}
	for len(g.open) > 0 && g.open[len(g.open)-1] == 0 {
		g.open = g.open[:len(g.open)-1]
	}
	if len(g.open) > 0 {
		g.open[len(g.open)-1]--
	}
	if len(line) == 0 || line[0] != '$' && line[0] != '*' {
		return nil // it has no length
	}
	n, err := strconv.Atoi(string(line[1:]))
	switch {
	case err != nil || n < -1:
		return errMalformed()
	case line[0] == '$' && n > maxAnswer:
		return errEndless()
	case line[0] == '$' && n >= 0:
		g.skip = n + len("\r\n")
	case line[0] == '*' && n > 0:
		g.open = append(g.open, n)
		if g.room -= n; g.room < 0 {
			return errEndless()
		}
		if len(g.open) > maxDepth {
			return errMalformed()
		}
	}
	return nil
}
