package helper

import "errors"

// errNoWork is an order of a newer gameday.
var errNoWork = errors.New("the helper does not know this work")

// begin puts work in force. tag is a name of its own in the kernel.
func (w Work) begin(tag string) (effect, Reply, error) {
	switch {
	case w.Packets != nil:
		return w.Packets.begin(tag)
	case w.Queue != nil:
		return w.Queue.begin(tag)
	case w.Shape != nil:
		return w.Shape.begin()
	case w.Fill != nil:
		return w.Fill.begin()
	case w.Mount != nil:
		return w.Mount.begin()
	case w.Signal != nil:
		return w.Signal.begin()
	}
	return nil, Reply{}, errNoWork
}

// try tells whether work could be put in force, as far as that shows before.
func (w Work) try() error {
	switch {
	case w.Shape != nil:
		return w.Shape.try()
	case w.Fill != nil:
		_, err := w.Fill.keep()
		return err
	case w.Mount != nil:
		return w.Mount.try()
	case w.Signal != nil:
		return w.Signal.try()
	}
	return errNoWork
}

// do does what leaves nothing to take back.
func (w Work) do() (Reply, error) {
	switch {
	case w.Kill != nil:
		return Reply{}, w.Kill.kill()
	case w.Sockets:
		return sockets()
	case w.Check != nil:
		return Reply{}, w.Check.check()
	case w.File != nil:
		return w.File.do()
	case w.Signal != nil:
		return Reply{}, w.Signal.send(w.Signal.Signal)
	}
	return Reply{}, errNoWork
}

// mend takes back what a helper that was killed has left.
func (w Work) mend() error {
	switch {
	case w.Packets != nil, w.Queue != nil:
		return mendTables()
	case w.Shape != nil:
		return unshape()
	case w.Mount != nil:
		return mounted{w.Mount}.undo()
	case w.Signal != nil && w.Signal.Undo != 0:
		return w.Signal.send(w.Signal.Undo)
	case w.Signal != nil, w.Fill != nil:
		return nil // the kernel has taken it back, or nobody can
	}
	return errNoWork
}
