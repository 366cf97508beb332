// Package secret reads the secrets that people give gameday by environment variables.
package secret

import (
	"fmt"
	"os"
	"strings"
)

// Get is the value of an environment variable, or the content of the file that the variable
// with _FILE at its end names, without white space around it. It is empty if neither is set.
// An error means that the file cannot be read.
func Get(name string) (string, error) {
	path := os.Getenv(name + "_FILE")
	if value := os.Getenv(name); value != "" || path == "" {
		return value, nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // G304: the user names the file
	if err != nil {
		return "", fmt.Errorf("read %s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(data)), nil
}

// Need is [Get] for a variable without which nothing can be done: it is an error if it is not
// set.
func Need(name string) (string, error) {
	value, err := Get(name)
	if err == nil && value == "" {
		err = fmt.Errorf("%s is not set: set %s or %s_FILE", name, name, name)
	}
	return value, err
}
