//go:build !linux

package helper

import "errors"

var errNotLinux = errors.New("a helper works on Linux only")

func (Work) begin(string) (effect, Reply, error) { return nil, Reply{}, errNotLinux }
func (Work) do() (Reply, error)                  { return Reply{}, errNotLinux }
func (Work) try() error                          { return errNotLinux }
func (Work) mend() error                         { return errNotLinux }
