// Package scenarios holds the bundled scenarios.
package scenarios

import "embed"

// Files are the scenarios as they lie here.
//
//go:embed *.yaml
var Files embed.FS
