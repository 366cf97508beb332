package helper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestWhatStaysFree(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	for name, c := range map[string]struct {
		fill Fill
		room room
		keep uint64
		want string // of the error
	}{
		"nothing":                     {Fill{}, room{free: gib, whole: 2 * gib}, 0, ""},
		"bytes":                       {Fill{Leave: 1 << 20}, room{free: gib, whole: 2 * gib}, 1 << 20, ""},
		"a share":                     {Fill{LeaveShare: 0.25}, room{free: gib, whole: 2 * gib}, gib / 2, ""},
		"the greater: a share":        {Fill{Leave: 1 << 20, LeaveShare: 0.25}, room{free: gib, whole: 2 * gib}, gib / 2, ""},
		"the greater: bytes":          {Fill{Leave: gib - 1, LeaveShare: 0.25}, room{free: gib, whole: 2 * gib}, gib - 1, ""},
		"less is free already":        {Fill{Leave: 2 * gib}, room{free: gib, whole: 2 * gib}, 0, "has only 1073741824 bytes free, and 2147483648 must stay free"},
		"just that is free":           {Fill{Leave: gib}, room{free: gib, whole: 2 * gib}, 0, "must stay free"},
		"it is full":                  {Fill{}, room{whole: 2 * gib}, 0, "has only 0 bytes free"},
		"the host's":                  {Fill{Leave: 1 << 20}, room{free: gib, whole: 2 * gib, host: true}, 0, "is on the host's own file system"},
		"the host's, allowed":         {Fill{Host: true}, room{free: gib, whole: 2 * gib, host: true}, 2 * gib / 10, ""},
		"the host's, with more left":  {Fill{Host: true, LeaveShare: 0.4}, room{free: gib, whole: 2 * gib, host: true}, 858993459, ""},
		"the host's, nearly full":     {Fill{Host: true}, room{free: gib / 10, whole: 2 * gib, host: true}, 0, "free, and 214748364 must stay free"},
		"allowed, and not the host's": {Fill{Host: true}, room{free: gib, whole: 2 * gib}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.fill.Path = "/data"
			keep, err := c.fill.reserve(c.room)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "/data ") {
					t.Errorf("%v, expected %q", err, c.want)
				}
				return
			}
			if err != nil || keep != c.keep {
				t.Errorf("%d stay free (%v), expected %d", keep, err, c.keep)
			}
		})
	}
}

// Whatever is asked for, a tenth of the host's own file system stays free.
func TestTheHostsTenth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Uint64Range(0, 1<<50).Draw(t, "whole")
		r := room{whole: whole, free: rapid.Uint64Range(0, whole).Draw(t, "free"), host: true}
		f := Fill{Host: rapid.Bool().Draw(t, "host"), Leave: rapid.Uint64Range(0, 1<<51).Draw(t, "leave"), LeaveShare: rapid.Float64Range(0, 1).Draw(t, "share")}
		keep, err := f.reserve(r)
		switch {
		case !f.Host && err == nil:
			t.Fatal("the host's own file system would be filled")
		case err == nil && keep < whole/10:
			t.Fatalf("%d of %d would stay free", keep, whole)
		case err == nil && keep >= r.free:
			t.Fatalf("there is nothing to fill, and it is accepted")
		}
	})
}

// made is a disk of the test's own.
type made struct {
	free, whole int64
	reserved    int64 // of what is free: not for this file
	extra       int64 // what the file system takes for itself for each growth
	thin        bool  // it says yes and takes nothing
	freed       int64 // what another process gives back after each growth
	err         error // of growing
	spaceErr    error
	size        int64
	grown       int
	closed      int
}

func (d *made) space() (free, whole uint64, err error) {
	return uint64(max(d.free, 0)), uint64(d.whole), d.spaceErr
}

func (d *made) grow(size, by int64) error {
	d.grown++
	switch {
	case size != d.size:
		return fmt.Errorf("the file has %d bytes, and should have %d", d.size, size)
	case d.err != nil:
		return d.err
	case d.thin:
		d.size += by
		return nil
	case by > d.free-d.reserved:
		return unix.ENOSPC
	}
	d.size += by
	d.free -= by + d.extra
	d.free += d.freed
	d.freed = 0
	return nil
}

func (d *made) Close() error {
	d.closed++
	if d.closed > 1 {
		return os.ErrClosed
	}
	return nil
}

