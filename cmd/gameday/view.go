package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/mattn/go-isatty"

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
	mu      sync.Mutex // guards out if there is no program
}

func newView(out io.Writer, s scenario.Scenario, meter *run.Meter) *view {
	v := &view{out: out, ended: make(chan struct{})}
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

// observe shows what has changed.
func (v *view) observe(u run.Update) {
	if v.program != nil {
		v.program.Send(u)
		return
	}
	if line := session.Line(u); line != "" {
		v.mu.Lock()
		defer v.mu.Unlock()
		fmt.Fprintln(v.out, line)
	}
}

// progress shows a line of text.
func (v *view) progress(text string) { v.observe(run.Update{Text: text}) }

// close ends the view, and waits until it has left the terminal.
func (v *view) close() {
	if v.program != nil {
		v.program.Quit()
	}
	<-v.ended
}

// progress shows what takes longer than a moment, outside of a run.
type progress struct {
	out io.Writer
	tty bool
}

func newProgress(out io.Writer) *progress { return &progress{out, isTerminal(out)} }

const clearLine = "\r\x1b[K"

func (p *progress) show(text string) {
	if p.tty {
		text = clearLine + clip(text, 78)
	} else {
		text += "\n"
	}
	_, _ = io.WriteString(p.out, text) // nowhere to say so
}

// detail shows how it goes on, where that needs no line of its own.
func (p *progress) detail(text string) {
	if p.tty {
		p.show(text)
	}
}

// clear removes what was shown on a terminal.
func (p *progress) clear() {
	if p.tty {
		_, _ = io.WriteString(p.out, clearLine)
	}
}

func clip(text string, width int) string {
	runes := []rune(text)
	if len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}
