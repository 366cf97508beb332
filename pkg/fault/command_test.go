package fault_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
)

// A command that was killed because its time was up has asked for something that is carried
// out elsewhere (a cloud, an engine; here what has left its process group): that it is over
// says nothing about the order.
func TestACommandThatTimedOutHasNotEnded(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken")
	f := &fault.Command{
		Break: []string{"sh", "-c", "setsid sh -c 'sleep 1; touch " + broken + "' >/dev/null 2>&1 & sleep 60"},
		Mend:  []string{"rm", "-f", broken}, Timeout: 300 * time.Millisecond,
	}
	err := f.Inject(t.Context(), nil, fault.State("{}"))
	if err == nil {
		t.Fatal("it did not time out")
	}
	if err := f.Revert(t.Context(), nil, fault.State("{}")); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		if _, missing := os.Stat(broken); missing == nil {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	if _, missing := os.Stat(broken); missing == nil && errors.Is(err, fault.ErrEnded) {
		t.Errorf("%v is %v: it is undone once, and it stays broken", err, fault.ErrEnded)
	}
}
