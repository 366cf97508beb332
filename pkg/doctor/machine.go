package doctor

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/gameday-dev/gameday/internal/disk"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Machine is what gameday's own machine reports.
type Machine struct {
	Files  func() (uint64, error)            // how many files this process may open
	Ports  func() (low, high int, err error) // the local ports of connections
	Free   func(path string) (uint64, error) // bytes of free disk
	Synced func() (Synced, error)            // the clock
	Find   func(program string) error        // nil if it is installed
	Host   string                            // DOCKER_HOST, or ""
}

// Synced is the state of a clock.
type Synced struct {
	Is  bool
	Off time.Duration // the largest error that the kernel estimates
}

// ThisMachine is the machine that this process runs on.
func ThisMachine() Machine {
	return Machine{Files: openFiles, Ports: localPorts, Free: freeAt, Synced: clockSynced, Find: func(program string) error {
		_, err := exec.LookPath(program)
		return err
	}, Host: os.Getenv("DOCKER_HOST")}
}

// freeAt is the room for a folder that may not exist yet.
func freeAt(path string) (uint64, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return 0, err
	}
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return disk.Free(path)
		}
		path = filepath.Dir(path)
	}
}

// sockets is whether there are files and ports for the users.
type sockets struct{ *Patient }

func (sockets) Name() string         { return "sockets" }
func (sockets) Limit() time.Duration { return asking }

const (
	// ownFiles are what gameday opens beside its users' connections: records, logs, the
	// engine's connections.
	ownFiles = 256
	// lingers is how long the kernel keeps the port of a closed connection (TIME_WAIT).
	lingers = 60 * time.Second
)

func (c sockets) Look(context.Context) []Finding {
	d := c.Demand
	load := fmt.Sprintf("%g users a second (%s)", d.Rate, d.Source)
	// While nothing answers, each user holds a connection until its timeout.
	files := ownFiles + int(math.Ceil(d.Rate*d.Hold.Seconds()))
	// And each needs a port of its own, which the kernel keeps after it.
	ports := int(math.Ceil(d.Rate * (d.Hold + lingers).Seconds()))
	return []Finding{c.files(files, load), c.ports(ports, load)}
}

func (c sockets) files(needed int, load string) Finding {
	limit, err := c.Files()
	f := ok("up to %d open files; %s need %d", limit, load, needed)
	switch {
	case err != nil:
		f = unknown(err)
	case limit < uint64(needed): //nolint:gosec // G115: not negative
		f.Status = Lacking
		f.Cost = fmt.Sprintf("above %.0f users a second, the load generator cannot open connections during an outage, and the verdict is inconclusive", max(float64(limit)-ownFiles, 0)/c.Demand.Hold.Seconds())
		f.Mend = fmt.Sprintf("ulimit -n %d", 2*needed)
	}
	f.Subject, f.Needed = "files", f.Status == Lacking
	return f
}

func (c sockets) ports(needed int, load string) Finding {
	low, high, err := c.Ports()
	there := high - low + 1
	f := ok("%d local ports; %s need up to %d during an outage", there, load, needed)
	switch {
	case err != nil:
		f = unknown(err)
	case there < needed:
		f.Status = Lacking
		f.Cost = fmt.Sprintf("above %.0f users a second, the load generator runs out of ports during an outage, and the verdict is inconclusive", float64(there)/(c.Demand.Hold+lingers).Seconds())
		f.Mend = `sudo sysctl -w net.ipv4.ip_local_port_range="1024 65535"`
	}
	f.Subject, f.Needed = "ports", f.Status == Lacking
	return f
}

// room is whether there is free disk.
type room struct{ *Patient }

func (room) Name() string         { return "disk" }
func (room) Limit() time.Duration { return 3 * asking }

// Free disk that a game day needs, in bytes.
const (
	roomRecord = 200 << 20 // a run: about 200 bytes for each user, and logs
	roomTemp   = 100 << 20 // the folder of a lab, and calls of other programs
	roomEngine = 500 << 20 // the helper's image, and what containers write meanwhile
	roomBuild  = 3 << 30   // the images of a lab, with what their build leaves behind
)

