package floors_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A driver's package is imported by its own folder, by the one line of wiring, and by the
// test helpers that need a real engine. Everything else knows a target.Site.
func TestOnlyTheWiringNamesADriver(t *testing.T) {
	t.Parallel()
	const driver = "pkg/target/docker"
	allowed := []string{"cmd/gameday/drivers.go", "internal/enginetest/enginetest.go", "internal/pgtest/pgtest.go", "internal/mysqltest/mysqltest.go", "internal/wikitest/wikitest.go"}
	used := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(path, "../../"))
		switch {
		case err != nil || d.IsDir() || filepath.Ext(name) != ".go":
			return err
		case strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, driver+"/"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range file.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if imported != module+driver && !strings.HasPrefix(imported, module+driver+"/") {
				continue
			}
			used[name] = true
			if !slices.Contains(allowed, name) {
				t.Errorf("%s imports %s: use target.Site and its capabilities", name, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !used[allowed[0]] {
		t.Errorf("%s does not import %s: is the driver registered somewhere else?", allowed[0], driver)
	}
}
