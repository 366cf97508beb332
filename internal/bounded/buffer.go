package bounded

import "strings"

// Buffer keeps the first Limit bytes of what is written to it.
type Buffer struct {
	Limit int // in bytes

	kept strings.Builder
}

// Write never fails.
func (b *Buffer) Write(p []byte) (int, error) {
	if room := b.Limit - b.kept.Len(); room > 0 {
		b.kept.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// Len is how many bytes are kept.
func (b *Buffer) Len() int { return b.kept.Len() }

// String is what is kept.
func (b *Buffer) String() string { return b.kept.String() }