func (c room) Look(context.Context) []Finding {
	found := []Finding{
		c.folder("runs", c.Out, roomRecord, "the record of a run cannot be written, and the run ends", "gameday history prune --keep 10"),
		c.folder("temporary files", os.TempDir(), roomTemp, "labs cannot be started", "export TMPDIR=$HOME/tmp && mkdir -p $TMPDIR"),
	}
	d, err := c.facts()
	if err != nil {
		return found
	}
	needed := uint64(roomEngine)
	if c.buildsImages() {
		needed = roomBuild
	}
	free, err := d.Room.Free, d.Room.Why
	return append(found, enough("engine", d.Room.Path, free, err, needed, "images cannot be built, and containers of the environment may fail by themselves", "docker system prune"))
}

// buildsImages reports whether the images of a lab are still to be built.
func (c room) buildsImages() bool {
	stock, err := c.stock()
	return err == nil && len(stock.Missing) > 0
}

func (c room) folder(what, path string, needed uint64, cost, mend string) Finding {
	free, err := c.Free(path)
	return enough(what, path, free, err, needed, cost, mend)
}

func enough(what, path string, free uint64, err error, needed uint64, cost, mend string) Finding { //nolint:revive // argument-limit: a row of a table
	f := ok("%s free at %s, of %s needed", units.BytesSize(float64(free)), path, units.BytesSize(float64(needed)))
	switch {
	case err != nil:
		f = unknown(err)
	case free < needed:
		f.Status, f.Cost, f.Mend = Lacking, cost, mend
	}
	f.Subject, f.Needed = what, f.Status == Lacking
	return f
}

// clock is whether the clocks are right.
type clock struct{ *Patient }

func (clock) Name() string         { return "clock" }
func (clock) Limit() time.Duration { return 2 * asking }

// tolerable is how much clocks may differ before the times of events mislead a reader.
const tolerable = time.Second

func (c clock) Look(context.Context) []Finding {
	const cost = "; recovery times do not depend on it, as they are measured by one monotonic clock"
	var own Finding
	switch s, err := c.Synced(); {
	case err != nil:
		own = unknown(err)
	case !s.Is:
		own = Finding{Status: Lacking, Found: "the kernel says that this clock is not synchronized", Cost: "schedules and the times in reports may be off" + cost, Mend: "sudo timedatectl set-ntp true"}
	default:
		own = ok("synchronized, off by at most %v", s.Off.Round(time.Millisecond))
	}
	own.Subject = "this machine"
	d, err := c.facts()
	if err != nil || !d.Ahead.Known {
		return []Finding{own}
	}
	return []Finding{own, skew(d.Ahead, cost)}
}

func skew(b target.Bounds, cost string) Finding {
	f := ok("differs from the clock of this machine by %v to %v", b.Lo.Round(time.Millisecond), b.Hi.Round(time.Millisecond))
	if b.Lo > tolerable || b.Hi < -tolerable {
		f.Status, f.Cost, f.Mend = Lacking, "times of the engine's events in reports are off by that"+cost, "sudo timedatectl set-ntp true # on the engine's machine"
	}
	f.Subject = "engine"
	return f
}

// browser is whether reports can become PDF files without a person.
type browser struct{ *Patient }

func (browser) Name() string         { return "browser" }
func (browser) Limit() time.Duration { return asking }

func (c browser) Look(context.Context) []Finding {
	known := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"}
	for _, name := range known {
		if c.Find(name) == nil {
			return []Finding{ok("%s prints report.html to PDF", name)}
		}
	}
	return []Finding{{
		Status: Lacking, Found: "none of " + strings.Join(known, ", ") + " is installed",
		Cost: "report.html cannot be printed to PDF from the command line; any browser of yours prints it", Mend: "sudo apt-get install -y chromium",
	}}
}
