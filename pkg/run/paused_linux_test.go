package run_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// workerVariable makes the test binary a load worker.
const workerVariable = "GAMEDAY_TEST_LOAD_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) == "" {
		os.Exit(m.Run()) //nolint:forbidigo // as a main function does
	}
	if err := probe.Work(context.Background(), os.Stdin, os.Stdout, nil); err != nil { //nolint:forbidigo // a process of its own
		fmt.Fprintln(os.Stderr, err)
	}
}

// process is the stream to a load worker in a process of its own.
type process struct {
	io.WriteCloser
	io.Reader

	command *exec.Cmd
}

func (p process) Close() error {
	_ = p.WriteCloser.Close()
	return p.command.Wait()
}

func startWorker(ctx context.Context) (process, error) {
	command := exec.CommandContext(ctx, os.Args[0])
	command.Env = append(os.Environ(), workerVariable+"=1")
	in, err := command.StdinPipe()
	if err != nil {
		return process{}, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return process{}, err
	}
	return process{in, out, command}, command.Start()
}

// stopped runs a load in a worker that is stopped for a while, in its calibration, and
// returns whether that was noticed: by the calibration, or as a void span of its length.
func stopped(t *testing.T, pause time.Duration) bool {
	t.Helper()
	begin := make(chan struct{}, 1)
	begin <- struct{}{}
	var worker process
	remote := probe.Remote{
		Load: probe.Load{
			Journey: probe.Journey{Name: "checkout", Steps: []probe.Step{{Get: "/"}}}, Way: probe.Way{Entry: "http://127.0.0.1:1"},
			Rate: probe.Rate{Users: 20, Per: time.Second}, Control: &probe.Control{Rate: probe.ControlRate()}, Calibrate: begin,
		},
		Start: func(ctx context.Context) (_ io.ReadWriteCloser, err error) {
			worker, err = startWorker(context.WithoutCancel(ctx))
			return worker, err
		},
	}
	clock := record.NewClock()
	began := clock.Now()
	i := run.NewInstrument(began)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first := true
	if err := remote.Run(ctx, func(v probe.Visit) {
		if first && pause > 0 {
			time.AfterFunc(time.Duration(rand.Int64N(int64(2*time.Second))), func() {
				_ = worker.command.Process.Signal(syscall.SIGSTOP)
				time.AfterFunc(pause, func() { _ = worker.command.Process.Signal(syscall.SIGCONT) })
			})
		}
		if first {
			first = false
			time.AfterFunc(calibrationLasts+pause, cancel)
		}
		if v.Truth != nil {
			v.Truth.Move(clock.Steady)
			i.Learn(*v.Truth)
			return
		}
		v.Sample.Sent = clock.Steady(v.Sample.Sent)
		i.Take(v.Sample)
	}); err != nil {
		t.Error(err)
	}
	if known := i.Known(); len(known) != 1 || i.Judge(known[0], verdict.Objective{}.WithDefaults(), clock.Now()).Wrong != "" {
		return true
	}
	if pause == 0 {
		return false
	}
	for _, s := range i.Voids("checkout", began, clock.Now(), verdict.DefaultWithin) {
		if s.To-s.From >= pause*9/10 {
			return true
		}
	}
	return false
}

// A worker that stands still for 400ms is noticed.
func TestAWorkerThatIsPaused(t *testing.T) {
	t.Parallel()
	n := enginetest.Rounds(1, 20)
	if noticed := together(n, 4, func() bool { return stopped(t, 400*time.Millisecond) }); n-noticed > n/20 {
		t.Errorf("%d of %d were not noticed", n-noticed, n)
	}
}

// A calibration in a worker measures a known second, too.
func TestCalibrationInAWorker(t *testing.T) {
	t.Parallel()
	enginetest.Alone(t)
	if n := enginetest.Rounds(1, 20); together(n, 4, func() bool { return stopped(t, 0) }) > 0 {
		t.Error("a worker that was not paused was not calibrated")
	}
}
