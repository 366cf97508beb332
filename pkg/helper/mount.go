package helper

// Mount remounts a mount of the target read-only.
type Mount struct {
	Path string `json:"path"`
}

func (*Mount) work() string { return "mount" }
