package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/image"
)

// Pull fetches an image from its registry.
func (e *Engine) Pull(ctx context.Context, reference string) error {
	response, err := e.client.ImagePull(ctx, reference, image.PullOptions{})
	if err != nil {
		return fmt.Errorf("pull %s: %w", reference, err)
	}
	return errors.Join(streamError("pull "+reference, response, nil), response.Close())
}

// Import makes an image of a file system's tar.
func (e *Engine) Import(ctx context.Context, reference string, rootfs io.Reader) error {
	response, err := e.client.ImageImport(ctx, image.ImportSource{Source: rootfs, SourceName: "-"}, reference, image.ImportOptions{})
	if err != nil {
		return fmt.Errorf("import %s: %w", reference, err)
	}
	return errors.Join(streamError("import "+reference, response, nil), response.Close())
}

// Build builds an image from a folder with a Dockerfile, and removes the images with
// other tags of its name. progress receives its steps; an error carries the last of what
// the build said.
func (e *Engine) Build(ctx context.Context, reference string, folder fs.FS, args map[string]string, progress func(string)) error {
	var files []file
	err := fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(folder, path)
		files = append(files, file{path, 0o755, data})
		return err
	})
	if err != nil {
		return fmt.Errorf("build %s: %w", reference, err)
	}
	archive, err := tarball(files...)
	if err != nil {
		return fmt.Errorf("build %s: %w", reference, err)
	}
	pointers := map[string]*string{}
	for key, value := range args {
		pointers[key] = &value
	}
	response, err := e.client.ImageBuild(ctx, strings.NewReader(string(archive)), build.ImageBuildOptions{
		Tags: []string{reference}, BuildArgs: pointers, Remove: true, ForceRemove: true,
	})
	if err != nil {
		return fmt.Errorf("build %s: %w", reference, err)
	}
	var last []string
	err = streamError("build "+reference, response.Body, func(text string) {
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, "Step ") {
			progress(text)
		}
		if text != "" {
			last = append(last[max(0, len(last)-9):], text)
		}
	})
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, strings.Join(last, "\n"))
	}
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	repository, _, _ := strings.Cut(reference, ":")
	return e.removeFormer(ctx, reference, repository)
}
