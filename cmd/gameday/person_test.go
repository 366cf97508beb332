package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// terminal is a person in front of an input that a test types into.
type terminal struct {
	*person

	t     *testing.T
	keys  *io.PipeWriter
	asked atomic.Int64 // questions that were shown
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	input, keys := io.Pipe()
	term := &terminal{t: t, keys: keys}
	term.person = atTerminal(func(string) { term.asked.Add(1) }, input)
	return term
}

// types types without waiting for somebody to read it, as a terminal takes keys.
func (term *terminal) types(text string) {
	go func() { _, _ = io.WriteString(term.keys, text) }() // an input that is closed takes nothing
	synctest.Wait()
}

// asks asks, and returns where the answer comes.
func (term *terminal) asks(ctx context.Context) chan error {
	answer := make(chan error, 1)
	go func() { answer <- term.Do(ctx, "break it") }()
	<-time.After(time.Second) // of the bubble
	synctest.Wait()
	return answer
}

func (term *terminal) answered(answer chan error, want string) {
	term.t.Helper()
	synctest.Wait()
	select {
	case err := <-answer:
		if err == nil && want != "done" || err != nil && !strings.Contains(err.Error(), want) {
			term.t.Errorf("the answer is %v, expected %s", err, want)
		}
	default:
		if want != "" {
			term.t.Errorf("there is no answer, expected %s", want)
		}
	}
}

// What was typed before a question is no answer to it: not before the first one, when
// the terminal has kept it, and not before one that comes later.
func TestAnEarlierEnterConfirmsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(t)
		term.types("\n\n")
		answer := term.asks(t.Context())
		term.answered(answer, "")
		term.types("\n")
		term.answered(answer, "done")

		term.types("\n\n") // pressed twice, and the undo is asked for after that
		undo := term.asks(t.Context())
		term.answered(undo, "")
		term.types("done")
		term.answered(undo, "") // without Enter
		term.types("\n\n")
		term.answered(undo, "done")
		_ = term.keys.Close()
	})
}

// The question is shown only once nothing is typed any more.
func TestAQuestionWaitsForQuiet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(t)
		held, release := context.WithCancel(t.Context())
		go func() { // Enter is held down
			for held.Err() == nil {
				_, _ = io.WriteString(term.keys, "\n")
				<-time.After(30 * time.Millisecond) // of the bubble
			}
		}()
		answer := term.asks(t.Context())
		term.answered(answer, "")
		if n := term.asked.Load(); n != 0 {
			t.Errorf("it was asked %d times", n)
		}
		release()
		<-time.After(time.Second) // of the bubble
		term.answered(answer, "")
		term.types("\n")
		term.answered(answer, "done")
		_ = term.keys.Close()
	})
}

// One who does not answer in time has not answered, and the next question needs an
// answer of its own.
func TestALateEnterConfirmsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(t)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		answer := term.asks(ctx)
		<-time.After(5 * time.Second) // of the bubble
		term.answered(answer, "did not press Enter in time")
		term.types("\n")
		term.answered(term.asks(ctx), "did not press Enter in time")
		_ = term.keys.Close()
	})
}

// Of two questions at once the second is shown when the first is answered.
func TestQuestionsComeOneByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(t)
		both := make(chan error, 2)
		for range 2 {
			go func() { both <- term.Do(t.Context(), "break it") }()
		}
		for n := range int64(2) {
			<-time.After(time.Second) // of the bubble
			if got := term.asked.Load(); got != n+1 {
				t.Errorf("after %d answers, %d were asked", n, got)
			}
			term.types("\n")
			term.answered(both, "done")
		}
		_ = term.keys.Close()
	})
}

// An input that ends answers nothing, ends who reads it, and is not read again.
func TestAnInputThatEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]error{"closed": io.EOF, "broken": errors.New("input/output error")} {
		synctest.Test(t, func(t *testing.T) {
			term := newTerminal(t)
			answer := term.asks(t.Context())
			term.types("no Enter")
			_ = term.keys.CloseWithError(end)
			term.answered(answer, "the terminal cannot be read")
			term.answered(term.asks(t.Context()), end.Error())
			if t.Failed() {
				t.Log(name)
			}
		})
	}
}