func TestFilling(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for name, c := range map[string]struct {
		disk made
		keep uint64
		free int64 // in the end, at most
		want string
	}{
		"to the last byte":                     {made{free: 100 * mib, whole: 200 * mib}, 0, 0, ""},
		"up to what stays":                     {made{free: 100 * mib, whole: 200 * mib}, 10 * mib, 10 * mib, ""},
		"it is so already":                     {made{free: 10 * mib, whole: 200 * mib}, 10 * mib, 10 * mib, ""},
		"the file system takes some itself":    {made{free: 100 * mib, whole: 200 * mib, extra: 5000}, mib, mib, ""},
		"another process frees some meanwhile": {made{free: 100 * mib, whole: 200 * mib, freed: 30 * mib}, mib, mib, ""},
		"a part is not for us":                 {made{free: 100 * mib, whole: 200 * mib, reserved: 600_000}, 0, 700_000, ""},
		"a great part is not for us":           {made{free: 100 * mib, whole: 200 * mib, reserved: 50 * mib}, 0, 51 * mib, "bytes are free, and 0 should be"},
		"it takes nothing":                     {made{free: 100 * mib, whole: 200 * mib, thin: true}, 0, 100 * mib, "104857600 bytes are free, and 0 should be"},
		"the disk is broken":                   {made{free: 100 * mib, whole: 200 * mib, err: unix.EIO}, 0, 100 * mib, "fill the disk: input/output error"},
		"a quota":                              {made{free: 100 * mib, whole: 200 * mib, err: unix.EDQUOT}, 0, 100 * mib, "fill the disk: disk quota exceeded"},
		"it cannot be looked at":               {made{spaceErr: unix.ESTALE}, 0, 0, "stale file handle"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := c.disk
			e := &filled{disk: &disk, keep: c.keep}
			reply, err := e.status()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, expected %q", err, c.want)
			}
			if disk.free > c.free || disk.free < min(int64(c.keep), c.disk.free)-c.disk.extra {
				t.Errorf("%d bytes are free, expected %d", disk.free, c.free)
			}
			if disk.grown > 200 {
				t.Errorf("it was grown %d times", disk.grown)
			}
			if err == nil && reply.Bytes != uint64(disk.size) {
				t.Errorf("it says that it has %d bytes, and has %d", reply.Bytes, disk.size)
			}
		})
	}
}

// What another process frees while the disk is full is taken too, by the next
// look.
func TestWhatIsFreedIsTaken(t *testing.T) {
	t.Parallel()
	disk := &made{free: 100 << 20, whole: 200 << 20}
	e := &filled{disk: disk, keep: 1 << 20}
	for range 5 {
		if _, err := e.status(); err != nil || disk.free != 1<<20 {
			t.Fatalf("%d are free: %v", disk.free, err)
		}
		disk.free += 7 << 20
	}
	if err := errors.Join(e.undo(), e.undo()); err != nil || disk.closed != 2 {
		t.Errorf("undone twice: %v", err)
	}
}

// On a real file system: a file without a name takes space, and gives it back.
func TestAFileWithoutAName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, err := nameless(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := onDisk{file: file, dir: dir}
	for _, by := range []int64{4096, 1, 3 << 20} {
		info, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.grow(info.Size(), by); err != nil {
			t.Fatal(err)
		}
		after, err := file.Stat()
		if err != nil || after.Size() != info.Size()+by {
			t.Errorf("it had %d bytes, was to grow by %d, and has %d (%v)", info.Size(), by, after.Size(), err)
		}
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) > 0 {
		t.Errorf("it has a name: %v, %v", names, err)
	}
	if names, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(names) > 0 {
		t.Errorf("it has a name: %v, %v", names, err)
	}
	free, whole, err := d.space()
	if err != nil || whole == 0 || free > whole {
		t.Errorf("%d of %d are free: %v", free, whole, err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := space(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("there is space nowhere")
	}
	if _, err := nameless(filepath.Join(dir, "nowhere")); err == nil || !strings.Contains(err.Error(), "create a file in the target") {
		t.Errorf("%v", err)
	}
}

// The same file system is told by what it is, and another from it.
func TestDevices(t *testing.T) {
	t.Parallel()
	here, err := deviceOf(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	again, err := deviceOf(t.TempDir())
	if err != nil || again != here {
		t.Errorf("%+v and %+v are one, %v", here, again, err)
	}
	proc, err := deviceOf("/proc")
	if err != nil || proc == here {
		t.Errorf("%+v and %+v are two, %v", here, proc, err)
	}
	if _, err := deviceOf("/nowhere"); err == nil {
		t.Error("nowhere is a file system")
	}
}

// The folder of the target, whatever is asked for, lies in the target.
func TestTheFolderIsInTheTarget(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/data": "/proc/1/root/data", "/": "/proc/1/root", "data": "/proc/1/root/data",
		"/../../etc": "/proc/1/root/etc", "../../../etc": "/proc/1/root/etc", "/data/../../x/": "/proc/1/root/x",
	} {
		if got := (&Fill{Path: path}).dir(); got != want {
			t.Errorf("%s is %s, expected %s", path, got, want)
		}
	}
}
