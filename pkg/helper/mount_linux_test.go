package helper

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheFlagsOfAMountAreKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		was  int64
		want uintptr
	}{
		"none":               {0, unix.MS_STRICTATIME},
		"relatime":           {unix.ST_RELATIME, unix.MS_RELATIME},
		"noatime":            {unix.ST_NOATIME, unix.MS_NOATIME},
		"strict, but no dir": {unix.ST_NODIRATIME, unix.MS_STRICTATIME | unix.MS_NODIRATIME},
		"as engines mount": {
			unix.ST_NOSUID | unix.ST_NODEV | unix.ST_NOEXEC | unix.ST_RELATIME,
			unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RELATIME,
		},
		"no symbolic links":    {stNoSymFollow | unix.ST_RELATIME, unix.MS_NOSYMFOLLOW | unix.MS_RELATIME},
		"read-only is ours":    {unix.ST_RDONLY | unix.ST_RELATIME, unix.MS_RELATIME},
		"of the file system":   {unix.ST_SYNCHRONOUS | unix.ST_MANDLOCK | unix.ST_RELATIME, unix.MS_RELATIME},
		"noatime before all":   {unix.ST_NOATIME | unix.ST_NODIRATIME, unix.MS_NOATIME | unix.MS_NODIRATIME},
		"the kernel's own bit": {0x20 | unix.ST_RELATIME, unix.MS_RELATIME}, // ST_VALID
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := remountFlags(c.was); got != c.want {
				t.Errorf("%#x is kept as %#x, expected %#x", c.was, got, c.want)
			}
			if remountFlags(c.was)&unix.MS_RDONLY != 0 || remountFlags(c.was)&unix.MS_BIND != 0 {
				t.Error("a flag is kept that is the remount's own")
			}
		})
	}
}
