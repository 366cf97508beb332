package disk_test

import (
	"testing"

	"github.com/gameday-dev/gameday/internal/disk"
)

func TestFree(t *testing.T) {
	t.Parallel()
	if free, err := disk.Free(t.TempDir()); err != nil || free == 0 {
		t.Errorf("%d bytes are free (%v)", free, err)
	}
	if free, err := disk.Free("/no/such/folder"); err == nil {
		t.Errorf("%d bytes are free where there is nothing", free)
	}
}
