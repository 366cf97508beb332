package hostcmd_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/hostcmd"
)

// TestMain is also a process that runs a command and is killed.
func TestMain(m *testing.M) {
	if command := os.Getenv("GAMEDAY_TEST_COMMAND"); command != "" {
		_, _, _ = hostcmd.Output(context.Background(), []string{"sh", "-c", command}, 100) //nolint:forbidigo // as main does
		os.Exit(0)                                                                         //nolint:forbidigo // as main does
	}
	os.Exit(m.Run()) //nolint:forbidigo // as testing does
}

// A command ends with the process that runs it, however that ends (H3).
func TestItEndsWithItsParent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	started, broken := filepath.Join(dir, "started"), filepath.Join(dir, "broken")
	parent := exec.CommandContext(t.Context(), self)
	parent.Env = append(os.Environ(), "GAMEDAY_TEST_COMMAND=touch "+started+"; while kill -0 $PPID 2>/dev/null; do sleep 0.01; done; touch "+broken)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	for _, err := os.Stat(started); err != nil; _, err = os.Stat(started) {
		<-time.After(5 * time.Millisecond)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	<-time.After(300 * time.Millisecond)
	if _, err := os.Stat(broken); err == nil {
		t.Error("the command went on after its parent was killed")
	}
}
