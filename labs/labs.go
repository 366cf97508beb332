// Package labs holds the bundled environments that `gameday lab up` starts: a
// folder each, with compose file, images, journeys and gameday.yaml.
package labs

import "embed"

// Files are the labs as they lie here.
//
//go:embed all:checkout all:checkout-backup all:checkout-ha
var Files embed.FS
