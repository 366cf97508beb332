package helper

import "time"

// FileOp is what is done to a file.
type FileOp string

// What can be done to a file.
const (
	FileRead   FileOp = "read"
	FileRemove FileOp = "remove"
	FileWrite  FileOp = "write"
)

// File reads, removes or writes a file of the target.
type File struct {
	Path  string    `json:"path"` // in the target; its symbolic links lead nowhere else
	Op    FileOp    `json:"op"`
	Write *FileSeen `json:"write,omitempty"` // all of what the file shall be
}

// FileSeen is a file: its content and what stands beside it in the directory.
type FileSeen struct {
	Exists   bool      `json:"exists"`
	Content  []byte    `json:"content,omitempty"`
	Mode     uint32    `json:"mode,omitempty"` // permission bits, with setuid and its like
	UID      int       `json:"uid,omitempty"`
	GID      int       `json:"gid,omitempty"`
	Modified time.Time `json:"modified,omitzero"`
	Accessed time.Time `json:"accessed,omitzero"`
	// Extended are its extended attributes; access control lists are among them.
	Extended map[string][]byte `json:"extended,omitempty"`
	// Unkept are the names of those that could not be put back.
	Unkept []string `json:"unkept,omitempty"`
	// Links is how many names it has, when it is read.
	Links uint64 `json:"links,omitempty"`
}

// MaxFile is the greatest file that is read, in bytes: its content has a place
// in the journal.
const MaxFile = 1 << 20

func (*File) work() string { return "file" }
