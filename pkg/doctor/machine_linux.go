package doctor

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

func openFiles() (uint64, error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("look at the limit on open files: %w", err)
	}
	return l.Cur, nil // Go has raised it to the hard limit
}

func localPorts() (low, high int, err error) {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		_, err = fmt.Sscan(string(data), &low, &high)
	}
	if err != nil {
		err = fmt.Errorf("look at the range of local ports: %w", err)
	}
	return low, high, err
}

// clockSynced asks the kernel, as timedatectl does.
func clockSynced() (Synced, error) {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return Synced{}, fmt.Errorf("look at the state of the clock: %w", err)
	}
	return Synced{Is: t.Status&unix.STA_UNSYNC == 0, Off: time.Duration(t.Maxerror) * time.Microsecond}, nil
}
