package fault_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
)

// cgroup is what the kernel has in one of the files by which either version of
// control groups bounds the container.
func cgroup(s scene, names ...string) string {
	for _, name := range names {
		found, _ := filepath.Glob(filepath.Join("/sys/fs/cgroup", name))
		for _, path := range append(found, globs("/sys/fs/cgroup", s.id, name)...) {
			if data, err := os.ReadFile(path); err == nil && strings.Contains(path, s.id) {
				return strings.TrimSpace(string(data))
			}
		}
	}
	s.T.Fatalf("no control group of %s has any of %v", s.id, names)
	return ""
}

func globs(root, id, name string) []string {
	var all []string
	for _, pattern := range []string{"*/docker/" + id, "docker/" + id, "system.slice/docker-" + id + ".scope", "*/system.slice/docker-" + id + ".scope"} {
		found, _ := filepath.Glob(filepath.Join(root, pattern, name))
		all = append(all, found...)
	}
	return all
}

// insideSuite is of the kinds whose effect is in the component itself.
func insideSuite() map[string]conformance {
	serves := func(s scene) bool { return s.Serves(s.id) }
	marker := filepath.Join(os.TempDir(), "gameday-command-"+strconv.Itoa(os.Getpid()))
	return map[string]conformance{
		"cpu": {fault: of(&fault.CPU{Cores: 0.2}), notFelt: serves, felt: func(s scene) bool {
			return strings.Contains("20000|20000 100000", cgroup(s, "cpu.cfs_quota_us", "cpu.max"))
		}},
		"memory": {
			fault: of(&fault.Memory{Limit: 32 << 20}), notFelt: serves,
			host: container.HostConfig{Resources: container.Resources{Memory: 256 << 20}},
			felt: func(s scene) bool { return cgroup(s, "memory.limit_in_bytes", "memory.max") == strconv.Itoa(32<<20) },
		},
		"pids": {fault: of(&fault.PIDs{Max: 100}), notFelt: serves, felt: func(s scene) bool { return cgroup(s, "pids.max") == "100" }},
		"hang": {
			fault: of(&fault.Hang{Process: "gameday-lab"}), host: container.HostConfig{Init: new(true)},
			felt: func(s scene) bool { return s.Inspect(s.id).State.Running && !s.Serves(s.id) },
		},
		"process, by SIGKILL": {
			fault: &fault.Process{Name: "gameday-lab"}, host: container.HostConfig{Init: new(true)}, refusesRepeat: true, moment: true,
			felt: func(s scene) bool { return !s.Inspect(s.id).State.Running },
		},
		"process": {
			fault: &fault.Process{Name: "gameday-lab", Signal: "TERM"}, refusesRepeat: true, moment: true,
			felt: func(s scene) bool { return !s.Inspect(s.id).State.Running },
		},
		"file, with no permission": {fault: &fault.File{Path: "/etc/hostname", Do: "chmod", Mode: "0000"}, notFelt: serves, felt: func(s scene) bool {
			info, err := os.Stat(s.Path(s.id, "/etc/hostname"))
			return err == nil && info.Mode().Perm() == 0
		}},
		"command": {
			fault:   &fault.Command{Break: []string{"touch", marker}, Verify: []string{"test", "-e", marker}, Mend: []string{"rm", "-f", marker}},
			notFelt: serves, felt: func(scene) bool { _, err := os.Stat(marker); return err == nil },
		},
		"manual": {fault: &fault.Manual{Do: "nothing", Undo: "nothing"}, felt: serves, moment: true},
	}
}

// A file is put back with all that stands beside it in the directory, to the
// nanosecond; and one that somebody has renewed meanwhile is left alone.
func TestAFileIsPutBackAsItWas(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	ctx := t.Context()
	id := b.StartWith(container.HostConfig{Tmpfs: map[string]string{"/certs": ""}})
	h := b.Open(id)
	path := b.Path(id, "/certs/server.pem")
	when := time.Date(2021, 3, 4, 5, 6, 7, 123_456_789, time.UTC)
	place := func(content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, 1234, 4321); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o640|os.ModeSetgid); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	place("the certificate")
	for _, f := range []*fault.File{
		{Path: "/certs/server.pem", Do: "remove"},
		{Path: "/certs/server.pem", Do: "corrupt"},
		{Path: "/certs/server.pem", Do: "replace", Content: "an expired one"},
		{Path: "/certs/server.pem", Do: "chmod", Mode: "0000"},
	} {
		was, err := f.Prepare(ctx, h)
		if err != nil {
			t.Fatalf("%s: %v", f.Do, err)
		}
		if err := f.Inject(ctx, h, was); err != nil {
			t.Fatalf("%s: %v", f.Do, err)
		}
		if data, err := os.ReadFile(path); f.Do != "chmod" && err == nil && string(data) == "the certificate" {
			t.Errorf("%s: it is still there", f.Do)
		}
		if err := f.InForce(ctx, h, was); err != nil {
			t.Errorf("%s: %v", f.Do, err)
		}
		if err := f.Revert(ctx, h, was); err != nil {
			t.Fatalf("%s: %v", f.Do, err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		owner, _ := info.Sys().(*syscall.Stat_t)
		if string(data) != "the certificate" || info.Mode() != 0o640|os.ModeSetgid || owner.Uid != 1234 || owner.Gid != 4321 || !info.ModTime().Equal(when) {
			t.Errorf("%s: %q, %v, %d:%d, %v", f.Do, data, info.Mode(), owner.Uid, owner.Gid, info.ModTime())
		}
	}
	// Renewed while it was gone.
	f := &fault.File{Path: "/certs/server.pem", Do: "remove"}
	was, err := f.Prepare(ctx, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Inject(ctx, h, was); err != nil {
		t.Fatal(err)
	}
	place("a renewed one")
	if err := f.Revert(ctx, h, was); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(path); string(data) != "a renewed one" {
		t.Errorf("the renewed certificate was replaced by %q", data)
	}
}

// The target's symbolic links lead nowhere but into the target.
func TestALinkLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	id := b.StartWith(container.HostConfig{Tmpfs: map[string]string{"/data": ""}})
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("of the host"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../../../.."+secret, b.Path(id, "/data/link")); err != nil {
		t.Fatal(err)
	}
	f := &fault.File{Path: "/data/link", Do: "corrupt"}
	if was, err := f.Prepare(t.Context(), b.Open(id)); err == nil {
		t.Errorf("read by way of a link: %s", was)
	}
}

// The kernel shields a container's main process from signals of its own
// namespace, and says nothing: what was not felt is not claimed.
func TestAShieldedProcessIsAnError(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	id := b.Start("no")
	h := b.Open(id)
	for _, f := range []fault.Fault{&fault.Process{Name: "gameday-lab"}, of(&fault.Hang{Process: "gameday-lab"}), &fault.Process{Name: "nginx", Signal: "TERM"}} {
		if _, err := f.Prepare(t.Context(), h); err == nil {
			t.Errorf("%+v: no error, and it would have no effect", f)
		}
	}
	if !b.Serves(id) {
		t.Error("it does not serve any more")
	}
}
