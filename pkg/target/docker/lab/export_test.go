package lab

import "io/fs"

// Extract lays out a lab of a file system.
func Extract(files fs.FS, name string) (dir string, err error) {
	return Provisioner{Labs: Labs{Files: files}}.extract(name)
}
