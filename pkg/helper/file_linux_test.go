package helper

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// tree is the file system of a made-up target, in a folder beside which lies a
// secret of the host.
func tree(t *testing.T) string {
	t.Helper()
	outside := t.TempDir()
	root := filepath.Join(outside, "root")
	write := func(path, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(outside, "secret"), "of the host")
	write(filepath.Join(root, "etc/ssl/server.pem"), "certificate")
	write(filepath.Join(root, "secret"), "of the target")
	for link, to := range map[string]string{
		"etc/absolute":    "/etc/ssl/server.pem",
		"etc/relative":    "ssl/server.pem",
		"etc/up":          "../../../../../../../../secret",
		"etc/chain":       "relative",
		"etc/loop":        "loop",
		"etc/folder":      "/etc/ssl",
		"etc/root":        "../..",
		"etc/nowhere":     "/var/nothing",
		"etc/in-nowhere":  "/nowhere/nothing",
		"etc/proc":        "/proc/self/environ",
		"etc/up-absolute": outside + "/secret",
	} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "var"), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

func lookAt(t *testing.T, root, path string) (FileSeen, error) {
	t.Helper()
	reply, err := (&File{Path: path, Op: FileRead}).in(root)
	if err != nil {
		return FileSeen{}, err
	}
	return *reply.File, nil
}

// Wherever a path and its symbolic links lead, it is in the target.
func TestPathsStayInTheTarget(t *testing.T) {
	t.Parallel()
	root := tree(t)
	for path, want := range map[string]string{
		"/etc/ssl/server.pem":           "certificate",
		"etc/ssl/server.pem":            "certificate",
		"/etc/../etc/./ssl//server.pem": "certificate",
		"/../../../etc/ssl/server.pem":  "certificate",
		"/etc/absolute":                 "certificate",
		"/etc/relative":                 "certificate",
		"/etc/chain":                    "certificate",
		"/etc/folder/server.pem":        "certificate",
		"/secret":                       "of the target",
		"/../secret":                    "of the target",
		"/etc/up":                       "of the target",
		"/etc/folder/../../secret":      "of the target",
		"/nothing":                      "-",
		"/etc/nowhere":                  "-",
		"/etc/proc":                     "no such file",
		"/etc/up-absolute":              "no such file",
		"/etc/in-nowhere":               "no such file",
		"/no/such/folder":               "no such file",
		"/etc/loop":                     "too many levels of symbolic links",
		"/etc/root":                     "is a directory",
		"/etc/ssl":                      "it is no regular file",
		"/":                             "is a directory",
		"/etc/ssl/server.pem/and/so/on": "not a directory",
	} {
		seen, err := lookAt(t, root, path)
		switch {
		case err != nil && !strings.Contains(err.Error(), want):
			t.Errorf("%s: %v, expected %q", path, err, want)
		case err != nil && !strings.HasPrefix(err.Error(), "read "+path+": "):
			t.Errorf("%s: the error does not say what was done: %v", path, err)
		case err == nil && !seen.Exists && want != "-", err == nil && seen.Exists && string(seen.Content) != want:
			t.Errorf("%s is %+v, expected %q", path, seen, want)
		}
	}
}

func TestAFileIsReadWhole(t *testing.T) {
	t.Parallel()
	root := tree(t)
	path := filepath.Join(root, "etc/ssl/server.pem")
	when := time.Date(2021, 3, 4, 5, 6, 7, 123_456_789, time.UTC)
	if err := errors.Join(os.Chmod(path, 0o751|os.ModeSetgid), os.Chtimes(path, when.Add(time.Hour), when)); err != nil {
		t.Fatal(err)
	}
	want := FileSeen{
		Exists: true, Content: []byte("certificate"), Mode: 0o2751, UID: os.Getuid(), GID: os.Getgid(),
		Modified: when, Accessed: when.Add(time.Hour), Links: 1,
	}
	for range 2 { // reading leaves no trace
		seen, err := lookAt(t, root, "/etc/absolute")
		if diff := cmp.Diff(want, seen); diff != "" || err != nil {
			t.Errorf("%v (-expected +read)\n%s", err, diff)
		}
	}
	if err := os.Link(path, filepath.Join(root, "etc/second")); err != nil {
		t.Fatal(err)
	}
	if seen, err := lookAt(t, root, "/etc/second"); err != nil || seen.Links != 2 {
		t.Errorf("%+v, %v", seen, err)
	}
}

