//go:build !linux

package shop

import "errors"

// route is for Linux, on which the labs' containers run.
func route(text string) error {
	if text == "" {
		return nil
	}
	return errors.New("routes can be set on Linux only")
}
