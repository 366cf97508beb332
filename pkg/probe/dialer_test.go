package probe_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

var errRefused = errors.New("connection refused")

// An address that does not answer takes no more time than a net.Dialer gives it, so that users
// with addresses of their own are served by the others when a browser is.
func TestAddressesOfOneNameShareTheTime(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, c := range map[string]struct {
		network string
		// hangs do not answer; 192.0.2.1 and 2001:db8::1 do; others refuse.
		addresses, hangs []string
		timeout          time.Duration
		good             bool
		after            time.Duration
	}{
		"one":                              {"tcp", []string{"192.0.2.1"}, nil, 5 * s, true, 0},
		"the second":                       {"tcp", []string{"192.0.2.2", "192.0.2.1"}, []string{"192.0.2.2"}, 5 * s, true, 2500 * time.Millisecond},
		"the third":                        {"tcp", []string{"192.0.2.2", "192.0.2.3", "192.0.2.1"}, []string{"192.0.2.2", "192.0.2.3"}, 9 * s, true, 6 * s},
		"the second, after one refused":    {"tcp", []string{"192.0.2.2", "192.0.2.3", "192.0.2.1"}, []string{"192.0.2.3"}, 8 * s, true, 4 * s},
		"two seconds at least":             {"tcp", []string{"192.0.2.2", "192.0.2.3", "192.0.2.1"}, []string{"192.0.2.2"}, 3 * s, true, 2 * s},
		"no time for the second":           {"tcp", []string{"192.0.2.2", "192.0.2.1"}, []string{"192.0.2.2"}, 2 * s, false, 2 * s},
		"none":                             {"tcp", []string{"192.0.2.2", "192.0.2.3"}, nil, 5 * s, false, 0},
		"the other family":                 {"tcp", []string{"2001:db8::2", "192.0.2.1"}, []string{"2001:db8::2"}, 5 * s, true, 300 * time.Millisecond},
		"the other family, at once":        {"tcp", []string{"2001:db8::2", "192.0.2.1"}, nil, 5 * s, true, 0},
		"the first family":                 {"tcp", []string{"2001:db8::1", "192.0.2.2"}, []string{"192.0.2.2"}, 5 * s, true, 0},
		"the first family, after a while":  {"tcp", []string{"2001:db8::2", "192.0.2.2", "2001:db8::1"}, []string{"2001:db8::2", "192.0.2.2"}, 5 * s, true, 2500 * time.Millisecond},
		"neither family":                   {"tcp", []string{"2001:db8::2", "192.0.2.2"}, []string{"2001:db8::2", "192.0.2.2"}, 5 * s, false, 5 * s},
		"one family is asked for":          {"tcp4", []string{"2001:db8::2", "192.0.2.1"}, []string{"2001:db8::2"}, 5 * s, true, 0},
		"one family, of which there is no": {"tcp6", []string{"192.0.2.1"}, nil, 5 * s, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
				defer cancel()
				began := time.Now()
				conn, err := probe.Reach(ctx, c.network, c.addresses, func(ctx context.Context, _, address string) (net.Conn, error) {
					host, _, err := net.SplitHostPort(address)
					switch {
					case err != nil:
						return nil, err
					case slices.Contains(c.hangs, host):
						<-ctx.Done()
						return nil, ctx.Err()
					case host == "192.0.2.1" || host == "2001:db8::1":
						here, there := net.Pipe()
						return here, there.Close()
					}
					return nil, errRefused
				})
				if took := time.Since(began); (err == nil) != c.good || took != c.after {
					t.Errorf("%v after %v, expected %t after %v", err, took, c.good, c.after)
				}
				if conn != nil {
					_ = conn.Close()
				}
			})
		})
	}
}
