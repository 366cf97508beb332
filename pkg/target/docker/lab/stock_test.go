package lab_test

import (
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker/lab"
)

// What a lab needs is looked at, each image once, and nothing is built.
func TestStock(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	provisioner, err := lab.Labs{Files: labs.Files}.On(b.Env, target.Progress{})
	if err != nil {
		t.Fatal(err)
	}
	stocker, err := target.As[target.Stocker](provisioner)
	if err != nil {
		t.Fatal(err)
	}
	for name, images := range map[string]int{"checkout": 2, "checkout-ha": 6} {
		s, err := stocker.Stock(t.Context(), target.Lab{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		all := append(s.There, s.Missing...)
		if len(all) != images || !strings.HasPrefix(all[0], "gameday/lab-"+name+"-") {
			t.Errorf("%s: %+v", name, s)
		}
		if (s.Tool == "") != (s.NoTool != nil) {
			t.Errorf("%s: compose is %q (%v)", name, s.Tool, s.NoTool)
		}
	}
	if _, err := stocker.Stock(t.Context(), target.Lab{Name: "chekout"}); err == nil || !strings.Contains(err.Error(), `did you mean "checkout"`) {
		t.Error(err)
	}
}
