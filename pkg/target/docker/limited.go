package docker

import "strings"

// maxComplaint bounds what is kept of an error message, in bytes.
const maxComplaint = 4 << 10

// limitedBuffer keeps the beginning of what is written to it.
type limitedBuffer struct {
	kept  strings.Builder
	limit int // in bytes
}

// Write never fails.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if room := b.limit - b.kept.Len(); room > 0 {
		b.kept.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// Len is how many bytes are kept.
func (b *limitedBuffer) Len() int { return b.kept.Len() }

// String is what is kept.
func (b *limitedBuffer) String() string { return b.kept.String() }
