package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/gameday-dev/gameday/pkg/fault"
)

// quiet is how long nothing must be typed before a question is shown. A terminal gives
// what it has kept as soon as it is read, and Enter that is held down comes more often.
const quiet = 100 * time.Millisecond

// person is the user at the terminal. Their Enter is read from one place: two
// readers would take each other's lines.
//
// Enter counts only if it is pressed after the question was shown: what was typed
// before, and may have waited in the terminal, would confirm what was never read. So
// the reader takes every line at once and drops it unless a question waits for it.
type person struct {
	show  func(text string)
	input io.Reader
	turn  chan struct{} // holds one question at a time
	began sync.Once

	mu     sync.Mutex
	answer chan struct{} // of the question that waits; nil if none does
	typed  chan struct{} // a line was typed; holds one
	ended  chan struct{} // closed when the input has ended
	why    error         // it has; read once ended is closed
}

var _ fault.Person = (*person)(nil)

// newPerson is the person at the terminal, if there is one.
func newPerson(show func(text string)) fault.Person {
	if !isatty.IsTerminal(os.Stdin.Fd()) {
		return absent{}
	}
	return atTerminal(show, os.Stdin)
}

func atTerminal(show func(text string), input io.Reader) *person {
	return &person{show: show, input: input, turn: make(chan struct{}, 1), typed: make(chan struct{}, 1), ended: make(chan struct{})}
}

// Name is who confirms, for the record.
func (p *person) Name() string { return typist() }

// Do implements [fault.Person].
func (p *person) Do(ctx context.Context, instruction string) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return errLate
	}
	defer func() { <-p.turn }()
	p.began.Do(func() { go p.read() })
	if err := p.settle(ctx); err != nil {
		return err
	}
	answer := make(chan struct{})
	p.await(answer)
	defer p.await(nil)
	p.show("ACTION REQUIRED, then press Enter: " + instruction)
	select {
	case <-answer:
		return nil
	case <-p.ended:
		return p.gone()
	case <-ctx.Done():
		return errLate
	}
}

var errLate = errors.New("the person at the terminal did not press Enter in time")

// gone is why there are no answers any more.
func (p *person) gone() error { return fmt.Errorf("the terminal cannot be read: %w", p.why) }

// settle waits until nothing is typed any more.
func (p *person) settle(ctx context.Context) error {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for {
		select {
		case <-p.typed:
			timer.Reset(quiet)
		case <-timer.C:
			return nil
		case <-p.ended:
			return p.gone()
		case <-ctx.Done():
			return errLate
		}
	}
}

// await sets the question that the next Enter answers.
func (p *person) await(answer chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// read takes Enter after Enter until the input ends.
func (p *person) read() {
	input := bufio.NewReader(p.input)
	for {
		key, err := input.ReadByte()
		if err != nil {
			p.why = err
			close(p.ended)
			return
		}
		if key == '\n' {
			p.enter()
		}
	}
}

// enter answers the question that waits, once. Without a question it only notes the line.
func (p *person) enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answer != nil {
		close(p.answer)
		p.answer = nil
		return
	}
	select {
	case p.typed <- struct{}{}:
	default: // one is noted, and that is enough
	}
}

// absent is no person at all.
type absent struct{}

// Do implements [fault.Person].
func (absent) Do(context.Context, string) error {
	return errors.New("a manual fault needs a person at a terminal: run gameday on a terminal")
}
