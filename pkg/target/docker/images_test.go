package docker_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/program"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// unpacked are the files of a tar, by name, and their modes.
func unpacked(t *testing.T, archive io.Reader) (files map[string]string, modes map[string]int64) {
	t.Helper()
	files, modes = map[string]string{}, map[string]int64{}
	for r := tar.NewReader(archive); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, modes
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := files[header.Name]; twice || header.Typeflag != tar.TypeReg || !header.ModTime.IsZero() && header.ModTime.Unix() != 0 {
			t.Errorf("%+v", header)
		}
		files[header.Name], modes[header.Name] = string(data), header.Mode
	}
}

func packed(t *testing.T, binary, reference, arch string) []byte {
	t.Helper()
	archive, err := docker.ProgramArchive("gameday-helper", []byte(binary), reference, arch)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(archive)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The same binary is the same image, byte by byte, on every engine and every day.
func TestProgramArchiveIsReproducible(t *testing.T) {
	t.Parallel()
	first := packed(t, "binary", "gameday/helper:1", "amd64")
	for name, c := range map[string]struct {
		again []byte
		same  bool
	}{
		"packed again":      {packed(t, "binary", "gameday/helper:1", "amd64"), true},
		"another binary":    {packed(t, "binary2", "gameday/helper:1", "amd64"), false},
		"another reference": {packed(t, "binary", "gameday/helper:2", "amd64"), false},
		"another machine":   {packed(t, "binary", "gameday/helper:1", "arm64"), false},
	} {
		if bytes.Equal(first, c.again) != c.same {
			t.Errorf("%s: is the same: %t, expected %t", name, !c.same, c.same)
		}
	}
}

// The archive is one of docker save, with one layer, whose digest is right.
func TestProgramArchive(t *testing.T) {
	t.Parallel()
	for name, binary := range map[string]string{"a binary": strings.Repeat("\x7fELF", 5000), "a short one": "x", "none": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, _ := unpacked(t, bytes.NewReader(packed(t, binary, "gameday/helper:0123", "arm64")))
			if len(files) != 3 {
				t.Errorf("%d files", len(files))
			}
			var manifest []struct {
				Config           string
				RepoTags, Layers []string
			}
			decode(t, files["manifest.json"], &manifest)
			if len(manifest) != 1 || len(manifest[0].Layers) != 1 || manifest[0].RepoTags[0] != "gameday/helper:0123" {
				t.Fatalf("%+v", manifest)
			}
			layer, ok := files[manifest[0].Layers[0]]
			if !ok {
				t.Fatalf("there is no layer %s", manifest[0].Layers[0])
			}
			var config struct {
				Created, OS, Architecture string
				Config                    struct {
					Entrypoint []string
					Labels     map[string]string
				}
				RootFS struct {
					Type    string
					DiffIDs []string `json:"diff_ids"`
				}
			}
			decode(t, files[manifest[0].Config], &config)
			digest := sha256.Sum256([]byte(layer))
			if diff := cmp.Diff([]string{"sha256:" + hex.EncodeToString(digest[:])}, config.RootFS.DiffIDs); diff != "" || config.RootFS.Type != "layers" {
				t.Error(diff)
			}
			if config.OS != "linux" || config.Architecture != "arm64" || config.Created != "1970-01-01T00:00:00Z" ||
				!cmp.Equal(config.Config.Entrypoint, []string{"/gameday-helper"}) || config.Config.Labels["gameday.program"] != "gameday-helper" {
				t.Errorf("%+v", config)
			}
			content, modes := unpacked(t, strings.NewReader(layer))
			if len(content) != 1 || content["gameday-helper"] != binary || modes["gameday-helper"] != 0o755 {
				t.Errorf("%d files, modes %v", len(content), modes)
			}
		})
	}
}

