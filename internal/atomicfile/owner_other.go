//go:build !unix

package atomicfile

import (
	"io/fs"
	"os"
)

// keepOwner does nothing here: a file's owner is not an ID that can be copied.
func keepOwner(*os.File, fs.FileInfo) {}
