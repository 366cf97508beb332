package fault_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// fileBox is a component in memory with one file, and the helper beside it.
type fileBox struct {
	session *helper.Session

	mu   sync.Mutex
	file helper.FileSeen
}

func newFileBox(t *testing.T, file helper.FileSeen) *fileBox {
	t.Helper()
	b := &fileBox{file: file}
	ours, theirs := net.Pipe()
	var ended sync.WaitGroup
	ended.Go(func() {
		defer theirs.Close()
		b.serve(theirs)
	})
	var err error
	if b.session, err = helper.Open(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = b.session.Close()
		ended.Wait()
	})
	return b
}

// serve answers as a helper does.
func (b *fileBox) serve(c io.ReadWriter) {
	answers := json.NewEncoder(c)
	if answers.Encode(helper.Reply{Version: helper.Version, At: time.Now()}) != nil {
		return
	}
	for lines := bufio.NewScanner(c); lines.Scan(); {
		var r helper.Request
		var order helper.File
		reply := helper.Reply{}
		if err := errors.Join(json.Unmarshal(lines.Bytes(), &r), json.Unmarshal(r.Work["file"], &order)); err != nil {
			reply.Error = err.Error()
		}
		b.mu.Lock()
		switch order.Op {
		case helper.FileRead:
			seen := b.file
			reply.File = &seen
		case helper.FileWrite:
			b.file = *order.Write
		case helper.FileRemove:
			b.file = helper.FileSeen{}
		}
		b.mu.Unlock()
		reply.ID = r.ID
		if answers.Encode(reply) != nil {
			return
		}
	}
}

func (b *fileBox) is() helper.FileSeen {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.file
}

func (b *fileBox) become(file helper.FileSeen) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.file = file
}

func (*fileBox) Look(context.Context) (target.Component, error) {
	return target.Component{ID: "1", Name: "lb", State: target.Running, Started: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

func (b *fileBox) Attach(context.Context, helper.Power) (*helper.Session, error) {
	return b.session, nil
}

func (b *fileBox) Attached(context.Context, helper.Power) (*helper.Session, bool) {
	return b.session, true
}

func (*fileBox) Evict(context.Context) error { return nil }

func (*fileBox) Supports(context.Context, helper.Features) error { return nil }

func certificate() helper.FileSeen {
	return helper.FileSeen{Exists: true, Content: []byte("the certificate"), Mode: 0o640, UID: 33, GID: 44, Links: 1}
}

// An undoing that was cut off has left a part of the content, or all of it and
// neither owner nor mode: the next one goes on with it. What another process has
// put there meanwhile is left alone.
func TestAFileThatWasHalfPutBack(t *testing.T) {
	t.Parallel()
	with := func(change func(*helper.FileSeen)) helper.FileSeen {
		f := certificate()
		change(&f)
		return f
	}
	half := with(func(f *helper.FileSeen) { f.Content, f.Mode, f.UID, f.GID = f.Content[:5], 0o640, 0, 0 })
	bare := with(func(f *helper.FileSeen) { f.UID, f.GID = 0, 0 })
	strict := with(func(f *helper.FileSeen) { f.Mode = 0o600 })
	empty := with(func(f *helper.FileSeen) { f.Content = nil })
	renewed := with(func(f *helper.FileSeen) { f.Content = []byte("a renewed certificate") })
	for name, c := range map[string]struct {
		fault *fault.File
		found helper.FileSeen
		back  bool
	}{
		"removed, half of it is back":      {&fault.File{Path: "/x", Do: "remove"}, half, true},
		"removed, it has no owner yet":     {&fault.File{Path: "/x", Do: "remove"}, bare, true},
		"removed, it has no mode yet":      {&fault.File{Path: "/x", Do: "remove"}, strict, true},
		"removed, it is empty":             {&fault.File{Path: "/x", Do: "remove"}, empty, true},
		"removed, renewed":                 {&fault.File{Path: "/x", Do: "remove"}, renewed, false},
		"corrupted, half of it is back":    {&fault.File{Path: "/x", Do: "corrupt"}, half, true},
		"corrupted, it has no owner yet":   {&fault.File{Path: "/x", Do: "corrupt"}, bare, true},
		"corrupted, renewed":               {&fault.File{Path: "/x", Do: "corrupt"}, renewed, false},
		"corrupted, removed by another":    {&fault.File{Path: "/x", Do: "corrupt"}, helper.FileSeen{}, false},
		"replaced, half of the other":      {&fault.File{Path: "/x", Do: "replace", Content: "an expired one"}, with(func(f *helper.FileSeen) { f.Content = []byte("an exp") }), true},
		"replaced, half of it is back":     {&fault.File{Path: "/x", Do: "replace", Content: "an expired one"}, half, true},
		"replaced, renewed":                {&fault.File{Path: "/x", Do: "replace", Content: "an expired one"}, renewed, false},
		"another mode, as the fault did":   {&fault.File{Path: "/x", Do: "chmod", Mode: "0600"}, strict, true},
		"another mode, changed by another": {&fault.File{Path: "/x", Do: "chmod", Mode: "0400"}, strict, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFileBox(t, certificate())
			was, err := c.fault.Prepare(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(c.fault.Inject(t.Context(), b, was), c.fault.InForce(t.Context(), b, was)); err != nil {
				t.Fatal(err)
			}
			b.become(c.found)
			want := c.found
			if c.back {
				want = certificate()
			}
			for range 2 {
				if err := c.fault.Revert(t.Context(), b, was); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(want, b.is()); diff != "" {
					t.Errorf("(-expected +is)\n%s", diff)
				}
			}
		})
	}
}

// A file that could not be put back with all that stands beside it is refused
// before anything is touched.
func TestAFileThatCouldNotBePutBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do     string
		change func(*helper.FileSeen)
		want   string
	}{
		"two names, removed":   {"remove", func(f *helper.FileSeen) { f.Links = 2 }, "/x has 2 hard links"},
		"two names, corrupted": {"corrupt", func(f *helper.FileSeen) { f.Links = 2 }, ""},
		"capabilities":         {"corrupt", func(f *helper.FileSeen) { f.Unkept = []string{"security.capability"} }, "/x has extended attributes that the revert could not restore: security.capability"},
		"an access list":       {"remove", func(f *helper.FileSeen) { f.Extended = map[string][]byte{"system.posix_acl_access": {1}} }, ""},
		"it is not there":      {"remove", func(f *helper.FileSeen) { *f = helper.FileSeen{} }, "/x: file does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := certificate()
			c.change(&file)
			b := newFileBox(t, file)
			f := &fault.File{Path: "/x", Do: c.do}
			was, err := f.Prepare(t.Context(), b)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, expected %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(f.Inject(t.Context(), b, was), f.Revert(t.Context(), b, was)); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(file, b.is()); diff != "" {
				t.Errorf("(-was +is)\n%s", diff)
			}
		})
	}
}
