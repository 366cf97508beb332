package docker

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/gameday-dev/gameday/internal/program"
)

// prepareNoticed is how long getting ready may take before it is worth a line.
const prepareNoticed = time.Second

// Prepare implements [target.Preparer]: it makes the image of the helpers.
func (e *Engine) Prepare(ctx context.Context, progress func(text string)) error {
	_, err := e.PrepareProgram(ctx, program.Helper, progress)
	return err
}

// PrepareWorkers implements [target.Workers]: it makes the image of load workers.
func (e *Engine) PrepareWorkers(ctx context.Context, progress func(text string)) error {
	_, err := e.PrepareProgram(ctx, program.Load, progress)
	return err
}

// PrepareProgram is [Engine.ProgramImage] with progress: it takes about a minute if the
// program must first be built from its source.
func (e *Engine) PrepareProgram(ctx context.Context, name program.Name, progress func(text string)) (string, error) {
	slow := time.AfterFunc(prepareNoticed, func() {
		progress(fmt.Sprintf("building the image of %s (once for each version; about a minute if nothing is built yet)", name))
	})
	defer slow.Stop()
	return e.ProgramImage(ctx, name)
}

// ProgramImage is the reference of an image that holds nothing but a program of
// gameday's, which it loads into the engine if it is not there yet. It is tagged by the
// program's content, so that another version is another image. Images of other versions
// that no container uses are removed.
func (e *Engine) ProgramImage(ctx context.Context, name program.Name) (string, error) {
	e.loading.Lock()
	defer e.loading.Unlock()
	if found, ok := e.programs[name]; ok {
		return found, nil
	}
	reference, err := e.loadProgram(ctx, name)
	if err != nil {
		return "", err
	}
	e.programs[name] = reference
	return reference, nil
}

// forget has the next [Engine.ProgramImage] look at the engine again.
func (e *Engine) forget(name program.Name) {
	e.loading.Lock()
	defer e.loading.Unlock()
	delete(e.programs, name)
}

// The variables that name an image to use instead, for engines that take images only from
// a registry.
const (
	HelperImage = "GAMEDAY_HELPER_IMAGE" // of gameday-helper
	LoadImage   = "GAMEDAY_LOAD_IMAGE"   // of gameday-load
)

// givenImages are these variables by program.
func givenImages() map[program.Name]string {
	return map[program.Name]string{program.Helper: HelperImage, program.Load: LoadImage}
}

func (e *Engine) loadProgram(ctx context.Context, name program.Name) (string, error) {
	variable := givenImages()[name]
	if given := os.Getenv(variable); given != "" {
		found, err := e.HasImage(ctx, given)
		if err == nil && !found {
			err = e.Pull(ctx, given)
		}
		if err != nil {
			return "", fmt.Errorf("use %s: %w", variable, err)
		}
		return given, nil
	}
	binary, reference, err := e.program(ctx, name)
	if err != nil {
		return "", err
	}
	if found, err := e.HasImage(ctx, reference); err != nil || found {
		return reference, err
	}
	if err := e.load(ctx, name, binary, reference); err != nil {
		return "", err
	}
	// Former versions had one image, of gameday itself.
	return reference, e.removeFormer(ctx, reference, repositoryOf(name), "gameday/self")
}

// program is a program for the engine's architecture, and the reference of its image.
func (e *Engine) program(ctx context.Context, name program.Name) (binary []byte, reference string, err error) {
	if binary, err = name.Binary(ctx, e.arch); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(binary)
	return binary, repositoryOf(name) + ":" + hex.EncodeToString(sum[:8]), nil
}

func repositoryOf(name program.Name) string {
	return "gameday/" + strings.TrimPrefix(string(name), "gameday-")
}

// load makes the image of a program on the engine.
func (e *Engine) load(ctx context.Context, name program.Name, binary []byte, reference string) error {
	archive, err := programArchive(string(name), binary, reference, e.arch)
	if err != nil {
		return fmt.Errorf("pack image %s: %w", reference, err)
	}
	response, err := e.client.ImageLoad(ctx, archive, client.ImageLoadWithQuiet(true))
	if err != nil {
		return fmt.Errorf("load image %s: %w", reference, err)
	}
	defer response.Body.Close()
	return streamError("load image "+reference, response.Body, nil)
}

// removeFormer removes the images of repositories that a newer one has replaced. One that
// a container uses stays, until the next version replaces it.
func (e *Engine) removeFormer(ctx context.Context, newer string, repositories ...string) error {
	former := filters.NewArgs()
	for _, r := range repositories {
		former.Add("reference", r)
	}
	found, err := e.client.ImageList(ctx, image.ListOptions{Filters: former})
	if err != nil {
		return fmt.Errorf("look for former images: %w", err)
	}
	for _, i := range found {
		for _, tag := range i.RepoTags {
			if tag == newer {
				continue
			}
			_, err := e.client.ImageRemove(ctx, tag, image.RemoveOptions{PruneChildren: true})
			if err != nil && !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
				return fmt.Errorf("remove former image %s: %w", tag, err)
			}
		}
	}
	return nil
}

// HasImage reports whether the engine has an image.
func (e *Engine) HasImage(ctx context.Context, reference string) (bool, error) {
	_, err := e.client.ImageInspect(ctx, reference)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for image %s: %w", reference, err)
	}
	return true, nil
}

// programArchive is the image as `docker save` would write it: the same bytes for
// the same program, hence the same image id on every engine.
func programArchive(name string, binary []byte, reference, arch string) (io.Reader, error) {
	layer, err := tarball(file{name, 0o755, binary})
	if err != nil {
		return nil, err
	}
	diffID := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{
		"created":      "1970-01-01T00:00:00Z",
		"os":           "linux",
		"architecture": arch,
		"config":       map[string]any{"Entrypoint": []string{"/" + name}, "Labels": map[string]string{"gameday.program": name}},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(diffID[:])}},
	})
	if err != nil {
		return nil, err
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{reference}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return nil, err
	}
	archive, err := tarball(file{"config.json", 0o644, config}, file{"layer.tar", 0o644, layer}, file{"manifest.json", 0o644, manifest})
	return bytes.NewReader(archive), err
}

type file struct {
	name string
	mode int64
	data []byte
}

func tarball(files ...file) ([]byte, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data)), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return archive.Bytes(), err
}

// streamError reads an answer of JSON messages to its end: an engine that has
// begun to answer sends an error inside of it. on, if not nil, receives each
// message's text.
func streamError(doing string, body io.Reader, on func(text string)) error {
	decoder := json.NewDecoder(body)
	for {
		var message struct {
			Stream, Status, Error string
			ErrorDetail           struct{ Message string }
		}
		switch err := decoder.Decode(&message); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s: read the engine's answer: %w", doing, err)
		case message.Error+message.ErrorDetail.Message != "": // engines are about to leave the first out
			return fmt.Errorf("%s: %s", doing, cmp.Or(message.ErrorDetail.Message, message.Error))
		case on != nil && message.Stream+message.Status != "":
			on(message.Stream + message.Status)
		}
	}
}
