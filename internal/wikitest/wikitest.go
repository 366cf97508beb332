// Package wikitest gives tests a real web site that was not written for gameday: MediaWiki
// (PHP on Apache) with MariaDB, from Debian's packages, as a compose project. A game day in
// it is that of any user: with a gameday.yaml, a journey and a scenario of its own.
package wikitest

import (
	"context"
	"embed"
	"io/fs"
	"os"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker/lab"
)

//go:embed wiki
var files embed.FS

const (
	name    = "wiki"
	project = "gameday-" + name
)

// Wiki is a running wiki.
type Wiki struct {
	URL string // without a slash at its end
	Dir string // a folder of the test with gameday.yaml, journeys/ and scenarios/

	bed *enginetest.Bed
}

// afterwards is a context that outlives the test, for its cleanup.
func (w *Wiki) afterwards() context.Context { return context.WithoutCancel(w.bed.T.Context()) }

// New starts the wiki and waits until it serves. It is removed after the test.
func New(tb testing.TB) *Wiki {
	tb.Helper()
	w := &Wiki{URL: "http://127.0.0.1:18480", Dir: tb.TempDir(), bed: enginetest.New(tb)}
	own, err := fs.Sub(files, name)
	if err == nil {
		err = os.CopyFS(w.Dir, own)
	}
	if err != nil {
		tb.Fatal(err)
	}
	if len(w.Containers()) > 0 {
		tb.Fatalf("the wiki is up already, and a test touches only what it started itself: docker compose -p %s down -v", project)
	}
	enginetest.GuardProject(tb, project)
	wiki := provisioner(w.bed)
	tb.Cleanup(func() {
		if err := wiki.Down(w.afterwards(), target.Lab{Name: name}); err != nil {
			tb.Error(err)
		}
		if left := w.Containers(); len(left) > 0 {
			tb.Errorf("left behind: %v", left)
		}
	})
	image(tb, wiki)
	release := enginetest.Alone(tb)
	defer release()
	if err := wiki.Up(tb.Context(), target.Lab{Name: name}); err != nil {
		tb.Fatal(err)
	}
	return w
}

// Image builds the wiki's image if it is not on the engine, from some 60 MB of packages:
// about a minute on two processors that are free.
func Image(tb testing.TB) {
	tb.Helper()
	image(tb, provisioner(enginetest.New(tb)))
}

func image(tb testing.TB, wiki lab.Provisioner) {
	tb.Helper()
	if _, err := wiki.Image(tb.Context(), name, "debian"); err != nil {
		tb.Fatal(err)
	}
}

func provisioner(bed *enginetest.Bed) lab.Provisioner {
	return lab.Provisioner{
		Labs: lab.Labs{Files: files}, Engine: bed.Env.Engine,
		Progress: target.Progress{Step: func(text string) { bed.T.Log(text) }, Detail: func(string) {}},
	}
}

// Containers are the names of the wiki's containers, and of helpers beside them.
func (w *Wiki) Containers() (names []string) {
	w.bed.T.Helper()
	for _, label := range []string{"com.docker.compose.project=" + project, "gameday.fence=" + project} {
		found, err := w.bed.Client.ContainerList(w.afterwards(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", label))})
		if err != nil {
			w.bed.T.Fatal(err)
		}
		for _, c := range found {
			names = append(names, c.Names...)
		}
	}
	return names
}
