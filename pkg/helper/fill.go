package helper

// Fill fills the file system that holds a folder.
type Fill struct {
	Path string `json:"path"` // in the target
	// Leave is how much stays free, in bytes; LeaveShare as a share of the whole.
	Leave      uint64  `json:"leave,omitempty"`
	LeaveShare float64 `json:"leave_share,omitempty"`
	// Host allows the host's own file system, of which a tenth is always left.
	Host bool `json:"host,omitempty"`
}

func (*Fill) work() string { return "fill" }
