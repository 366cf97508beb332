//go:build unix

package atomicfile

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives a file the owner of the one that it replaces, if the process may.
func keepOwner(file *os.File, before fs.FileInfo) {
	if owner, ok := before.Sys().(*syscall.Stat_t); ok {
		_ = file.Chown(int(owner.Uid), int(owner.Gid)) // only root may give a file away
	}
}
