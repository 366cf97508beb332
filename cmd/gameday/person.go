package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/mattn/go-isatty"

	"github.com/gameday-dev/gameday/pkg/fault"
)

// person is whoever sits at the terminal. Their Enter is read from one place:
// two readers would take each other's lines.
type person struct {
	show  func(text string)
	input io.Reader

	once  sync.Once
	lines chan error // one for every Enter
}

var _ fault.Person = (*person)(nil)

// newPerson is the person at the terminal, if there is one.
func newPerson(show func(text string)) fault.Person {
	if !isatty.IsTerminal(os.Stdin.Fd()) {
		return absent{}
	}
	return &person{show: show, input: os.Stdin, lines: make(chan error)}
}

// Do implements [fault.Person].
func (p *person) Do(ctx context.Context, instruction string) error {
	p.once.Do(func() { go p.read() })
	p.show("PLEASE DO THIS, and press Enter when it is done: " + instruction)
	select {
	case err := <-p.lines:
		return err
	case <-ctx.Done():
		return errors.New("nobody has pressed Enter in time")
	}
}

func (p *person) read() {
	lines := bufio.NewScanner(p.input)
	for lines.Scan() {
		p.lines <- nil
	}
	for {
		p.lines <- io.ErrUnexpectedEOF
	}
}

// absent is nobody.
type absent struct{}

// Do implements [fault.Person].
func (absent) Do(context.Context, string) error {
	return errors.New("nobody sits at a terminal")
}
