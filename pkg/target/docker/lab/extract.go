package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gameday-dev/gameday/internal/program"
)

// extract lays a lab's files out for compose, in the user's cache: a run that is killed
// leaves no folder of its own.
func (p Provisioner) extract(name string) (string, error) {
	files, err := fs.Sub(p.Files, name)
	if err != nil {
		return "", fmt.Errorf("lay out lab %s: %w", name, err)
	}
	hash, err := contentOf(files)
	if err != nil {
		return "", fmt.Errorf("lay out lab %s: %w", name, err)
	}
	dir := filepath.Join(program.Cache("labs"), name+"-"+hash)
	there := func() bool {
		found, err := contentOf(os.DirFS(dir))
		return err == nil && found == hash
	}
	if there() {
		return dir, nil
	}
	if err := layOut(files, dir); err != nil && !there() { // another process may have been quicker
		return "", fmt.Errorf("lay out lab %s: %w", name, err)
	}
	return dir, nil
}

// layOut replaces a folder by files, all at once.
func layOut(files fs.FS, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "new-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	return errors.Join(os.CopyFS(filepath.Join(temp, "files"), files), os.RemoveAll(dir), os.Rename(filepath.Join(temp, "files"), dir))
}
