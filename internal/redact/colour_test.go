package redact_test

import (
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/redact"
)

// The log of a component may be coloured (logrus, zerolog and zap do it): the colour stands
// between a name and its secret.
func TestSecretsInColour(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"\x1b[36mpassword=\x1b[0ms3cret-7",                             // zerolog
		"\x1b[36mpassword\x1b[0m=s3cret-7",                             // logrus
		"password=\x1b[31ms3cret-7\x1b[0m",                             // ripgrep, jq
		"\x1b[34;1m\"password\"\x1b[0m: \x1b[0;32m\"s3cret-7\"\x1b[0m", // jq -C
		"Authorization: Bearer \x1b[31ms3cret-7s3cret-7\x1b[0m",
		"postgres://bob:\x1b[1ms3cret-7\x1b[0m@db/shop",
	} {
		if got := redact.Common().Text(text); strings.Contains(got, "s3cret-7") {
			t.Errorf("%q: %q", text, got)
		}
	}
}
