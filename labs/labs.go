// Package labs contains the bundled environments that `gameday lab up` starts: one folder
// each, with a compose file, images, journeys and gameday.yaml.
package labs

import "embed"

// Files are the files of the labs.
//
//go:embed all:checkout all:checkout-backup all:checkout-ha
var Files embed.FS
