//go:build !linux

package shop

import "errors"

// route works on Linux only; the labs' containers run on Linux.
func route(text string) error {
	if text == "" {
		return nil
	}
	return errors.New("routes can be set on Linux only")
}
