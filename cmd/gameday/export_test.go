package main

import "github.com/gameday-dev/gameday/internal/toyenv"

// RunWithToy is main, with one more driver in the registry.
func RunWithToy() int { return program{append(drivers(), toyenv.Driver())}.main() }

// Clip is a text of at most a width.
func Clip(text string, width int) string { return clip(text, width) }
