package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
)

// live is the view on a terminal: phase and time, what users met in the last
// seconds, and above it the events as they came.
type live struct {
	scenario scenario.Scenario
	meter    *run.Meter
	phase    run.Phase
	began    time.Time
	lasts    time.Duration
	text     string
	width    int

	bold, faint, good, bad lipgloss.Style
}

// tick redraws.
type tick struct{}

const redraw = 200 * time.Millisecond

func newLive(out io.Writer, s scenario.Scenario, meter *run.Meter) live {
	r := lipgloss.NewRenderer(out)
	return live{
		scenario: s, meter: meter, began: time.Now(), width: 80,
		bold: r.NewStyle().Bold(true), faint: r.NewStyle().Faint(true),
		good: r.NewStyle().Foreground(lipgloss.Color("2")), bad: r.NewStyle().Foreground(lipgloss.Color("1")),
	}
}

// Init implements tea.Model.
func (l live) Init() tea.Cmd { return again() }

func again() tea.Cmd { return tea.Tick(redraw, func(time.Time) tea.Msg { return tick{} }) }

// Update implements tea.Model.
func (l live) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch m := message.(type) {
	case tick:
		return l, again()
	case tea.WindowSizeMsg:
		l.width = m.Width
	case run.Update:
		if m.Event != nil {
			if line := session.EventLine(*m.Event); line != "" {
				return l, tea.Println(clip(line, l.width-1))
			}
			return l, nil
		}
		if m.Text != "" {
			l.text = plaintext.Line(m.Text)
			if l.phase == "" && !m.Minor {
				l.began = time.Now() // the next step of the preparations
			}
			return l, nil
		}
		l.phase, l.lasts, l.began, l.text = m.Phase, m.For, time.Now(), ""
	}
	return l, nil
}

// View implements tea.Model. Nothing is left of it when the run is done.
func (l live) View() string {
	if l.phase == run.Done {
		return ""
	}
	elapsed := time.Since(l.began).Round(time.Second)
	if l.phase == "" {
		return fmt.Sprintf("%s  %3v  %s", l.bold.Render(l.scenario.Name), elapsed, clip(l.text, l.width-len(l.scenario.Name)-10))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %v", l.bold.Render(l.scenario.Name), l.bold.Render(string(l.phase)), elapsed)
	if l.lasts > 0 {
		fmt.Fprintf(&b, " of %v %s", l.lasts, bar(elapsed, l.lasts))
	}
	if l.text != "" {
		fmt.Fprintf(&b, "  %s", clip(l.text, l.width/2))
	}
	seconds := l.meter.Last(min(max(l.width-40, 10), 60))
	users, bad := l.meter.Served(session.Recently)
	ratio := 1.0
	if users > 0 {
		ratio = 1 - float64(bad)/float64(users)
	}
	style := l.good
	if ratio < float64(l.scenario.Objective.Good) {
		style = l.bad
	}
	fmt.Fprintf(&b, "\n%s %s %s", l.faint.Render("good users "), style.Render(fmt.Sprintf("%5.1f%%", ratio*100)), l.shares(seconds))
	if n := retried(seconds); n > 0 {
		fmt.Fprintf(&b, " %d retried", n)
	}
	latest := seconds[max(len(seconds)-2, 0)].Latency.Round(100 * time.Microsecond)
	fmt.Fprintf(&b, "\n%s %8v %s\n", l.faint.Render("latency  "), latest, latencies(seconds, l.scenario.Objective.Within))
	return b.String()
}

// retried is how many users needed a retry in the last seconds.
func retried(seconds []run.Second) (n int) {
	for _, s := range seconds[max(len(seconds)-int(session.Recently.Seconds()), 0):] {
		n += s.Retried
	}
	return n
}

var blocks = []rune(" ▁▂▃▄▅▆▇█") //nolint:gochecknoglobals // a constant in all but name

// shares draws, for every second, the share of good requests.
func (l live) shares(seconds []run.Second) string {
	var b strings.Builder
	for _, s := range seconds {
		switch {
		case s.Users == 0:
			b.WriteRune(' ')
		case s.Bad == 0:
			b.WriteString(l.good.Render(string(blocks[8])))
		default:
			b.WriteString(l.bad.Render(string(blocks[1+7*(s.Users-s.Bad)/s.Users])))
		}
	}
	return b.String()
}

// latencies draws the mean latency of every second, up to four times what the
// objective allows.
func latencies(seconds []run.Second, within time.Duration) string {
	var b strings.Builder
	for _, s := range seconds {
		if s.Users == 0 {
			b.WriteRune(' ')
			continue
		}
		share := float64(s.Latency) / float64(4*within)
		b.WriteRune(blocks[min(max(1+int(share*7), 1), 8)])
	}
	return b.String()
}

func bar(elapsed, of time.Duration) string {
	const width = 20
	full := min(int(width*elapsed/max(of, 1)), width)
	return strings.Repeat("━", full) + strings.Repeat("╌", width-full)
}
