//go:build !linux

package doctor

import (
	"errors"
	"fmt"
)

var errSystem = fmt.Errorf("gameday cannot look at this on this system: %w", errors.ErrUnsupported)

func openFiles() (uint64, error) { return 0, errSystem }

func localPorts() (low, high int, err error) { return 0, 0, errSystem }

func clockSynced() (Synced, error) { return Synced{}, errSystem }
