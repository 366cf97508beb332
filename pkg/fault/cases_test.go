package fault_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
)

// A component on two networks is cut off from both, and both are back (case 78).
func TestAComponentOnTwoNetworks(t *testing.T) {
	t.Parallel()
	enginetest.Shared(t)
	s := scene{Bed: enginetest.New(t)}
	first, second := s.Network(), s.Network()
	s.id = s.StartWith(container.HostConfig{NetworkMode: container.NetworkMode(first)})
	if err := s.Client.NetworkConnect(t.Context(), second, s.id, nil); err != nil {
		t.Fatal(err)
	}
	s.Echo(s.id)
	from := map[string]string{}
	for _, name := range []string{first, second} {
		from[name] = s.StartWith(container.HostConfig{NetworkMode: container.NetworkMode(name)}, "gameday.test.peer="+name)
	}
	through := func(name string) bool {
		ok, _ := s.Reaches(from[name], "tcp", s.Inspect(s.id).NetworkSettings.Networks[name].IPAddress+":7")
		return ok
	}
	h, f := s.Open(s.id), of(&fault.Isolate{})
	was, err := f.Prepare(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Inject(t.Context(), h, was); err != nil {
		t.Fatal(err)
	}
	if through(first) || through(second) {
		t.Errorf("it is reached on the first network: %t, on the second: %t", through(first), through(second))
	}
	if err := f.Revert(t.Context(), h, was); err != nil {
		t.Fatal(err)
	}
	s.Eventually("both are back", func() bool { return through(first) && through(second) })
}

// A file of the host that is mounted into a component, as secrets of compose are: whatever a
// fault does, it is afterwards what it was, on the host too (case 85).
func TestAMountedFileOfTheHost(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	const text = "the key of the shop"
	secret := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(secret, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	for _, options := range []string{"", ":ro"} {
		h := b.Open(b.StartWith(container.HostConfig{Binds: []string{secret + ":/run/secrets/key" + options}}))
		for _, f := range []*fault.File{{Do: "remove"}, {Do: "corrupt"}, {Do: "replace", Content: "x"}, {Do: "chmod", Mode: "0000"}} {
			f.Path = "/run/secrets/key"
			was, err := f.Prepare(t.Context(), h)
			if err == nil { // it is not refused
				err = f.Inject(t.Context(), h, was)
				if revert := f.Revert(t.Context(), h, was); revert != nil {
					t.Errorf("%s%s: %v", f.Do, options, revert)
				}
			}
			data, readErr := os.ReadFile(secret)
			info, statErr := os.Stat(secret)
			if readErr != nil || statErr != nil || string(data) != text || info.Mode().Perm() != 0o640 {
				t.Errorf("%s%s (%v): %q %v %v", f.Do, options, err, data, readErr, statErr)
			}
		}
	}
}
