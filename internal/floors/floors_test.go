// Package floors_test checks that no package imports from its own floor or above.
package floors_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/gameday-dev/gameday/"

// floors is the floor of each package; see ARCHITECTURE.md. A package imports only from
// lower floors. The test fails for a package that is not listed.
func floors() map[string]int {
	return map[string]int{
		"internal/kind": 0, "internal/unit": 0, "internal/program": 0, "internal/redact": 0, "internal/plaintext": 0, "internal/atomicfile": 0, "internal/sqlitefile": 0,
		"internal/bounded": 0, "internal/disk": 0, "internal/bounded/boundedtest": 0,
		"internal/direct": 0,
		"internal/ramp":   0, "internal/secret": 0, "internal/loopbacktest": 0,
		"internal/browsertest": 0, "internal/hostcmd": 1, "internal/chromium": 2, "pkg/helper": 0, "scenarios": 0, "labs": 0, "labs/shop": 0, "labs/echo": 0,
		"internal/strictyaml": 1, "internal/folder": 1, "pkg/journal": 1,
		"pkg/record": 2, "pkg/record/recordtest": 3, "pkg/notes": 3, "pkg/target": 2, "pkg/advice": 2, "pkg/gate": 2, "pkg/verdict": 2,
		"pkg/target/docker": 3, "pkg/fault": 3, "pkg/probe": 3,
		"pkg/target/docker/lab": 4, "pkg/scenario": 4, "pkg/register": 4, "pkg/topology": 4, "internal/enginetest": 4, "internal/enginetest/rig": 1, "internal/toyenv": 4,
		"pkg/plan": 5, "pkg/doctor": 5, "pkg/skeleton": 5, "pkg/schedule": 5, "pkg/store": 5, "pkg/queue": 5, "internal/pgtest": 5,
		"pkg/probe/steps": 4, "internal/mysqltest": 5,
		"pkg/journeyfrom": 5,
		"pkg/run":         6,
		"pkg/report":      7,
		"pkg/history":     8, "pkg/attach": 8, "pkg/sweep": 8, "pkg/trace": 8,
		"pkg/session": 9, "pkg/daemon": 10, "pkg/starter": 10, "pkg/server": 11, "cmd/gameday": 12,
		"internal/wikitest": 5, "internal/gamedaytest": 0, "internal/backendtest": 7, "internal/alerttest": 7, "internal/backendtest/backend": 0,
		"cmd/gameday-helper": 12, "cmd/gameday-lab": 12,
		"cmd/gameday-load": 12,
	}
}

func TestNoPackageImportsUpward(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...")
	output, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	known := floors()
	seen := 0
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, module)
		floor, ok := known[name]
		if !ok && name != "internal/floors" && name != "internal/plainwords" {
			t.Errorf("%s has no floor: add it here and in ARCHITECTURE.md", name)
		}
		seen++
		for _, imported := range p.Imports {
			below, ours := strings.CutPrefix(imported, module)
			if ours && known[below] >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d)", name, floor, below, known[below])
			}
		}
	}
	if seen < len(known) {
		t.Errorf("checked %d packages, expected %d", seen, len(known))
	}
}

// A helper holds nothing that it does not need: it runs with a capability, beside
// components of others. What else runs in images is small, too: it is loaded into engines
// that are far away.
func TestWhatProgramsHold(t *testing.T) {
	t.Parallel()
	for name, expected := range programs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", module+"cmd/"+name)
			list.Env = append(list.Environ(), "GOOS=linux", "CGO_ENABLED=0")
			output, err := list.Output()
			if err != nil {
				t.Fatal(err)
			}
			modules := slices.Compact(slices.Sorted(slices.Values(strings.Fields(string(output)))))
			modules = slices.DeleteFunc(modules, func(m string) bool { return m+"/" == module })
			if !slices.Equal(modules, expected) {
				t.Errorf("%s holds %q", name, modules)
			}
		})
	}
}

// programs are the modules that each program in an image holds.
func programs() map[string][]string {
	return map[string][]string{
		"gameday-helper": {
			"github.com/florianl/go-nfqueue/v2",
			"github.com/google/nftables",
			"github.com/mdlayher/netlink",
			"github.com/mdlayher/socket",
			"github.com/vishvananda/netlink",
			"github.com/vishvananda/netns",
			"golang.org/x/net",
			"golang.org/x/sync",
			"golang.org/x/sys",
		},
		"gameday-load": {
			"filippo.io/edwards25519", // of mysql
			"github.com/andybalholm/cascadia",
			"github.com/antchfx/htmlquery",
			"github.com/antchfx/xmlquery",
			"github.com/antchfx/xpath",
			"github.com/coder/websocket",
			"github.com/go-sql-driver/mysql",
			"github.com/golang/groupcache", // of htmlquery
			"github.com/gomodule/redigo",
			"github.com/google/uuid",
			"github.com/influxdata/tdigest", // of vegeta
			"github.com/jackc/pgpassfile",
			"github.com/jackc/pgservicefile",
			"github.com/jackc/pgx/v5",
			"github.com/josharian/intern", // of vegeta
			"github.com/mailru/easyjson",  // of vegeta
			"github.com/miekg/dns",
			"github.com/rs/dnscache", // of vegeta
			"github.com/theory/jsonpath",
			"github.com/tsenart/vegeta/v12",
			"golang.org/x/net",
			"golang.org/x/sync",
			"golang.org/x/sys",
			"golang.org/x/text",
			"google.golang.org/genproto/googleapis/rpc", // of grpc
			"google.golang.org/grpc",
			"google.golang.org/protobuf",
		},
		"gameday-lab": {
			"github.com/gomodule/redigo",
			"github.com/google/uuid",
			"github.com/jackc/pgpassfile",
			"github.com/jackc/pgservicefile",
			"github.com/jackc/pgx/v5",
			"github.com/jackc/puddle/v2",
			"github.com/vishvananda/netlink",
			"github.com/vishvananda/netns",
			"golang.org/x/sync",
			"golang.org/x/sys",
			"golang.org/x/text",
		},
	}
}