func TestTheGreatestFile(t *testing.T) {
	t.Parallel()
	root := tree(t)
	path := filepath.Join(root, "var/big")
	if err := os.WriteFile(path, bytes.Repeat([]byte{7}, MaxFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if seen, err := lookAt(t, root, "/var/big"); err != nil || len(seen.Content) != MaxFile {
		t.Errorf("%d bytes, %v", len(seen.Content), err)
	}
	if err := os.Truncate(path, MaxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := lookAt(t, root, "/var/big"); err == nil || !strings.Contains(err.Error(), "it has 1048577 bytes, more than the 1048576 that are kept") {
		t.Errorf("%v", err)
	}
	if err := unix.Mkfifo(filepath.Join(root, "var/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lookAt(t, root, "/var/pipe"); err == nil || !strings.Contains(err.Error(), "it is no regular file") {
		t.Errorf("%v", err)
	}
}

// Whatever was done to a file, it is as it was when it is written back: in place,
// or as a new one.
func TestAFileIsWrittenBack(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(t *testing.T, root string, was FileSeen){
		"removed": func(t *testing.T, root string, _ FileSeen) {
			t.Helper()
			for range 2 { // one that is gone can be removed
				if _, err := (&File{Path: "/etc/chain", Op: FileRemove}).in(root); err != nil {
					t.Error(err)
				}
			}
			if _, err := os.Lstat(filepath.Join(root, "etc/ssl/server.pem")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is there: %v", err)
			}
			if _, err := os.Lstat(filepath.Join(root, "etc/relative")); err != nil {
				t.Errorf("the link to it is gone: %v", err)
			}
		},
		"longer": func(t *testing.T, root string, was FileSeen) {
			t.Helper()
			was.Content = bytes.Repeat([]byte("x"), 10_000)
			if _, err := (&File{Path: "/etc/ssl/server.pem", Op: FileWrite, Write: &was}).in(root); err != nil {
				t.Error(err)
			}
		},
		"empty": func(t *testing.T, root string, was FileSeen) {
			t.Helper()
			was.Content = nil
			if _, err := (&File{Path: "/etc/ssl/server.pem", Op: FileWrite, Write: &was}).in(root); err != nil {
				t.Error(err)
			}
		},
		"with another mode": func(t *testing.T, root string, was FileSeen) {
			t.Helper()
			was.Mode = 0o4444
			if _, err := (&File{Path: "/etc/ssl/server.pem", Op: FileWrite, Write: &was}).in(root); err != nil {
				t.Error(err)
			}
			if info, err := os.Stat(filepath.Join(root, "etc/ssl/server.pem")); err != nil || info.Mode() != 0o444|os.ModeSetuid {
				t.Errorf("%v, %v", info, err)
			}
			if err := os.Chmod(filepath.Join(root, "etc/ssl/server.pem"), 0o600); err != nil { // where it takes a mode to write
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := tree(t)
			path := filepath.Join(root, "etc/ssl/server.pem")
			when := time.Date(2021, 3, 4, 5, 6, 7, 123_456_789, time.UTC)
			if err := errors.Join(os.Chmod(path, 0o640), os.Chtimes(path, when, when)); err != nil {
				t.Fatal(err)
			}
			extended := unix.Setxattr(path, "user.origin", []byte("a backup"), 0)
			was, err := lookAt(t, root, "/etc/chain")
			if err != nil {
				t.Fatal(err)
			}
			if extended == nil && string(was.Extended["user.origin"]) != "a backup" {
				t.Errorf("extended attributes: %v", was.Extended)
			}
			do(t, root, was)
			if _, err := (&File{Path: "/etc/chain", Op: FileWrite, Write: &was}).in(root); err != nil {
				t.Fatal(err)
			}
			now, err := lookAt(t, root, "/etc/ssl/server.pem")
			if diff := cmp.Diff(was, now); diff != "" || err != nil {
				t.Errorf("%v (-was +is)\n%s", err, diff)
			}
		})
	}
}

func TestFileOrdersThatAreNone(t *testing.T) {
	t.Parallel()
	root := tree(t)
	for want, f := range map[string]File{
		`unknown file order "copy"`:                           {Path: "/etc/absolute", Op: "copy"},
		"write /etc/absolute: no content given":               {Path: "/etc/absolute", Op: FileWrite},
		"write /no/such: no such file or directory":           {Path: "/no/such", Op: FileWrite, Write: &FileSeen{Exists: true}},
		"write /etc/ssl: is a directory":                      {Path: "/etc/ssl", Op: FileWrite, Write: &FileSeen{Exists: true}},
		"remove /etc/ssl: directory not empty":                {Path: "/etc/ssl", Op: FileRemove},
		"remove /etc/loop: too many levels of symbolic links": {Path: "/etc/loop", Op: FileRemove},
	} {
		if _, err := f.in(root); err == nil || err.Error() != want {
			t.Errorf("%v, expected %s", err, want)
		}
	}
	if _, err := (&File{Path: "/x", Op: FileRead}).in(filepath.Join(root, "nowhere")); err == nil || !strings.Contains(err.Error(), "open the target's files") {
		t.Errorf("%v", err)
	}
}

func TestExtendedAttributes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]keeping{
		"": policy, "security.selinux": policy, "security.SMACK64": policy, "security.SMACK64EXEC": policy,
		"user.origin": kept, "user.": kept, "system.posix_acl_access": kept,
		"security.capability": unkept, "security.ima": unkept, "security.evm": unkept, "trusted.x": unkept, "system.nfs4_acl": unkept, "btrfs.compression": unkept,
	} {
		if got := keepable(name); got != want {
			t.Errorf("%q: %v, expected %v", name, got, want)
		}
	}
}
