package target_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/target"
)

// named is a handle that says what it is.
type named struct{}

func (named) String() string { return "container db_1" }

// What cannot be done is told in words of people, and never by the name of a Go type.
func TestACapabilityHasAName(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"stopping is not supported by container db_1":                                          asked[target.Stopper](named{}),
		"killing is not supported by this environment":                                         asked[target.Killer](struct{}{}),
		"pausing is not supported without a component: give the fault a target":                asked[target.Pauser](nil),
		"checking whether a fault would disconnect gameday is not supported by container db_1": asked[target.Lifeline](named{}),
	} {
		if !errors.Is(err, target.ErrUnsupported) || err.Error() != want {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

func asked[C any](of any) error {
	_, err := target.As[C](of)
	return err
}

// Every interface of the two files that hold capabilities has a name.
func TestEveryCapabilityHasAName(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("capability.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range []string{"acts.go", "capability.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name == "Hold" { // what a Locker returns
				return true
			}
			if _, isInterface := spec.Type.(*ast.InterfaceType); isInterface {
				found++
				if !strings.Contains(string(source), "TypeFor["+spec.Name.Name+"]()") {
					t.Errorf("%s has no name in names()", spec.Name.Name)
				}
			}
			return true
		})
	}
	if found < 15 {
		t.Errorf("found %d capabilities", found)
	}
}
