package helper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// inTarget is the target's file system, seen from a helper in its PID
// namespace.
const inTarget = "/proc/1/root"

// hostShare is how much of the host's own file system always stays free.
const hostShare = 0.1

// filled is a file without a name that fills a file system. Whatever ends the
// helper closes it, and the space is free again.
type filled struct {
	disk disk
	keep uint64 // bytes that stay free
	size int64  // of the file
}

// disk is a file system with a file that grows.
type disk interface {
	// space is what is free for anybody, and the whole, in bytes.
	space() (free, whole uint64, err error)
	// grow makes the file greater, which has the given number of bytes.
	grow(size, by int64) error
	io.Closer
}

var _ lasting = (*Fill)(nil)

func (f *Fill) dir() string { return filepath.Join(inTarget, filepath.Clean("/"+f.Path)) }

// keep is how many bytes stay free, or why it is not filled at all.
func (f *Fill) keep() (uint64, error) {
	free, whole, err := space(f.dir())
	if err != nil {
		return 0, err
	}
	shared, err := sharesHost(f.dir())
	if err != nil {
		return 0, err
	}
	return f.reserve(room{free: free, whole: whole, host: shared})
}

// room is a file system before it is filled.
type room struct {
	free, whole uint64 // bytes
	host        bool   // it is the host's own
}

// reserve is how many bytes of a file system stay free, or why it is not filled
// at all.
func (f *Fill) reserve(r room) (uint64, error) {
	keep := max(f.Leave, uint64(f.LeaveShare*float64(r.whole)))
	if r.host && !f.Host {
		return 0, fmt.Errorf("%s is on the host's own file system: mount a separate volume there, or set host: true", f.Path)
	}
	if r.host {
		keep = max(keep, uint64(hostShare*float64(r.whole)))
	}
	if r.free <= keep {
		return 0, fmt.Errorf("%s has only %d bytes free, and %d must stay free: set a smaller leave or leave_share", f.Path, r.free, keep)
	}
	return keep, nil
}

// try refuses what would not be filled at all.
func (f *Fill) try() error {
	_, err := f.keep()
	return err
}

// mend has nothing to do: the kernel has closed the file of a helper that was
// killed, and it has no name.
func (*Fill) mend() error { return nil }

// begin fills the file system up to what shall stay free.
func (f *Fill) begin(string) (effect, Reply, error) {
	dir := f.dir()
	keep, err := f.keep()
	if err != nil {
		return nil, Reply{}, err
	}
	file, err := nameless(dir)
	if err != nil {
		return nil, Reply{}, err
	}
	e := &filled{disk: onDisk{file: file, dir: dir}, keep: keep}
	reply, err := e.status()
	if err != nil {
		return nil, Reply{}, errors.Join(err, file.Close())
	}
	return e, reply, nil
}

// rounds is how often the free space is looked at and taken. One is enough, but
// for the file system's own needs and for what others free meanwhile. A file
// system that says yes and takes nothing, as those do that compress, would be
// asked for ever.
const rounds = 64

// fill takes what is free above what shall stay so. That the disk is full
// before that is what was wanted.
func (e *filled) fill() error {
	for range rounds {
		free, _, err := e.disk.space()
		if err != nil || free <= e.keep {
			return err
		}
		step := int64(free - e.keep) //nolint:gosec // G115: no disk is so great
		for err = e.disk.grow(e.size, step); errors.Is(err, unix.ENOSPC) && step > 4096; err = e.disk.grow(e.size, step) {
			step /= 2 // another process was quicker, or a part is reserved
		}
		if errors.Is(err, unix.ENOSPC) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("fill the disk: %w", err)
		}
		e.size += step
	}
	return nil
}

// status fills up again what was freed meanwhile.
func (e *filled) status() (Reply, error) {
	if err := e.fill(); err != nil {
		return Reply{}, err
	}
	free, _, err := e.disk.space()
	const slack = 1 << 20
	if err == nil && free > e.keep+slack {
		err = fmt.Errorf("%d bytes are free, and %d should be", free, e.keep)
	}
	return Reply{Bytes: uint64(e.size)}, err //nolint:gosec // G115: a size
}

func (e *filled) undo() error {
	err := e.disk.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil // it was undone before
	}
	return err
}

// onDisk is a real file in a folder of the target.
type onDisk struct {
	file *os.File
	dir  string
}

func (d onDisk) space() (free, whole uint64, err error) { return space(d.dir) }

func (d onDisk) Close() error { return d.file.Close() }

func (d onDisk) grow(size, by int64) error {
	err := unix.Fallocate(int(d.file.Fd()), 0, size, by)
	if !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	// A file system that cannot reserve space is written to.
	zeros := make([]byte, min(by, 1<<20))
	for written := int64(0); written < by; {
		n, err := d.file.WriteAt(zeros[:min(int64(len(zeros)), by-written)], size+written)
		written += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// nameless opens a file that has no name, so that no other process meets it.
func nameless(dir string) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err == nil {
		return os.NewFile(uintptr(fd), dir), nil
	}
	// File systems that lack it: a name for a moment.
	file, createErr := os.CreateTemp(dir, ".gameday-*")
	if createErr != nil {
		return nil, fmt.Errorf("create a file in the target: %w", createErr)
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("remove the name of a file in the target: %w", err), file.Close())
	}
	return file, nil
}

// space is what is free for anybody, and the whole, in bytes.
func space(dir string) (free, whole uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, fmt.Errorf("ask for the space of %s: %w", dir, err)
	}
	block := uint64(s.Bsize) //nolint:gosec // G115: a size
	return s.Bavail * block, s.Blocks * block, nil
}

// sharesHost reports whether a folder lies on the file system of the engine's own
// data. The root of a container does, whichever way the engine stacks its
// layers; so does what is of the same size to the block, as a file system in
// user space is that passes everything on. The files that the engine mounts
// into every container show which one it is.
func sharesHost(dir string) (bool, error) {
	here, err := deviceOf(dir)
	if err != nil {
		return false, err
	}
	root, err := deviceOf(inTarget)
	if err != nil {
		return false, err
	}
	host, err := deviceOf("/etc/hostname")
	return here == root || here == host || here.blocks == host.blocks && here.files == host.files, err
}

// device is a file system, by what tells it from others.
type device struct{ id, blocks, files uint64 }

func deviceOf(path string) (device, error) {
	info, err := os.Stat(path)
	if err != nil {
		return device{}, fmt.Errorf("ask for the file system of %s: %w", path, err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil || !ok {
		return device{}, fmt.Errorf("ask for the file system of %s: %w", path, err)
	}
	return device{id: stat.Dev, blocks: s.Blocks, files: s.Files}, nil
}
