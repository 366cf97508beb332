package attach

import (
	"context"
	"fmt"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

// maxWhere is the maximum length of a location, in bytes.
const maxWhere = 2000

// Deliver delivers a message to a destination as a person writes it; see [Forms]. It
// returns where the message went. An error names the destination without its secrets.
func Deliver(ctx context.Context, to string, m Message) (where string, err error) {
	ctx, cancel := context.WithTimeout(ctx, deliverFor)
	defer cancel()
	d, err := Parse(to)
	if err == nil {
		where, err = d.Deliver(ctx, m)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", shown(to), err)
	}
	return plaintext.OneLine(where, maxWhere), nil // a server may have named it
}
