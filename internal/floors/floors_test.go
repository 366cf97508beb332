// Package floors_test holds every package to its floor.
package floors_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/gameday-dev/gameday/"

// floors are the packages by floor; see ARCHITECTURE.md. A package imports only
// from floors below its own. A package that is not here fails the test. What knows
// nothing of gameday and serves floor 0 too is below it.
func floors() map[string]int {
	return map[string]int{
		"internal/atomicfile": -1,
		"internal/kind":       0, "internal/unit": 0, "internal/self": 0, "internal/strictyaml": 0,
		"pkg/target": 0, "pkg/record": 0, "pkg/journal": 0, "pkg/helper": 0, "internal/redact": 0, "internal/browsertest": 0, "scenarios": 0, "labs": 0, "labs/shop": 0,
		"pkg/target/docker": 1, "pkg/fault": 1, "pkg/probe": 1, "pkg/verdict": 1,
		"pkg/scenario": 2, "pkg/register": 2, "pkg/lab": 2, "internal/enginetest": 2,
		"pkg/plan": 3, "pkg/run": 4, "pkg/report": 5, "pkg/topology": 2, "pkg/sweep": 6, "pkg/history": 6, "pkg/schedule": 3, "pkg/attach": 6,
		"internal/pgtest": 3, "pkg/gate": 1, "pkg/store": 3, "pkg/queue": 3, "pkg/trace": 6, "pkg/daemon": 6, "pkg/server": 7, "cmd/gameday": 8,
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
		if !ok && name != "internal/floors" {
			t.Errorf("%s is on no floor: put it on one here, and in ARCHITECTURE.md", name)
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
		t.Errorf("looked at %d packages, %d are on floors", seen, len(known))
	}
}
