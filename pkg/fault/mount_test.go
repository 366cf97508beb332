package fault_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
)

// mountOptions are the options of a mount of the component, as the kernel has
// them: those of the mount itself, without those of its file system.
func mountOptions(t *testing.T, s scene, at string) string {
	t.Helper()
	data, err := os.ReadFile("/proc/" + strconv.Itoa(s.PID(s.id)) + "/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) > 5 && fields[4] == at {
			return fields[5]
		}
	}
	t.Fatalf("no mount at %s", at)
	return ""
}

// A mount that was made read-only is put back with all its other options.
func TestAMountKeepsItsOptions(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]string{
		"as engines mount":     "",
		"strict access times":  "strictatime,nodiratime",
		"no access times":      "noatime,noexec",
		"relative, but no dir": "relatime,nodiratime,nosuid",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			enginetest.Shared(t)
			c := diskSuite()["readonly"]
			c.host = container.HostConfig{Tmpfs: map[string]string{"/data": options}}
			s := c.begin(t)
			before := mountOptions(t, s, "/data")
			f := of(&fault.ReadOnly{Path: "/data"})
			was, err := f.Prepare(t.Context(), s.Open(s.id))
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Inject(t.Context(), s.Open(s.id), was); err != nil {
				t.Fatal(err)
			}
			if got, want := mountOptions(t, s, "/data"), strings.Replace(before, "rw", "ro", 1); got != want {
				t.Errorf("while it is read-only the options are %s, expected %s", got, want)
			}
			if err := f.Revert(t.Context(), s.Open(s.id), was); err != nil {
				t.Fatal(err)
			}
			if after := mountOptions(t, s, "/data"); after != before {
				t.Errorf("the options were %s, and are %s", before, after)
			}
		})
	}
}
