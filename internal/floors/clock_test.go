package floors_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Nothing that decides reads the wall clock, which a person or a time server may step in the
// middle of a run (M3): what is read of the present moment is the time that has passed, by
// the monotonic clock. Round, UTC and the like take that away.
func TestNothingThatDecidesReadsTheWallClock(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"pkg/run", "pkg/fault", "pkg/probe", "pkg/helper", "pkg/target", "pkg/target/docker", "pkg/verdict", "pkg/gate"} {
		files, err := filepath.Glob(filepath.Join("../..", folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(folder, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if where := wallClock(t, name, string(data)); len(where) > 0 {
				t.Errorf("the wall clock is read: %v", where)
			}
		}
	}
	found := wallClock(t, "x.go", "package x\nimport \"time\"\nvar now = time.Now\nvar a, b, c = time.Now().Unix(), now().UnixNano(), time.Now().Round(0).After(time.Now())\n")
	if len(found) != 3 {
		t.Errorf("the test does not see what it is for: %v", found)
	}
}

// wallClock are the places where a file reads the wall clock's present moment.
func wallClock(t *testing.T, name, text string) (where []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		method, ok := n.(*ast.SelectorExpr)
		if !ok || !strings.HasPrefix(method.Sel.Name, "Unix") && method.Sel.Name != "Round" && method.Sel.Name != "Truncate" {
			return true
		}
		if call, ok := method.X.(*ast.CallExpr); ok && isNow(call.Fun) {
			where = append(where, files.Position(n.Pos()).String())
		}
		return true
	})
	return where
}

func isNow(f ast.Expr) bool {
	switch f := f.(type) {
	case *ast.Ident:
		return strings.EqualFold(f.Name, "now")
	case *ast.SelectorExpr:
		return strings.EqualFold(f.Sel.Name, "now")
	}
	return false
}
