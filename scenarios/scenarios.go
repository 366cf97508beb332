// Package scenarios contains the bundled scenarios.
package scenarios

import "embed"

// Files are the files of the scenarios.
//
//go:embed *.yaml
var Files embed.FS
