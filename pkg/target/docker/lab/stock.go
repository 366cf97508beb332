package lab

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"github.com/gameday-dev/gameday/internal/hostcmd"
	"github.com/gameday-dev/gameday/pkg/target"
)

var _ target.Stocker = Provisioner{}

// Stock implements [target.Stocker].
func (p Provisioner) Stock(ctx context.Context, lab target.Lab) (s target.Stock, err error) {
	spec, err := p.spec(lab)
	if err != nil {
		return s, err
	}
	for _, image := range spec.Images {
		_, reference, err := p.imageOf(lab.Name, image)
		if err != nil {
			return s, err
		}
		found, err := p.Engine.HasImage(ctx, reference)
		if err != nil {
			return s, err
		}
		if found {
			s.There = append(s.There, reference)
		} else {
			s.Missing = append(s.Missing, reference)
		}
	}
	if s.Base, err = p.localBase(ctx); err != nil {
		return s, err
	}
	s.Tool, s.NoTool = composeVersion(ctx)
	return s, nil
}

// composeVersion is the command of compose that labs use, with its version.
func composeVersion(ctx context.Context) (string, error) {
	command, err := composeCommand(ctx)
	if err != nil {
		return "", err
	}
	name := strings.Join(append([]string{path.Base(command[0])}, command[1:]...), " ")
	code, output, err := hostcmd.Output(ctx, append(command, "version", "--short"), 200)
	switch {
	case ctx.Err() != nil: // it is there, and slow
		return name + ", whose version it did not say in time", nil //nolint:nilerr // as above
	case err != nil || code != 0:
		return name, err
	}
	return name + " " + strings.TrimSpace(output), nil
}

// localBase is the image to build on that is already on the engine, or "".
func (p Provisioner) localBase(ctx context.Context) (string, error) {
	for _, local := range []string{pulledBase, madeBase, "debian:bookworm"} {
		if found, err := p.Engine.HasImage(ctx, local); err != nil || found {
			return local, err
		}
	}
	return "", nil
}

// imageOf is the folder that an image of a lab is built from, and its reference.
func (p Provisioner) imageOf(name, image string) (folder fs.FS, reference string, err error) {
	if folder, err = fs.Sub(p.Files, path.Join(name, image)); err != nil {
		return nil, "", err
	}
	hash, err := contentOf(folder)
	return folder, "gameday/lab-" + name + "-" + image + ":" + hash, err
}
