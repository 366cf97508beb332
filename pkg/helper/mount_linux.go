package helper

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// mounted is a mount of the target that was made read-only. The kernel keeps it
// so when the helper is killed; another one can undo it.
type mounted struct{ *Mount }

var _ lasting = (*Mount)(nil)

// try refuses a mount that cannot be written to as it is: undoing would make it
// what it never was.
func (m *Mount) try() error {
	return m.inTarget(func() error {
		flags, err := m.flags()
		if err == nil && flags&unix.ST_RDONLY != 0 {
			err = errors.New(m.Path + " is read-only already")
		}
		return err
	})
}

// begin remounts it read-only, for the target alone.
func (m *Mount) begin(string) (effect, Reply, error) {
	if err := m.try(); err != nil {
		return nil, Reply{}, err
	}
	err := m.remount(unix.MS_RDONLY)
	if errors.Is(err, unix.EBUSY) {
		err = fmt.Errorf("a process of the target has a file of %s open for writing, so that it cannot be made read-only: %w", m.Path, err)
	}
	if err != nil {
		return nil, Reply{}, err
	}
	return mounted{m}, Reply{}, nil
}

func (m mounted) undo() error { return m.mend() }

// mend makes it writable, which it was: a mount that was not is refused.
func (m *Mount) mend() error { return m.remount(0) }

func (m mounted) status() (Reply, error) {
	return Reply{}, m.inTarget(func() error {
		flags, err := m.flags()
		if err == nil && flags&unix.ST_RDONLY == 0 {
			err = errors.New(m.Path + " can be written to")
		}
		return err
	})
}

// remount changes the one flag and keeps the others.
func (m *Mount) remount(readOnly uintptr) error {
	return m.inTarget(func() error {
		was, err := m.flags()
		if err != nil {
			return err
		}
		if err := unix.Mount("", m.Path, "", unix.MS_REMOUNT|unix.MS_BIND|remountFlags(was)|readOnly, ""); err != nil {
			return fmt.Errorf("remount %s (it must be a mount of its own): %w", m.Path, err)
		}
		return nil
	})
}

// stNoSymFollow is ST_NOSYMFOLLOW of the kernel's include/linux/statfs.h.
const stNoSymFollow = 0x2000

// remountFlags are the flags of a mount (statfs(2)) that a remount (mount(2)) must name
// again, or they are lost. The two calls have different numbers for some; and
// where neither noatime nor relatime holds, the kernel makes it relatime unless
// strictatime is asked for.
func remountFlags(was int64) uintptr {
	var flags uintptr
	for _, f := range []struct {
		is int64
		as uintptr
	}{
		{unix.ST_NOSUID, unix.MS_NOSUID},
		{unix.ST_NODEV, unix.MS_NODEV},
		{unix.ST_NOEXEC, unix.MS_NOEXEC},
		{unix.ST_NODIRATIME, unix.MS_NODIRATIME},
		{stNoSymFollow, unix.MS_NOSYMFOLLOW},
	} {
		if was&f.is != 0 {
			flags |= f.as
		}
	}
	switch {
	case was&unix.ST_NOATIME != 0:
		return flags | unix.MS_NOATIME
	case was&unix.ST_RELATIME != 0:
		return flags | unix.MS_RELATIME
	}
	return flags | unix.MS_STRICTATIME
}

func (m *Mount) flags() (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(m.Path, &s); err != nil {
		return 0, fmt.Errorf("look at %s: %w", m.Path, err)
	}
	return s.Flags, nil
}

// inTarget runs something in the target's mount namespace, on a thread that
// ends with it, as there is no way back.
func (m *Mount) inTarget(do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		done <- enter(do)
	}()
	return <-done
}

func enter(do func() error) error {
	namespace, err := os.Open("/proc/1/ns/mnt")
	if err != nil {
		return fmt.Errorf("open the target's mounts: %w", err)
	}
	defer namespace.Close()
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("leave our own mounts: %w", err)
	}
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("enter the target's mounts: %w", err)
	}
	return do()
}
