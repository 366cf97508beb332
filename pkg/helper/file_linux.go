package helper

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var _ momentary = (*File)(nil)

// do reads or changes the file.
func (f *File) do() (Reply, error) { return f.in(inTarget) }

// in is do below the root of a file system.
func (f *File) in(root string) (Reply, error) {
	folder, name, err := f.open(root)
	if err != nil {
		return Reply{}, err
	}
	defer folder.Close()
	path := filepath.Join("/proc/self/fd", strconv.Itoa(int(folder.Fd())), name)
	switch f.Op {
	case FileRead:
		seen, err := readFile(path)
		return Reply{File: &seen}, f.wrap(err)
	case FileRemove:
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Reply{}, f.wrap(err)
		}
		return Reply{}, nil
	case FileWrite:
		if f.Write == nil {
			return Reply{}, f.wrap(errors.New("no content given"))
		}
		return Reply{}, f.wrap(writeFile(path, *f.Write))
	}
	return Reply{}, fmt.Errorf("unknown file order %q", f.Op)
}

func (f *File) wrap(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err // its path is ours and means nothing to anybody else
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", f.Op, f.Path, err)
	}
	return nil
}

// open holds the folder of the file, and returns the file's own name there.
// Every symbolic link on the way is the target's and stays inside of it; so
// does the last, of which the file is what it leads to.
func (f *File) open(at string) (folder *os.File, name string, err error) {
	root, err := os.Open(at) //nolint:gosec // G304: the target's
	if err != nil {
		return nil, "", fmt.Errorf("open the target's files: %w", err)
	}
	defer root.Close()
	path := filepath.Clean("/" + f.Path)
	for range 40 { // as many links as the kernel follows
		if path == "/" {
			return nil, "", f.wrap(unix.EISDIR)
		}
		dir, err := inRoot(root, filepath.Dir(path))
		if err != nil {
			return nil, "", f.wrap(err)
		}
		link := filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), filepath.Base(path))
		to, err := os.Readlink(link)
		if err != nil {
			return dir, filepath.Base(path), nil // no link: a file, or nothing yet
		}
		_ = dir.Close()
		if filepath.IsAbs(to) {
			path = filepath.Clean(to)
		} else {
			path = filepath.Join(filepath.Dir(path), to)
		}
	}
	return nil, "", f.wrap(unix.ELOOP)
}

func inRoot(root *os.File, path string) (*os.File, error) {
	fd, err := unix.Openat2(int(root.Fd()), path, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT,
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

func readFile(path string) (FileSeen, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return FileSeen{}, nil
	}
	if err != nil {
		return FileSeen{}, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.Mode().IsRegular():
		return FileSeen{}, errors.New("it is no regular file")
	case info.Size() > MaxFile:
		return FileSeen{}, fmt.Errorf("it has %d bytes, more than the %d that are kept to restore it", info.Size(), MaxFile)
	}
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOATIME, 0) //nolint:gosec // G304: resolved inside the target
	if err != nil {
		return FileSeen{}, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	seen := FileSeen{
		Exists: true, Links: uint64(stat.Nlink), //nolint:unconvert // it has 32 bits on some machines
		Content: content, Mode: stat.Mode & 0o7777, UID: int(stat.Uid), GID: int(stat.Gid),
		Modified: time.Unix(stat.Mtim.Unix()).UTC(), Accessed: time.Unix(stat.Atim.Unix()).UTC(),
	}
	return seen, errors.Join(err, seen.readAttributes(path))
}

// writeFile makes a file what it shall be, in place: a file that is a mount of
// its own cannot be replaced by another.
func writeFile(path string, as FileSeen) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fs.FileMode(as.Mode&0o777)) //nolint:gosec // G304: resolved inside the target
	if err != nil {
		return err
	}
	_, err = file.Write(as.Content)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	// In this order: a change of owner takes setuid away, and the mode has a part
	// in an access control list.
	return errors.Join(
		unix.Lchown(path, as.UID, as.GID),
		setAttributes(path, as.Extended),
		unix.Chmod(path, as.Mode),
		unix.UtimesNano(path, []unix.Timespec{unix.NsecToTimespec(as.Accessed.UnixNano()), unix.NsecToTimespec(as.Modified.UnixNano())}),
	)
}

// readAttributes reads the extended attributes of a file, as far as another file
// in its place does not get them by itself.
func (s *FileSeen) readAttributes(path string) error {
	list := make([]byte, 64<<10) // as many as the kernel has
	n, err := unix.Listxattr(path, list)
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list extended attributes: %w", err)
	}
	for name := range strings.SplitSeq(string(list[:n]), "\x00") {
		switch keepable(name) {
		case policy:
		case unkept:
			s.Unkept = append(s.Unkept, name)
		case kept:
			value := make([]byte, 64<<10)
			n, err := unix.Getxattr(path, name, value)
			if err != nil {
				return fmt.Errorf("read extended attribute %s: %w", name, err)
			}
			if s.Extended == nil {
				s.Extended = map[string][]byte{}
			}
			s.Extended[name] = value[:n]
		}
	}
	return nil
}

// keeping is what putting a file back does to an extended attribute.
type keeping int

const (
	policy keeping = iota // nothing: a new file gets it by the policy of the host
	kept                  // it is written again
	unkept                // it would be lost
)

// keepable is what putting a file back does to an extended attribute of a name.
// The kernel takes capabilities and signatures away from a file that is written,
// and a helper may not give them.
func keepable(name string) keeping {
	switch {
	case name == "", name == "security.selinux", strings.HasPrefix(name, "security.SMACK64"):
		return policy
	case strings.HasPrefix(name, "user."), name == "system.posix_acl_access":
		return kept
	}
	return unkept
}

// setAttributes gives a file the extended attributes that it shall have.
func setAttributes(path string, all map[string][]byte) error {
	var errs []error
	for name, value := range all {
		if err := unix.Setxattr(path, name, value, 0); err != nil {
			errs = append(errs, fmt.Errorf("set extended attribute %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}
