package journeyfrom_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/journeyfrom"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The imports of testdata are what they were. What was left out is at their end.
func TestGolden(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("testdata/*.source")
	if err != nil || len(sources) < 5 {
		t.Fatal(sources, err)
	}
	for _, path := range sources {
		name := strings.TrimSuffix(filepath.Base(path), ".source")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			r, err := journeyfrom.Import(file, journeyfrom.Options{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			got := string(r.Journey)
			if said := append(r.LeftOut, r.Notes...); len(said) > 0 {
				got += "# " + strings.Join(said, "\n# ") + "\n"
			}
			golden := "testdata/" + name + ".yaml"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got; -update renews the file:\n%s", diff)
			}
		})
	}
}
