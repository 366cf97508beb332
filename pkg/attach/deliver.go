package attach

import (
	"context"
	"fmt"

	"github.com/gameday-dev/gameday/internal/redact"
)

// Deliver delivers a message to a destination as a person writes it; see [Forms]. It
// returns where the message went. An error names the destination without its secrets.
func Deliver(ctx context.Context, to string, m Message) (where string, err error) {
	secrets, err := redact.New()
	if err != nil {
		return "", err
	}
	d, err := Parse(to)
	if err == nil {
		where, err = d.Deliver(ctx, m)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", secrets.Text(to), err)
	}
	return where, nil
}
