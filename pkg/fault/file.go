package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// File removes, replaces or corrupts a file of a component, such as a certificate, and
// restores it with owner, mode and times. A process that has already read the file may not
// notice.
type File struct {
	Path    string `json:"path" yaml:"path" jsonschema:"required" jsonschema_description:"The absolute path of the file in the component."`
	Do      string `json:"do" yaml:"do" jsonschema:"required,enum=remove,enum=corrupt,enum=replace,enum=chmod" jsonschema_description:"remove: remove the file; corrupt: invert every byte; replace: replace the content; chmod: change the mode."`
	Content string `json:"content,omitempty" yaml:"content,omitempty" jsonschema_description:"The new content, for do: replace."`
	Mode    string `json:"mode,omitempty" yaml:"mode,omitempty" jsonschema_description:"The new mode in octal, such as 0000, for do: chmod."`
}

var (
	_ Fault     = (*File)(nil)
	_ Outliving = (*File)(nil)
	_ Verifier  = (*File)(nil)
	_ Warmer    = (*File)(nil)
	_ Checker   = (*File)(nil)
)

// fileState is what Revert needs: the whole file.
type fileState struct {
	life
	File helper.FileSeen `json:"file"`
}

// Check implements [Checker].
func (f *File) Check() error {
	_, err := f.mode()
	switch {
	case !path.IsAbs(f.Path):
		return errors.New("path: expected an absolute path in the component")
	case f.Do == "chmod" && err != nil:
		return fmt.Errorf("mode: found %q, expected an octal mode such as 0000", f.Mode)
	case f.Do != "replace" && f.Content != "":
		return errors.New("content: only allowed with do: replace")
	case f.Do != "chmod" && f.Mode != "":
		return errors.New("mode: only allowed with do: chmod")
	case f.Do != "remove" && f.Do != "corrupt" && f.Do != "replace" && f.Do != "chmod":
		return fmt.Errorf("do: found %q, expected remove, corrupt, replace or chmod", f.Do)
	}
	return nil
}

func (f *File) mode() (uint32, error) {
	m, err := strconv.ParseUint(f.Mode, 8, 12)
	return uint32(m), err
}

// broken is the file with the fault in force.
func (f *File) broken(was helper.FileSeen) helper.FileSeen {
	now := was
	switch f.Do {
	case "remove":
		return helper.FileSeen{}
	case "corrupt":
		now.Content = make([]byte, len(was.Content))
		for i, b := range was.Content {
			now.Content[i] = ^b
		}
	case "replace":
		now.Content = []byte(f.Content)
	case "chmod":
		now.Mode, _ = f.mode() // Check has validated it
	}
	return now
}

// Prepare reads the file.
func (f *File) Prepare(ctx context.Context, h target.Handle) (State, error) {
	var state fileState
	var err error
	if state.life, err = lifeNow(ctx, h); err != nil {
		return nil, err
	}
	if state.File, err = f.read(ctx, h); err != nil {
		return nil, err
	}
	if !state.File.Exists {
		return nil, fmt.Errorf("%s: %w", f.Path, fs.ErrNotExist)
	}
	if f.Do == "remove" && state.File.Links > 1 {
		return nil, fmt.Errorf("%s has %d hard links, which the revert could not restore: use do: corrupt, replace or chmod", f.Path, state.File.Links)
	}
	if unkept := state.File.Unkept; len(unkept) > 0 {
		return nil, fmt.Errorf("%s has extended attributes that the revert could not restore: %s: choose another file", f.Path, strings.Join(unkept, ", "))
	}
	if sameFile(state.File, f.broken(state.File)) {
		return nil, fmt.Errorf("%s is already as do: %s would leave it, so the fault would change nothing", f.Path, f.Do)
	}
	return json.Marshal(state)
}

// Warm starts the helper.
func (f *File) Warm(ctx context.Context, h target.Handle) error {
	_, err := attach(ctx, h, helper.Files)
	return err
}

// Inject removes or changes the file.
func (f *File) Inject(ctx context.Context, h target.Handle, was State) error {
	state, err := stateOf[fileState](was)
	if err != nil {
		return err
	}
	return f.write(ctx, h, f.broken(state.File))
}

// InForce returns nil while the file is as Inject left it.
func (f *File) InForce(ctx context.Context, h target.Handle, was State) error {
	state, err := stateOf[fileState](was)
	if err != nil {
		return err
	}
	now, err := f.read(ctx, h)
	if err != nil {
		return err
	}
	if !sameFile(now, f.broken(state.File)) {
		return fmt.Errorf("%w: %s has changed since the injection", ErrNotInForce, f.Path)
	}
	return nil
}

// Revert restores the file. It does not touch a file that another process has written
// since, such as a renewed certificate. A file with only the start of the fault's content
// is the fault's: the write was interrupted.
func (f *File) Revert(ctx context.Context, h target.Handle, was State) error {
	state, err := stateOf[fileState](was)
	if err != nil {
		return err
	}
	now, err := f.read(ctx, h)
	if err != nil {
		return err
	}
	if sameFile(now, state.File) && now.UID == state.File.UID && now.GID == state.File.GID || !f.left(now, state.File) {
		return nil
	}
	return f.write(ctx, h, state.File)
}

// left reports whether a file is as the fault made it, or as an interrupted injection or
// revert left it: a part of the content, or all of it without its owner and mode.
func (f *File) left(now, was helper.FileSeen) bool {
	ours := f.broken(was)
	if sameFile(now, ours) || partOf(now, ours) {
		return true
	}
	return f.Do != "chmod" && now.Exists && (partOf(now, was) || bytes.Equal(now.Content, was.Content))
}

// partOf reports whether the write of a file was interrupted.
func partOf(now, whole helper.FileSeen) bool {
	return now.Exists && len(now.Content) < len(whole.Content) && bytes.HasPrefix(whole.Content, now.Content)
}

// sameFile compares the attributes that a fault changes.
func sameFile(a, b helper.FileSeen) bool {
	return a.Exists == b.Exists && bytes.Equal(a.Content, b.Content) && a.Mode == b.Mode
}

func (f *File) read(ctx context.Context, h target.Handle) (helper.FileSeen, error) {
	reply, err := f.do(ctx, h, helper.File{Path: f.Path, Op: helper.FileRead})
	if err != nil {
		return helper.FileSeen{}, err
	}
	if reply.File == nil {
		return helper.FileSeen{}, errors.New("the helper's reply has no file")
	}
	return *reply.File, nil
}

func (f *File) write(ctx context.Context, h target.Handle, as helper.FileSeen) error {
	order := helper.File{Path: f.Path, Op: helper.FileWrite, Write: &as}
	if !as.Exists {
		order = helper.File{Path: f.Path, Op: helper.FileRemove}
	}
	_, err := f.do(ctx, h, order)
	return err
}

func (f *File) do(ctx context.Context, h target.Handle, order helper.File) (helper.Reply, error) {
	session, err := attach(ctx, h, helper.Files)
	if err != nil {
		return helper.Reply{}, err
	}
	return session.Do(ctx, &order)
}

// Reaches implements [Reaching].
func (*File) Reaches() target.Namespace { return target.ProcessNamespace }

// OutlivesComponent implements [Outliving].
func (*File) OutlivesComponent() {}