func TestHasImage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		has    bool
		says   string
	}{
		"there":     {http.StatusOK, `{"Id":"sha256:1","RepoTags":["shop/db:1"]}`, true, ""},
		"not there": {http.StatusNotFound, `{"message":"No such image: shop/db:1"}`, false, ""},
		"not known": {http.StatusInternalServerError, `{"message":"layer does not exist"}`, false, "layer does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Answer("GET /images/shop/db:1/json", c.status, c.body)
			got, err := e.open().HasImage(t.Context(), "shop/db:1")
			if got != c.has || (err == nil) != (c.says == "") {
				t.Errorf("%t %v", got, err)
			}
			if err != nil {
				wants(t, err, "look for image shop/db:1: ", c.says)
			}
		})
	}
}

// What the engine is sent to build is the folder, and it is told the tag and the
// arguments.
func TestBuild(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Answer("POST /build", http.StatusOK, `{"stream":"Step 1/2 : FROM base"}{"stream":"\n"}{"stream":" ---> 0123\n"}{"stream":"Step 2/2 : COPY . ."}{"aux":{"ID":"sha256:1"}}{"stream":"Successfully built 0123\n"}`)
	e.Answer("GET /images/json", http.StatusOK, `[]`)
	folder := fstest.MapFS{"Dockerfile": {Data: []byte("FROM base\n")}, "conf/db.conf": {Data: []byte("port 1\n")}, "empty": {}}
	var steps []string
	err := e.open().Build(t.Context(), "shop/db:1", folder, map[string]string{"BASE": "debian", "WITH": ""}, func(s string) { steps = append(steps, s) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Step 1/2 : FROM base", "Step 2/2 : COPY . ."}, steps); diff != "" {
		t.Error(diff)
	}
	sent := e.Questions("POST", "/build")[0]
	files, _ := unpacked(t, strings.NewReader(sent.Body))
	if diff := cmp.Diff(map[string]string{"Dockerfile": "FROM base\n", "conf/db.conf": "port 1\n", "empty": ""}, files); diff != "" {
		t.Error(diff)
	}
	query, err := url.ParseQuery(sent.Query)
	if err != nil || query.Get("t") != "shop/db:1" || query.Get("rm") == "0" || query.Get("forcerm") != "1" {
		t.Errorf("%v %v", query, err)
	}
	var args map[string]string
	decode(t, query.Get("buildargs"), &args)
	if diff := cmp.Diff(map[string]string{"BASE": "debian", "WITH": ""}, args); diff != "" {
		t.Error(diff)
	}
}

// An image that is given is used as it is, and pulled if it is not there.
func TestGivenImages(t *testing.T) { //nolint:paralleltest // it sets variables
	for name, variable := range map[program.Name]string{program.Helper: docker.HelperImage, program.Load: docker.LoadImage} {
		given := "registry.example/" + string(name) + ":1"
		t.Setenv(variable, given)
		e := newFakeEngine(t)
		e.Answer("GET /images/"+given+"/json", http.StatusOK, `{"Id":"sha256:1"}`)
		if reference, err := e.open().ProgramImage(t.Context(), name); err != nil || reference != given {
			t.Errorf("there: %s, %v", reference, err)
		}
		e.Answer("GET /images/"+given+"/json", http.StatusNotFound, `{"message":"No such image"}`)
		e.Answer("POST /images/create", http.StatusOK, `{"status":"Pulling"}`)
		if reference, err := e.open().ProgramImage(t.Context(), name); err != nil || reference != given {
			t.Errorf("pulled: %s, %v", reference, err)
		}
		e.Answer("POST /images/create", http.StatusOK, `{"error":"manifest unknown"}`)
		_, err := e.open().ProgramImage(t.Context(), name)
		wants(t, err, "use "+variable+": ", "manifest unknown")
	}
}

// Images that a newer one has replaced are removed, but for those that are in use. They
// are asked for by name: those of other programs and labs stay.
func TestFormerImages(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Answer("POST /build", http.StatusOK, `{"stream":"Successfully built 0123\n"}`)
	e.Answer("GET /images/json", http.StatusOK, `[{"Id":"sha256:1","RepoTags":["shop/db:2"]},{"Id":"sha256:2","RepoTags":["shop/db:1"]},{"Id":"sha256:3","RepoTags":["shop/db:0"]}]`)
	e.Answer("DELETE /images/shop/db:1", http.StatusConflict, `{"message":"image is being used by running container 0123"}`)
	e.Answer("DELETE /images/shop/db:0", http.StatusOK, `[]`)
	env := e.open()
	if err := env.Build(t.Context(), "shop/db:2", fstest.MapFS{}, nil, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if asked := e.Questions("GET", "/images/json"); len(asked) != 1 || !strings.Contains(asked[0].Query, url.QueryEscape(`{"reference":{"shop/db":true}}`)) {
		t.Errorf("%+v", asked)
	}
	for _, tag := range []string{"0", "1"} {
		if removed := e.Questions("DELETE", "/images/shop/db:"+tag); len(removed) != 1 || strings.Contains(removed[0].Query, "force=1") {
			t.Errorf("%s: %+v", tag, removed)
		}
	}
	e.Answer("DELETE /images/shop/db:0", http.StatusInternalServerError, `{"message":"layer is broken"}`)
	wants(t, env.Build(t.Context(), "shop/db:2", fstest.MapFS{}, nil, func(string) {}), "remove former image shop/db:0: ", "layer is broken")
}

// A build's error carries the last of what the build said.
func TestBuildThatFails(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	for i := range 20 {
		fmt.Fprintf(&said, `{"stream":"line %d\n"}{"stream":"\n"}`, i)
	}
	said.WriteString(`{"errorDetail":{"code":100,"message":"returned a non-zero code: 100"},"error":"returned a non-zero code: 100"}`)
	e := newFakeEngine(t)
	e.Answer("POST /build", http.StatusOK, said.String())
	err := e.open().Build(t.Context(), "shop/db:1", fstest.MapFS{}, nil, func(string) {})
	var last []string
	for i := 10; i < 20; i++ {
		last = append(last, fmt.Sprintf("line %d", i))
	}
	if want := "build shop/db:1: returned a non-zero code: 100\n" + strings.Join(last, "\n"); err == nil || err.Error() != want {
		t.Errorf("%v, expected %s", err, want)
	}
}

func TestImagesRefused(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	env := e.open()
	refused := `{"message":"no space left on device"}`
	e.Answer("POST /images/create", http.StatusInternalServerError, refused)
	e.Answer("POST /build", http.StatusInternalServerError, refused)
	wants(t, env.Pull(t.Context(), "shop/db:1"), "pull shop/db:1: ", "no space left")
	wants(t, env.Import(t.Context(), "shop/db:1", strings.NewReader("")), "import shop/db:1: ", "no space left")
	wants(t, env.Build(t.Context(), "shop/db:1", fstest.MapFS{}, nil, func(string) {}), "build shop/db:1: ", "no space left")
	wants(t, env.Pull(t.Context(), "no such: reference"), "pull no such: reference: ", "invalid reference format")
}

func TestPullAndImport(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	env := e.open()
	e.Answer("POST /images/create", http.StatusOK, `{"status":"sha256:1"}`)
	if err := errors.Join(env.Pull(t.Context(), "debian:bookworm"), env.Import(t.Context(), "gameday/base:1", strings.NewReader("a tar"))); err != nil {
		t.Fatal(err)
	}
	asked := e.Questions("POST", "/images/create")
	pull, imported := asked[0], asked[1]
	if query, err := url.ParseQuery(pull.Query); err != nil || !strings.HasSuffix(query.Get("fromImage"), "debian") || query.Get("tag") != "bookworm" {
		t.Errorf("%s %v", pull.Query, err)
	}
	if query, err := url.ParseQuery(imported.Query); err != nil || query.Get("repo") != "gameday/base:1" || query.Get("fromSrc") != "-" || imported.Body != "a tar" {
		t.Errorf("%+v %v", imported, err)
	}
}
