package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/mattn/go-isatty"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
)

// The rules of what is shown while something goes on: it goes to standard
// error, results go to standard output; on a terminal a few lines at the bottom
// change and events scroll by above them, elsewhere there is a line an event;
// the terminal is never put into raw mode, so that Ctrl-C stays a signal.

// view shows a run under way.
type view struct {
	out     io.Writer
	program *tea.Program // nil where out is no terminal
	ended   chan struct{}

	// What is to be shown. A terminal may stand still, and a pager may not be read: a run
	// that waited for them would leave what it has broken.
	queue  chan func()   // nil ends it
	worked chan struct{} // closed once it has ended

	// If there is no program:
	mu    sync.Mutex // guards what follows, and out
	text  string     // of the preparation under way, or ""
	since time.Time  // when it began
	again *time.Timer
}

// silence is how long a preparation may take without a line before it is shown again.
const silence = 10 * time.Second

func newView(out io.Writer, s scenario.Scenario, meter *run.Meter) *view {
	v := &view{out: out, ended: make(chan struct{}), queue: make(chan func(), backlog), worked: make(chan struct{})}
	go v.work()
	if !isTerminal(out) {
		close(v.ended)
		return v
	}
	v.program = tea.NewProgram(newLive(out, s, meter), tea.WithOutput(out), tea.WithInput(nil), tea.WithoutSignalHandler())
	go func() {
		defer close(v.ended)
		_, _ = v.program.Run() // a view that fails must not fail the run
	}()
	return v
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd()) && os.Getenv("TERM") != "dumb"
}

const (
	backlog  = 1000            // updates that wait to be shown; what is more is not shown
	closeFor = 2 * time.Second // how long the end of a view may take
)

// work shows what is to be shown.
func (v *view) work() {
	defer close(v.worked)
	for do := range v.queue {
		if do == nil {
			return
		}
		do()
	}
}

// observe shows what has changed, and waits for nothing.
func (v *view) observe(u run.Update) {
	select {
	case v.queue <- func() { v.tell(u) }:
	default:
	}
}

func (v *view) tell(u run.Update) {
	if v.program != nil {
		v.program.Send(u)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if line := session.Line(u); line != "" {
		fmt.Fprintln(v.out, line)
	}
	if u.Event != nil || u.Minor {
		return
	}
	if v.again != nil {
		v.again.Stop()
	}
	v.text, v.since = plaintext.Line(u.Text), time.Now()
	if v.text != "" {
		v.again = time.AfterFunc(silence, v.still)
	}
}

// still shows that a preparation goes on.
func (v *view) still() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.text != "" {
		now := time.Now()
		fmt.Fprintf(v.out, "%s %s: %v so far\n", now.Format(time.TimeOnly), v.text, now.Sub(v.since).Round(time.Second))
		v.again.Reset(silence)
	}
}

// progress shows a line of text.
func (v *view) progress(text string) { v.observe(run.Update{Text: text}) }

// close ends the view, and waits until it has left the terminal, unless that stands still.
func (v *view) close() {
	late := time.After(closeFor)
	v.observe(run.Update{Phase: run.Done})
	for _, ended := range []<-chan struct{}{v.worked, v.ended} {
		select {
		case v.queue <- nil:
		default:
		}
		if v.program != nil && ended == v.ended {
			go v.program.Quit() // it waits for a terminal that stands still
		}
		select {
		case <-ended:
		case <-late:
			return
		}
	}
}

// clip is a text of at most a width, which may be less than nothing: terminals can be
// narrow, and some say that they have no width.
func clip(text string, width int) string {
	runes, width := []rune(text), max(width, 0)
	switch {
	case len(runes) <= width:
		return text
	case width == 0:
		return ""
	}
	return string(runes[:width-1]) + "…"
}
