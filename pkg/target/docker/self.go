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
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/gameday-dev/gameday/internal/self"
)

// selfRepository names the images of gameday's own binary.
const selfRepository = "gameday/self"

// prepareNoticed is how long getting ready may take before it is worth a line.
const prepareNoticed = time.Second

// Prepare implements [target.Preparer]: it makes the image of the helpers. That takes
// minutes if gameday must first be built as a static binary.
func (e *Engine) Prepare(ctx context.Context, progress func(text string)) error {
	slow := time.AfterFunc(prepareNoticed, func() {
		progress("building the image of gameday's helpers (once for each version; it takes minutes if nothing is built yet)")
	})
	defer slow.Stop()
	_, err := e.SelfImage(ctx)
	return err
}

// SelfImage is the reference of an image that holds nothing but gameday's own
// binary, which it loads into the engine if it is not there yet. It is
// tagged by the binary's content, so that another version is another image.
func (e *Engine) SelfImage(ctx context.Context) (string, error) {
	e.self.Lock()
	defer e.self.Unlock()
	if e.image != "" {
		return e.image, nil
	}
	reference, err := e.loadSelf(ctx)
	if err == nil {
		e.image = reference
	}
	return reference, err
}

func (e *Engine) loadSelf(ctx context.Context) (string, error) {
	path, err := self.Binary(ctx, e.arch)
	if err != nil {
		return "", err
	}
	binary, err := os.ReadFile(path) //nolint:gosec // G304: our own binary
	if err != nil {
		return "", fmt.Errorf("read gameday's binary: %w", err)
	}
	sum := sha256.Sum256(binary)
	reference := selfRepository + ":" + hex.EncodeToString(sum[:8])
	if found, err := e.HasImage(ctx, reference); err != nil || found {
		return reference, err
	}
	archive, err := selfArchive(binary, reference, e.arch)
	if err != nil {
		return "", fmt.Errorf("pack gameday's image: %w", err)
	}
	response, err := e.client.ImageLoad(ctx, archive, client.ImageLoadWithQuiet(true))
	if err != nil {
		return "", fmt.Errorf("load gameday's image: %w", err)
	}
	defer response.Body.Close()
	return reference, streamError("load gameday's image", response.Body, nil)
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

// selfArchive is the image as `docker save` would write it: the same bytes for
// the same binary, hence the same image id on every engine.
func selfArchive(binary []byte, reference, arch string) (io.Reader, error) {
	layer, err := tarball(file{"gameday", 0o755, binary})
	if err != nil {
		return nil, err
	}
	diffID := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{
		"created":      "1970-01-01T00:00:00Z",
		"os":           "linux",
		"architecture": arch,
		"config":       map[string]any{"Entrypoint": []string{"/gameday"}, "Labels": map[string]string{"gameday.self": "true"}},
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
