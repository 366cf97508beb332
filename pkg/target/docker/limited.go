package docker

import "strings"

// limitedBuffer keeps the beginning of what is written to it.
type limitedBuffer struct{ strings.Builder }

// Write never fails.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if room := 4096 - b.Len(); room > 0 {
		b.Builder.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// String is what was kept, on one line.
func (b *limitedBuffer) String() string { return strings.TrimSpace(b.Builder.String()) }
